//! What can be asked about results.

use http::{Method, StatusCode};
use polling_core::openapi::of_type;
use polling_core::{Code, Results};
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ContentBuilder, ResponseBuilder};

use super::operation::operation;
use super::polls::{of_poll, voter};
use super::{OK, Room, nothing, tickets};

const READ: &str = "`ballots` counts voters, `votes` selections. The same `revision` is the same content, for ever.";
const WATCH: &str = "`event: results` with `id: <revision>`: the current one first, then only newer ones, at most 20 a \
    second. `event: error` where they are hidden; `event: poll_deleted` ends it. A page cannot try it: it never ends.";

pub(super) fn room() -> Room {
    let refused = [Code::Forbidden, Code::Invalid, Code::PollNotFound];
    let at = |template, id, summary| {
        let operation = of_poll(operation(Method::GET, template, id, summary));
        voter(operation).refuses(&refused)
    };
    let events = ContentBuilder::new().schema(Some(of_type(Type::String)));
    let events = ResponseBuilder::new()
        .description("The events")
        .content("text/event-stream", events.build());
    Room {
        name: "Results",
        says: "Read once, or live.",
        operations: vec![
            at(
                "/api/v1/polls/{id}/results",
                "readResults",
                "Read the results",
            )
            .says(READ)
            .header(
                "If-None-Match",
                "The `ETag` that the client holds.",
                of_type(Type::String),
            )
            .answers::<Results>(OK, "The results")
            .with("ETag", "The revision in quotes; a draft has none.")
            .answers_with(StatusCode::NOT_MODIFIED, nothing("The client holds these"))
            .with("ETag", "The revision in quotes.")
            .refuses(&[Code::ResultsHidden]),
            at(
                "/api/v1/polls/{id}/events",
                "watchResults",
                "Watch the results live",
            )
            .says(WATCH)
            .query(
                "after_revision",
                "The revision that the client holds: only newer ones are sent.",
                of_type(Type::Integer).minimum(Some(0)),
            )
            .query("ticket", tickets::PARAMETER, of_type(Type::String))
            .header(
                "Last-Event-ID",
                "The same, sent by browsers.",
                of_type(Type::String),
            )
            .answers_with(OK, events),
        ],
    }
}
