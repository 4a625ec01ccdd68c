//! What other services answer beside this one: an application that embeds polls may mount them or not.

use http::{Method, StatusCode};
use polling_core::openapi::of_type;
use polling_core::{Code, Problem};
use utoipa::ToSchema;
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ContentBuilder, Ref, ResponseBuilder};

use super::operation::operation;
use super::{OK, Room, nothing, tickets};

const WEB_SOCKET: &str = "/api/v1/ws";
const METRICS: &str = "/metrics";

const FRAMES: &str = "JSON text frames with a `type`: `subscribe`, `unsubscribe`, `vote`, `authenticate`, `ping`; see \
    docs/API.md for what they hold and how they are answered.";

/// Whether another service answers this path.
pub(super) fn answers(template: &str) -> bool {
    [WEB_SOCKET, METRICS].contains(&template)
}

pub(super) fn room() -> Room {
    let text = ContentBuilder::new().schema(Some(of_type(Type::String)));
    let metrics = ResponseBuilder::new()
        .description("The metrics")
        .content("text/plain", text.build());
    Room {
        name: "Beside it",
        says: "What other services answer: the WebSocket face, and the bundled server itself.",
        operations: vec![
            operation(Method::GET, WEB_SOCKET, "openWebSocket", "Open a WebSocket")
                .says(FRAMES)
                .query("ticket", tickets::PARAMETER, of_type(Type::String))
                .answers_with(
                    StatusCode::SWITCHING_PROTOCOLS,
                    nothing("The WebSocket is open"),
                )
                .answers_with(
                    StatusCode::BAD_REQUEST,
                    problem("The handshake is malformed"),
                )
                .answers_with(
                    StatusCode::UPGRADE_REQUIRED,
                    problem("This is no handshake"),
                )
                .with("Upgrade", "`websocket`")
                .refuses(&[Code::Forbidden, Code::Unauthorized, Code::Overloaded]),
            operation(
                Method::GET,
                METRICS,
                "readMetrics",
                "The metrics of the server (Prometheus)",
            )
            .answers_with(OK, metrics),
        ],
    }
}

fn problem(says: &str) -> ResponseBuilder {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name())));
    ResponseBuilder::new()
        .description(says)
        .content(Problem::MEDIA_TYPE, content.build())
}
