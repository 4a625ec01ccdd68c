//! What can be asked about one-time vote tokens.

use http::Method;
use polling_core::Code;
use polling_core::openapi::of_type;
use polling_core::vote_tokens::{
    NewVoteTokens, NewlyMadeTokens, Revocation, RevokedTokens, VoteTokenCounts,
};
use serde_json::json;
use utoipa::openapi::schema::Type;

use super::operation::{Description, operation};
use super::polls::{MANAGING, of_poll};
use super::{CREATED, OK, Room};

const MAKE: &str = "They are shown this once. With `Accept: text/csv` the answer is a table with the columns `token` and \
    `link`: the `link_template` with the token in it, or nothing without one. Who lost the answer asks again, and gets \
    other ones; a poll has at most 1,000,000, and one that was created without an account 10,000.";
const COUNT: &str = "`made` counts revoked ones too, `used` is the ballots that count: which token cast which vote, nobody \
    can tell.";
const REVOKE: &str = "From now on nobody votes with them, nor reads, changes or withdraws what was voted with one: that \
    vote stays, and counts. Repeated, nothing happens.";

pub(super) fn room() -> Room {
    let at = |method, template, id, summary| managed(operation(method, template, id, summary));
    let all = "/api/v1/polls/{id}/tokens";
    Room {
        name: "Vote tokens",
        says: "For polls with `\"voters\": \"tokens\"`, by who manages the poll: one for each voter.",
        operations: vec![
            at(Method::POST, all, "makeVoteTokens", "Make vote tokens")
                .says(MAKE)
                .takes::<NewVoteTokens>(json!({
                    "count": 3,
                    "link_template": "https://vote.example/poll#{token}",
                }))
                .answers::<NewlyMadeTokens>(CREATED, "The tokens")
                .or_as("text/csv", of_type(Type::String))
                .with("Content-Disposition", "Of a table: `attachment`.")
                .leads_on_to("countVoteTokens", &[("id", "$request.path.id")], None)
                .leads_on_to(
                    "revokeVoteTokens",
                    &[("id", "$request.path.id")],
                    Some(json!({ "tokens": ["$response.body#/tokens/0"] })),
                )
                .refuses(&[Code::PollClosed, Code::RateLimited, Code::Overloaded]),
            at(
                Method::GET,
                all,
                "countVoteTokens",
                "The vote tokens, in numbers",
            )
            .says(COUNT)
            .answers::<VoteTokenCounts>(OK, "The numbers"),
            at(
                Method::POST,
                "/api/v1/polls/{id}/tokens/revoke",
                "revokeVoteTokens",
                "Revoke vote tokens",
            )
            .says(REVOKE)
            .takes::<Revocation>(json!({ "all": true }))
            .answers::<RevokedTokens>(OK, "How many were good until now")
            .refuses(&[Code::Overloaded]),
        ],
    }
}

fn managed(operation: Description) -> Description {
    of_poll(operation)
        .needs_token()
        .refuses(&MANAGING)
        .refuses(&[Code::PollNotForTokens])
}
