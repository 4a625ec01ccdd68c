//! What probes ask.

use http::Method;
use polling_core::openapi::of_type;
use serde_json::json;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ContentBuilder, ResponseBuilder};

use super::operation::operation;
use super::{OK, Room};

pub(super) fn room() -> Room {
    let says = |status: &str, says: &str| {
        let known = of_type(Type::String).enum_values(Some([json!(status)]));
        let schema = of_type(Type::Object)
            .property("status", known)
            .required("status");
        let content = ContentBuilder::new().schema(Some(schema)).build();
        ResponseBuilder::new()
            .description(says)
            .content("application/json", content)
    };
    Room {
        name: "Health",
        says: "For those who watch the server: no credential is looked at.",
        operations: vec![
            operation(
                Method::GET,
                "/healthz",
                "isAlive",
                "Whether the process lives",
            )
            .answers_with(OK, says("ok", "It lives")),
            operation(
                Method::GET,
                "/readyz",
                "isReady",
                "Whether the store answers",
            )
            .answers_with(OK, says("ready", "It answers")),
        ],
    }
}
