//! Polls, and their results.

use serde_json::{Value, json};

use super::case::Case;
use super::world::World;
use crate::support::Poll;

const FORBIDDEN: &str = "forbidden";

pub(super) fn cases(world: &World) -> Vec<Case<'_>> {
    let mut cases = steps(world);
    // Those of older systems are answered alike.
    for root in ["/api/v1/polls", "/polls"] {
        cases.extend(all(world, root));
        cases.extend(one(world, root));
        cases.extend(changes(world, root));
    }
    cases.extend(results(world, "results"));
    cases.extend(results(world, "events"));
    let hidden = world.at("GET /api/v1/polls/{id}/results", &[&world.polls.open.id]);
    cases.push(hidden.is(403, "results_hidden"));
    cases
}

fn all<'a>(world: &'a World, root: &str) -> Vec<Case<'a>> {
    let list = |query: &str| world.at(&format!("GET {root}"), &[]).query(query);
    let project = &world.team.project;
    let new = json!({"question": "Q", "options": ["A", "B"], "project_id": project});
    let create = || world.at(&format!("POST {root}"), &[]).json(&new);
    vec![
        list("limit=0").is(422, "invalid"),
        list(&format!("project_id={project}"))
            .by(&world.team.eve)
            .hides(project, "project_not_found"),
        create().by(&world.team.vera).is(403, FORBIDDEN),
        create()
            .by(&world.team.eve)
            .hides(project, "project_not_found"),
    ]
}

fn one<'a>(world: &'a World, root: &str) -> Vec<Case<'a>> {
    let (polls, eve) = (&world.polls, &world.team.eve);
    let read = |poll: &Poll| world.at(&format!("GET {root}/{{id}}"), &[&poll.id]);
    let delete = |poll: &Poll| world.at(&format!("DELETE {root}/{{id}}"), &[&poll.id]);
    let draft = &polls.draft;
    vec![
        read(&polls.vouched).query("voter=ada").is(403, FORBIDDEN),
        read(draft).by(eve).hides(&draft.id, "poll_not_found"),
        read(draft).hides(&draft.id, "poll_not_found"),
        read(&polls.open)
            .query("voter=a&voter=b")
            .is(422, "invalid"),
        delete(&polls.open).by(eve).is(403, FORBIDDEN),
        delete(draft).by(eve).hides(&draft.id, "poll_not_found"),
    ]
}

fn changes<'a>(world: &'a World, root: &str) -> Vec<Case<'a>> {
    let (polls, olga, eve) = (&world.polls, &world.team.olga, &world.team.eve);
    let edit = |poll: &Poll, body: Value| {
        let patch = world.at(&format!("PATCH {root}/{{id}}"), &[&poll.id]);
        patch.json(&body)
    };
    let harmless = || json!({"description": "x"});
    let draft = &polls.draft;
    vec![
        edit(&polls.open, harmless()).by(eve).is(403, FORBIDDEN),
        edit(draft, harmless())
            .by(eve)
            .hides(&draft.id, "poll_not_found"),
        edit(&polls.open, json!({"options": ["A", "B"]}))
            .by(olga)
            .is(409, "options_fixed"),
        edit(&polls.closed, json!({"question": "Q"}))
            .by(olga)
            .is(409, "poll_closed"),
        edit(&polls.open, json!({"version": 99, "description": "x"}))
            .by(olga)
            .is(409, "version_conflict"),
    ]
}

fn steps(world: &World) -> Vec<Case<'_>> {
    let (polls, olga, eve) = (&world.polls, &world.team.olga, &world.team.eve);
    let step = |step: &str, poll: &Poll| {
        let operation = format!("POST /api/v1/polls/{{id}}/{step}");
        world.at(&operation, &[&poll.id])
    };
    let draft = &polls.draft;
    let mut cases = vec![
        step("publish", &polls.late).by(olga).is(422, "invalid"),
        step("close", draft).by(olga).is(409, "poll_draft"),
    ];
    for name in ["publish", "close"] {
        cases.push(step(name, &polls.open).by(eve).is(403, FORBIDDEN));
        cases.push(step(name, draft).by(eve).hides(&draft.id, "poll_not_found"));
    }
    cases
}

fn results<'a>(world: &'a World, kind: &str) -> Vec<Case<'a>> {
    let (polls, draft) = (&world.polls, &world.polls.draft);
    let read = |poll: &Poll| {
        let operation = format!("GET /api/v1/polls/{{id}}/{kind}");
        world.at(&operation, &[&poll.id])
    };
    vec![
        read(&polls.vouched).query("voter=ada").is(403, FORBIDDEN),
        read(draft)
            .by(&world.team.eve)
            .hides(&draft.id, "poll_not_found"),
        read(draft).hides(&draft.id, "poll_not_found"),
        read(&polls.open)
            .query("voter=a&voter=b")
            .is(422, "invalid"),
    ]
}
