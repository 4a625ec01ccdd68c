//! What can be asked about votes.

use http::Method;
use polling_core::openapi::{of_type, whole};
use polling_core::votes::{BatchBody, OwnBallot, VoteBody};
use polling_core::{BallotId, Code, FieldError, Receipt};
use serde_json::{Value, json};
use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::operation::{Description, operation};
use super::polls::{of_poll, voter};
use super::{CREATED, NO_CONTENT, OK, Room, nothing};

const CAST: &str = "What was answered is on disk. The same voter and content again is a retry, also after the poll has \
    closed: 200, with the same receipt. After 503 send it again, with the same `ballot_id`.";
const CAST_ALL: &str =
    "Each ballot stands alone; the outcomes come in the order of the ballots, at most 10,000.";
const CHANGE: &str =
    "\"My vote is this\": casts it, or changes it where the poll has `allow_change`.";
const WITHDRAW: &str = "Who withdrew may vote again.";

/// What a ballot may be refused for, whether it is cast or changes one.
const BALLOTS: [Code; 12] = [
    Code::Forbidden,
    Code::PollNotFound,
    Code::BallotIdReused,
    Code::BallotSuperseded,
    Code::PollClosed,
    Code::PollDraft,
    Code::PollNotOpen,
    Code::OptionUnknown,
    Code::SelectionInvalid,
    Code::VoterRequired,
    Code::Overloaded,
    Code::RateLimited,
];

/// What withdrawing may be refused for.
const WITHDRAWING: [Code; 10] = [
    Code::Forbidden,
    Code::PollNotFound,
    Code::VoteNotFound,
    Code::ChangeNotAllowed,
    Code::PollClosed,
    Code::PollDraft,
    Code::PollNotOpen,
    Code::Invalid,
    Code::VoterRequired,
    Code::Overloaded,
];

pub(super) fn room() -> Room {
    let at = |method, template, id, summary| of_poll(operation(method, template, id, summary));
    let own = "/api/v1/polls/{id}/vote";
    Room {
        name: "Votes",
        says: "One for each voter.",
        operations: vec![
            casting(at(
                Method::POST,
                "/api/v1/polls/{id}/votes",
                "castVote",
                "Vote",
            ))
            .takes::<VoteBody>(example()),
            at(
                Method::POST,
                "/api/v1/polls/{id}/votes/batch",
                "castVotes",
                "Cast many votes",
            )
            .says(CAST_ALL)
            .takes::<BatchBody>(json!({ "ballots": [example()] }))
            .answers::<Outcomes>(OK, "What became of each ballot")
            // Who may vote is judged ballot by ballot.
            .refuses(&[Code::PollNotFound, Code::PollDraft, Code::Overloaded]),
            voter(at(Method::GET, own, "readVote", "Read one's own vote"))
                .answers::<OwnBallot>(OK, "The receipt, and what was chosen")
                .refuses(&[
                    Code::Forbidden,
                    Code::Invalid,
                    Code::PollDraft,
                    Code::PollNotFound,
                    Code::VoteNotFound,
                    Code::VoterRequired,
                ]),
            voter(idempotent(at(
                Method::PUT,
                own,
                "changeVote",
                "Change one's vote",
            )))
            .says(CHANGE)
            .takes::<VoteBody>(example())
            .answers::<Receipt>(OK, "Changed, or so already")
            .answers::<Receipt>(CREATED, "Cast: there was none")
            .refuses(&BALLOTS)
            .refuses(&[Code::ChangeNotAllowed]),
            voter(at(
                Method::DELETE,
                own,
                "withdrawVote",
                "Withdraw one's vote",
            ))
            .says(WITHDRAW)
            .answers_with(NO_CONTENT, nothing("Withdrawn"))
            .refuses(&WITHDRAWING),
        ],
    }
}

/// A vote of which only the option is left to be filled in.
pub(super) fn example() -> Value {
    json!({ "option_id": "0193a5b0-7c3e-7d52-8f5e-6f0d3a1c2b4d", "voter": "ada" })
}

/// Casting, but for the body.
pub(super) fn casting(operation: Description) -> Description {
    idempotent(operation)
        .says(CAST)
        .answers::<Receipt>(OK, "A retry: the receipt of the recorded ballot")
        .answers::<Receipt>(CREATED, "Recorded")
        .refuses(&BALLOTS)
        .refuses(&[Code::AlreadyVoted])
}

fn idempotent(operation: Description) -> Description {
    let says = "The ballot's id, where the body has none: a retry with it is never a second vote.";
    operation.header("Idempotency-Key", says, BallotId::schema())
}

/// The answer to a batch.
struct Outcomes;

impl ToSchema for Outcomes {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Receipt::name().into_owned(), Receipt::schema()));
    }
}

impl PartialSchema for Outcomes {
    fn schema() -> RefOr<Schema> {
        let recorded = of_type(Type::Object)
            .property("status", whole(200, 201))
            .property("receipt", Ref::from_schema_name(Receipt::name()))
            .required("status")
            .required("receipt");
        let refused = of_type(Type::Object)
            .description(Some("The same as in a problem."))
            .property("status", whole(400, 599))
            .property("code", Code::schema())
            .property("detail", of_type(Type::String))
            .property("errors", ArrayBuilder::new().items(FieldError::schema()))
            .property(
                "retry_after",
                of_type(Type::Integer).minimum(Some(0)).description(Some(
                    "With `rate_limited`: in how many seconds to try again.",
                )),
            )
            .required("status")
            .required("code");
        let outcome = AnyOfBuilder::new().item(recorded).item(refused);
        of_type(Type::Object)
            .property("outcomes", ArrayBuilder::new().items(outcome))
            .required("outcomes")
            .into()
    }
}
