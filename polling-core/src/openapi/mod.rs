//! The schemas of all that is JSON, so that transports can describe themselves (OpenAPI 3.1).
//!
//! What the core answers derives its schema beside its fields. What it reads by hand, in more ways than one, has its schema
//! here, by hand as well. A schema never refuses what is taken: a rule that JSON Schema cannot say, as that an end lies in
//! the future, is said in words. That fields are refused which nobody knows is each transport's to add: it may pass over
//! them.

mod polls;
mod vote_tokens;
mod votes;
#[cfg(feature = "accounts")]
mod workspaces;

pub use votes::{OldVoteBody, OldVoteInPoll};

use std::borrow::Cow;

use serde_json::{Value, json};
use utoipa::openapi::schema::{
    AnyOfBuilder, Object, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{ArrayBuilder, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::polls::ManageToken;
use crate::{Code, FieldError, Problem, Timestamp};

/// A text of so many characters.
#[must_use]
pub fn text(least: usize, most: usize) -> ObjectBuilder {
    of_type(Type::String)
        .min_length(Some(least))
        .max_length(Some(most))
}

/// A text that people read, of up to so many characters when the white space around it is cut off: so that the pattern has
/// to count them.
pub(crate) fn words(most: usize) -> ObjectBuilder {
    let (first, other) = (format!("[^\\s{CONTROLS}]"), format!("[^{CONTROLS}]"));
    let between = most.saturating_sub(2);
    let pattern = format!(r"^\s*{first}(?:{other}{{0,{between}}}{first})?\s*$");
    of_type(Type::String)
        .min_length(Some(1))
        .pattern(Some(pattern))
}

/// Control characters, and those that turn the direction of what follows.
const CONTROLS: &str = r"\x00-\x1F\x7F-\x9F\u2028-\u202E\u2066-\u2069";

/// What somebody or something is called.
#[cfg(feature = "accounts")]
pub(crate) fn name() -> ObjectBuilder {
    words(100).description(Some("What others see: 1 to 100 characters."))
}

/// A whole number within these bounds.
#[must_use]
pub fn whole(least: u64, most: u64) -> ObjectBuilder {
    of_type(Type::Integer)
        .minimum(Some(least))
        .maximum(Some(most))
}

/// A value of a type.
#[must_use]
pub fn of_type(of: Type) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::new(of))
}

/// The same, or null.
#[must_use]
pub fn or_null(schema: impl Into<RefOr<Schema>>) -> AnyOfBuilder {
    AnyOfBuilder::new()
        .item(schema.into())
        .item(of_type(Type::Null))
}

/// An object that holds at least one of these fields.
pub(crate) fn with_one_of(fields: &[&str]) -> AnyOfBuilder {
    fields.iter().fold(AnyOfBuilder::new(), |any, field| {
        any.item(of_type(Type::Object).required(*field))
    })
}

fn format(of: &str) -> ObjectBuilder {
    of_type(Type::String).format(Some(SchemaFormat::Custom(of.to_owned())))
}

/// The id of something.
pub(crate) fn id(what: &str) -> ObjectBuilder {
    format("uuid").description(Some(what))
}

/// A schema that has a name of its own in documents.
macro_rules! named {
    ($type:ty, $name:literal, $schema:expr) => {
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                $schema.into()
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }
        }
    };
}

pub(crate) use named;

/// The schema of an id, which stands in a document where it is used.
macro_rules! id_schema {
    ($name:ident, $what:expr) => {
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                crate::openapi::id($what.trim()).into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

pub(crate) use id_schema;

named!(
    Timestamp,
    "Timestamp",
    format("date-time")
        .description(Some(
            "RFC 3339; answered in UTC with milliseconds, finer parts are cut off. Years 1 to 9999."
        ))
        .examples([json!("2126-12-01T12:00:00.000Z")])
);

named!(
    ManageToken,
    "ManageToken",
    of_type(Type::String)
        .pattern(Some("^pm_[A-Za-z0-9_-]{43}$"))
        .description(Some("Manages the poll, sent as `Authorization: Bearer`."))
);

named!(Code, "Code", codes());

fn codes() -> Object {
    let known = Code::ALL.iter().map(|code| Value::from(code.as_str()));
    of_type(Type::String)
        .enum_values(Some(known.collect::<Vec<_>>()))
        .description(Some("Which rule was broken."))
        .build()
}

named!(
    Problem<'_>,
    "Problem",
    of_type(Type::Object)
        .description(Some("What went wrong (RFC 9457)."))
        .property(
            "type",
            of_type(Type::String).pattern(Some("^urn:problem-type:polling:[a-z_]+$"))
        )
        .property(
            "title",
            of_type(Type::String).description(Some("For people, the same for each occurrence."))
        )
        .property(
            "status",
            whole(400, 599).description(Some("The status of the answer."))
        )
        .property(
            "detail",
            of_type(Type::String).description(Some("For people, about this occurrence."))
        )
        .property(
            "code",
            of_type(Type::String).description(Some("The stable code."))
        )
        .property(
            "errors",
            ArrayBuilder::new()
                .items(FieldError::schema())
                .min_items(Some(1))
                .description(Some("The fields that broke a rule."))
        )
        .required("type")
        .required("title")
        .required("status")
        .required("code")
);
