//! The answers that say what went wrong: one for each status and set of codes, which operations share.

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use polling_core::openapi::of_type;
use polling_core::{Code, Problem};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::schema::{AllOfBuilder, Type};
use utoipa::openapi::{
    ContentBuilder, Header, HeaderBuilder, Ref, RefOr, Response, ResponseBuilder,
};

/// What a request with a body may be refused for, whatever it asks.
pub(super) const OF_BODIES: [(StatusCode, &str); 6] = [
    (StatusCode::BAD_REQUEST, Code::Invalid.as_str()),
    (StatusCode::REQUEST_TIMEOUT, "timeout"),
    (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
    (StatusCode::UNPROCESSABLE_ENTITY, Code::Invalid.as_str()),
    (StatusCode::SERVICE_UNAVAILABLE, Code::Overloaded.as_str()),
];

/// The name of such an answer in the document.
pub(super) fn name(status: StatusCode, codes: &BTreeSet<&'static str>) -> String {
    let codes: Vec<_> = codes.iter().copied().collect();
    format!("{}.{}", status.as_str(), codes.join("."))
}

/// The answer itself.
pub(super) fn response(status: StatusCode, codes: &BTreeSet<&'static str>) -> Response {
    let listed: Vec<_> = codes.iter().map(|code| format!("`{code}`")).collect();
    let known: Vec<_> = codes.iter().map(|code| Value::from(*code)).collect();
    let one_of_them =
        of_type(Type::Object).property("code", of_type(Type::String).enum_values(Some(known)));
    let problem = AllOfBuilder::new()
        .item(Ref::from_schema_name(Problem::name()))
        .item(one_of_them);
    let content = ContentBuilder::new().schema(Some(problem));
    let reason = status.canonical_reason().unwrap_or_default();
    let response = ResponseBuilder::new()
        .description(format!("{reason}: {}", listed.join(", ")))
        .content(Problem::MEDIA_TYPE, content.build());
    let mut response = response.build();
    mark(&mut response);
    for (name, says) in headers(status) {
        let header = RefOr::T(text_header(says));
        response.headers.insert((*name).to_owned(), header);
    }
    response
}

const RETRY_AFTER: (&str, &str) = ("Retry-After", "In how many seconds to try again.");

/// What is said of a limit.
pub(super) const POLICY: (&str, &str) = (
    "RateLimit-Policy",
    "The limit: `\"create_poll\";q=60;w=60` is 60 in 60 seconds.",
);
pub(super) const LEFT: (&str, &str) = (
    "RateLimit",
    "What is left of it: `\"create_poll\";r=59;t=60` is 59, and all again in 60 seconds.",
);

fn headers(status: StatusCode) -> &'static [(&'static str, &'static str)] {
    match status {
        StatusCode::UNAUTHORIZED => &[("WWW-Authenticate", "`Bearer`, and what is wrong with it.")],
        StatusCode::SERVICE_UNAVAILABLE => &[RETRY_AFTER],
        StatusCode::TOO_MANY_REQUESTS => &[RETRY_AFTER, POLICY, LEFT],
        StatusCode::UNSUPPORTED_MEDIA_TYPE => &[("Accept", "What would be read.")],
        _ => &[],
    }
}

/// A header whose value is a text.
pub(super) fn text_header(says: &str) -> Header {
    HeaderBuilder::new()
        .schema(Some(of_type(Type::String)))
        .description(Some(says))
        .build()
}

/// The header that every answer has.
const REQUEST_ID: &str = "x-request-id";

/// Adds the header that every answer has.
pub(super) fn mark(response: &mut Response) {
    let header = Ref::new(format!("#/components/headers/{REQUEST_ID}"));
    response
        .headers
        .insert(REQUEST_ID.to_owned(), RefOr::Ref(header));
}

/// The headers that answers share, by their names.
pub(super) fn shared_headers() -> BTreeMap<String, RefOr<Header>> {
    let says = "By which the request is found in the log: the client's own, or a new one.";
    let header = RefOr::T(text_header(says));
    BTreeMap::from([(REQUEST_ID.to_owned(), header)])
}
