//! One-time vote tokens.

use serde_json::{Value, json};

use super::case::Case;
use super::world::World;
use crate::support::Poll;

pub(super) fn cases(world: &World) -> Vec<Case<'_>> {
    let (polls, olga, eve) = (&world.polls, &world.team.olga, &world.team.eve);
    let operations = [
        ("GET /api/v1/polls/{id}/tokens", Value::Null),
        ("POST /api/v1/polls/{id}/tokens", json!({"count": 1})),
        (
            "POST /api/v1/polls/{id}/tokens/revoke",
            json!({"all": true}),
        ),
    ];
    let mut cases = Vec::new();
    for (operation, body) in &operations {
        let ask = |poll: &Poll| match body {
            Value::Null => world.at(operation, &[&poll.id]),
            body => world.at(operation, &[&poll.id]).json(body),
        };
        let draft = &polls.draft;
        cases.extend([
            ask(&polls.for_tokens).by(eve).is(403, "forbidden"),
            ask(draft).by(eve).hides(&draft.id, "poll_not_found"),
            ask(&polls.open).by(olga).is(409, "poll_not_for_tokens"),
        ]);
    }
    let made = world.at(operations[1].0, &[&polls.for_tokens_closed.id]);
    cases.push(made.json(&operations[1].1).by(olga).is(409, "poll_closed"));
    cases
}
