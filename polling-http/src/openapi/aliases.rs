//! The routes of older systems.

use http::Method;
use polling_core::openapi::{OldVoteBody, OldVoteInPoll};
use serde_json::json;

use super::operation::operation;
use super::polls::{creation, deletion, editing, listing, of_poll, reading};
use super::votes::casting;
use super::{Room, votes};

const CREATE: &str = "Published at once, unless `publish` says otherwise.";

pub(super) fn room() -> Room {
    let at = |method, template, id, summary| operation(method, template, id, summary);
    let mut in_poll = votes::example();
    in_poll["poll_id"] = json!("0193a5b0-7c3e-7d52-8f5e-6f0d3a1c2b4c");
    Room {
        name: "Older systems",
        says: "The same, under the paths of older systems: their clients work unchanged, and may send fields that nobody \
               knows.",
        operations: vec![
            listing(at(Method::GET, "/polls", "oldListPolls", "List polls")),
            creation(at(Method::POST, "/polls", "oldCreatePoll", "Create a poll").says(CREATE)),
            reading(at(Method::GET, "/polls/{id}", "oldReadPoll", "Read a poll")),
            editing(at(
                Method::PATCH,
                "/polls/{id}",
                "oldEditPoll",
                "Change a poll",
            )),
            deletion(at(
                Method::DELETE,
                "/polls/{id}",
                "oldDeletePoll",
                "Delete a poll",
            )),
            casting(of_poll(at(
                Method::POST,
                "/polls/{id}/vote",
                "oldCastVote",
                "Vote",
            )))
            .takes::<OldVoteBody>(votes::example()),
            casting(at(
                Method::POST,
                "/vote",
                "oldCastVoteIn",
                "Vote in a poll that the body names",
            ))
            .takes::<OldVoteInPoll>(in_poll),
        ],
    }
}
