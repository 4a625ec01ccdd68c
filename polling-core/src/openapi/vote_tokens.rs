//! The schemas of what vote tokens are asked for by.

use std::borrow::Cow;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AllOfBuilder, ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::{named, of_type, or_null, text, whole, with_one_of};
use crate::settings::Settings;
use crate::vote_tokens::{NewVoteTokens, Revocation};

named!(NewVoteTokens, "NewVoteTokens", new_tokens());
named!(Revocation, "Revocation", revocation());

/// What is taken for a template: a host, and behind it the place for the token, once.
const TEMPLATE: &str = r"^https?://[A-Za-z0-9\-._~:\[\]!$&'()*+,;=%]+[/?#][A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*\{token\}[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*$";

fn new_tokens() -> ObjectBuilder {
    let most = Settings::default().request_tokens as u64;
    let template = or_null(text(1, 500).pattern(Some(TEMPLATE))).description(Some(
        "An `http` or `https` address with `{token}` in it once, behind the host: what the links of a table are made of.",
    ));
    of_type(Type::Object)
        .property(
            "count",
            whole(1, most).description(Some("How many to make.")),
        )
        .property("link_template", template)
        .required("count")
}

fn revocation() -> AllOfBuilder {
    let these = ArrayBuilder::new()
        .items(of_type(Type::String))
        .max_items(Some(Settings::default().request_revocations))
        .description(Some("These; what is no token of the poll is passed over."));
    let fields = of_type(Type::Object)
        .description(Some("Either `tokens`, or `all: true`."))
        .property("tokens", or_null(these))
        .property(
            "all",
            of_type(Type::Boolean).description(Some("Every one that the poll has until now.")),
        );
    AllOfBuilder::new()
        .item(fields)
        .item(with_one_of(&["tokens", "all"]))
}
