//! What can be asked of polls.

use http::Method;
use polling_core::openapi::{text, whole};
use polling_core::polls::{Page, PollPatch};
use polling_core::{Code, NewPoll, PollId, PollView, ProjectId};
use serde_json::json;
use utoipa::PartialSchema;

use super::operation::{Description, operation};
use super::{CREATED, NO_CONTENT, OK, Room, failures, nothing};

pub(super) const LIST: &str = "What is `listed`, and the caller's own that are in no project, newest first. With \
    `project_id` all of a project, for members of its workspace; drafts for those who manage them. A page may have fewer \
    polls than `limit`: it is bounded in bytes, too. Only `next_cursor` says whether there are more.";
pub(super) const CREATE: &str = "Without an account the answer holds the poll's `manage_token`, once. In a project by an owner or collaborator of its \
    workspace only.";
const DRAFT: &str = "Drafts are seen by their managers only.";
const EDIT: &str = "The fields that are sent change. A published poll keeps its options, choice and voters; an open one \
    its question, beginning and `allow_change` too; one that is over also its end.";
const PUBLISH: &str = "Repeated, the same. From here on options, choice and voters are fixed.";
const CLOSE: &str = "The answer has the final results. Repeated, the same.";

/// What everything that only managers may do may be refused for.
pub(super) const MANAGING: [Code; 2] = [Code::Forbidden, Code::PollNotFound];

pub(super) fn room() -> Room {
    let at = |method, template, id, summary| operation(method, template, id, summary);
    Room {
        name: "Polls",
        says: "From draft to closed.",
        operations: vec![
            listing(at(Method::GET, "/api/v1/polls", "listPolls", "List polls")),
            creation(at(Method::POST, "/api/v1/polls", "createPoll", "Create a poll").says(CREATE)),
            reading(at(
                Method::GET,
                "/api/v1/polls/{id}",
                "readPoll",
                "Read a poll",
            )),
            editing(at(
                Method::PATCH,
                "/api/v1/polls/{id}",
                "editPoll",
                "Change a poll",
            )),
            deletion(at(
                Method::DELETE,
                "/api/v1/polls/{id}",
                "deletePoll",
                "Delete a poll",
            )),
            of_poll(at(
                Method::POST,
                "/api/v1/polls/{id}/publish",
                "publishPoll",
                "Publish a poll",
            ))
            .says(PUBLISH)
            .needs_token()
            .answers::<PollView>(OK, "The published poll")
            .refuses(&MANAGING)
            .refuses(&[Code::Invalid, Code::RateLimited]),
            of_poll(at(
                Method::POST,
                "/api/v1/polls/{id}/close",
                "closePoll",
                "Close a poll",
            ))
            .says(CLOSE)
            .needs_token()
            .answers::<PollView>(OK, "The closed poll")
            .refuses(&MANAGING)
            .refuses(&[Code::PollDraft, Code::RateLimited]),
        ],
    }
}

pub(super) fn of_poll(operation: Description) -> Description {
    operation.path::<PollId>("id", "The poll. What is no id names no poll.")
}

pub(super) fn voter(operation: Description) -> Description {
    operation.query(
        "voter",
        "Who votes or looks, where signed-in users do not.",
        text(1, 200),
    )
}

pub(super) fn listing(operation: Description) -> Description {
    operation
        .says(LIST)
        .query("limit", "How many, at most.", whole(1, 100))
        .query(
            "cursor",
            "The `next_cursor` of the page before.",
            PollId::schema(),
        )
        .query(
            "project_id",
            "Only the polls of this project.",
            ProjectId::schema(),
        )
        .answers::<Page>(OK, "A page of polls")
        .refuses(&[Code::Invalid, Code::ProjectNotFound, Code::RateLimited])
}

pub(super) fn creation(operation: Description) -> Description {
    let vote = json!({ "option_id": "$response.body#/options/0/id", "voter": "ada" });
    operation
        .takes::<NewPoll>(json!({
            "question": "Tea or coffee?",
            "options": ["Tea", "Coffee"],
            "voters": "anyone",
            "publish": true,
        }))
        .answers::<PollView>(CREATED, "The poll")
        .with("Location", "Where it is found.")
        .with(failures::POLICY.0, failures::POLICY.1)
        .with(failures::LEFT.0, failures::LEFT.1)
        .refuses(&[Code::Forbidden, Code::ProjectNotFound, Code::RateLimited])
        .leads_to("readPoll", None)
        .leads_to("readResults", None)
        .leads_to("castVote", Some(vote.clone()))
        .leads_to("changeVote", Some(vote))
        .leads_to("makeVoteTokens", None)
}

pub(super) fn reading(operation: Description) -> Description {
    voter(of_poll(operation))
        .says(DRAFT)
        .answers::<PollView>(
            OK,
            "The poll, with its results where the caller may see them",
        )
        .refuses(&[Code::Forbidden, Code::Invalid, Code::PollNotFound])
}

pub(super) fn editing(operation: Description) -> Description {
    of_poll(operation)
        .says(EDIT)
        .needs_token()
        .takes::<PollPatch>(json!({ "description": "One cup each." }))
        .answers::<PollView>(OK, "The poll as it is now")
        .refuses(&MANAGING)
        .refuses(&[Code::OptionsFixed, Code::PollClosed, Code::VersionConflict])
        .refuses(&[Code::RateLimited])
}

pub(super) fn deletion(operation: Description) -> Description {
    of_poll(operation)
        .says("Gone at once, for everybody.")
        .needs_token()
        .answers_with(NO_CONTENT, nothing("Deleted"))
        .refuses(&MANAGING)
        .refuses(&[Code::RateLimited])
}
