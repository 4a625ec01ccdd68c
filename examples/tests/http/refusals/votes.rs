//! Votes: cast in each of the ways there are, changed, withdrawn and read.

use serde_json::{Value, json};

use super::case::{Case, NOTHING};
use super::world::{BALLOT, REPLACED, World};
use crate::support::Poll;

/// How a ballot is sent.
const CASTING: [&str; 3] = [
    "POST /api/v1/polls/{id}/votes",
    "POST /polls/{id}/vote",
    "POST /vote",
];
const CHANGING: &str = "PUT /api/v1/polls/{id}/vote";

pub(super) fn cases(world: &World) -> Vec<Case<'_>> {
    let fixed = &world.polls.fixed;
    let mut cases = batches(world);
    cases.extend(own(world));
    for operation in CASTING {
        cases.extend(ballots(world, operation));
        let other = ballot(world, operation, fixed, fixed.vote(1, "ada"));
        cases.push(other.is(409, "already_voted"));
    }
    cases.extend(ballots(world, CHANGING));
    let other = ballot(world, CHANGING, fixed, fixed.vote(1, "ada"));
    cases.push(other.is(409, "change_not_allowed"));
    cases
}

/// This ballot, in this way.
fn ballot<'a>(world: &'a World, operation: &str, poll: &Poll, mut body: Value) -> Case<'a> {
    if operation.contains("{id}") {
        return world.at(operation, &[&poll.id]).json(&body);
    }
    body["pollId"] = (*poll.id).into();
    world.at(operation, &[]).json(&body)
}

/// Those that cannot be recorded, however they are sent.
fn ballots<'a>(world: &'a World, operation: &str) -> Vec<Case<'a>> {
    let polls = &world.polls;
    let sent = |poll: &Poll, body: Value| ballot(world, operation, poll, body);
    let vote = |poll: &Poll| sent(poll, poll.vote(0, "cid"));
    let with_id = |position, voter, id: &str| {
        let mut body = polls.open.vote(position, voter);
        body["ballot_id"] = id.into();
        sent(&polls.open, body)
    };
    let (eve, olga) = (&world.team.eve, &world.team.olga);
    let (draft, option) = (&polls.draft, &*polls.open.options[0]);
    vec![
        vote(&polls.vouched).is(403, "forbidden"),
        vote(draft).by(eve).hides(&draft.id, "poll_not_found"),
        vote(draft).hides(&draft.id, "poll_not_found"),
        vote(draft).by(olga).is(409, "poll_draft"),
        vote(&polls.scheduled).is(409, "poll_not_open"),
        vote(&polls.closed).is(409, "poll_closed"),
        with_id(1, "ada", BALLOT).is(409, "ballot_id_reused"),
        with_id(0, "bob", REPLACED).is(409, "ballot_superseded"),
        sent(&polls.open, json!({"option_id": NOTHING, "voter": "cid"})).is(422, "option_unknown"),
        sent(
            &polls.open,
            json!({"option_ids": [option, option], "voter": "cid"}),
        )
        .is(422, "selection_invalid"),
        sent(&polls.open, json!({"option_id": option})).is(422, "voter_required"),
    ]
}

fn batches(world: &World) -> Vec<Case<'_>> {
    let draft = &world.polls.draft;
    let body = json!({"ballots": [draft.vote(0, "cid")]});
    let cast = || world.at("POST /api/v1/polls/{id}/votes/batch", &[&draft.id]);
    let cast = || cast().json(&body);
    vec![
        cast()
            .by(&world.team.eve)
            .hides(&draft.id, "poll_not_found"),
        cast().by(&world.team.olga).is(409, "poll_draft"),
    ]
}

/// The own vote, which is read or withdrawn.
fn own(world: &World) -> Vec<Case<'_>> {
    let polls = &world.polls;
    let (eve, olga, draft) = (&world.team.eve, &world.team.olga, &polls.draft);
    let mut cases = Vec::new();
    for method in ["GET", "DELETE"] {
        let operation = format!("{method} /api/v1/polls/{{id}}/vote");
        let bare = |poll: &Poll| world.at(&operation, &[&poll.id]);
        let of = |poll: &Poll| bare(poll).query("voter=cid");
        cases.extend([
            of(&polls.vouched).is(403, "forbidden"),
            of(draft).by(eve).hides(&draft.id, "poll_not_found"),
            of(&polls.open).is(404, "vote_not_found"),
            of(draft).by(olga).is(409, "poll_draft"),
            bare(&polls.open).query("voter=").is(422, "invalid"),
            bare(&polls.open).is(422, "voter_required"),
        ]);
    }
    let withdraw = |poll: &Poll| {
        let delete = world.at("DELETE /api/v1/polls/{id}/vote", &[&poll.id]);
        delete.query("voter=ada")
    };
    cases.extend([
        withdraw(&polls.fixed).is(409, "change_not_allowed"),
        withdraw(&polls.closed).is(409, "poll_closed"),
        withdraw(&polls.scheduled).is(409, "poll_not_open"),
    ]);
    cases
}
