//! Workspaces, their members, projects and invitations.

use serde_json::{Value, json};

use super::case::Case;
use super::world::World;

const MISSING: &str = "workspace_not_found";
const FORBIDDEN: &str = "forbidden";

pub(super) fn cases(world: &World) -> Vec<Case<'_>> {
    let mut cases = roles(world);
    cases.extend(lists(world));
    cases.extend(things(world));
    cases.extend(answers(world));
    cases.extend(bounds(world));
    cases
}

/// Every operation with a workspace in its path; the other id is that of something of Olga's.
fn all(world: &World) -> Vec<(&'static str, Vec<&str>, Value)> {
    let ids = &world.ids;
    let (role, name) = (json!({"role": "viewer"}), json!({"name": "Galley"}));
    let invited = json!({"email": "x@example.org", "role": "viewer"});
    let one = |rest: &'static str, id, body: Value| (rest, vec![&*ids.workspace, id], body);
    let own = |rest: &'static str, body: Value| (rest, vec![&*ids.workspace], body);
    vec![
        own("GET ", Value::Null),
        own("PATCH ", name.clone()),
        own("DELETE ", Value::Null),
        own("GET /members", Value::Null),
        one("PATCH /members/{user_id}", &*ids.member, role),
        one("DELETE /members/{user_id}", &ids.member, Value::Null),
        own("GET /invitations", Value::Null),
        own("POST /invitations", invited),
        one(
            "DELETE /invitations/{invitation_id}",
            &ids.invitation,
            Value::Null,
        ),
        own("GET /projects", Value::Null),
        own("POST /projects", name.clone()),
        one("PATCH /projects/{project_id}", &ids.project, name),
        one("DELETE /projects/{project_id}", &ids.project, Value::Null),
    ]
}

/// What a viewer may.
const FOR_ALL: [&str; 3] = ["GET ", "GET /members", "GET /projects"];

fn of<'a>(world: &'a World, rest: &str, ids: &[&str], body: &Value) -> Case<'a> {
    let (method, rest) = rest.split_once(' ').unwrap();
    let ask = world.at(&format!("{method} /api/v1/workspaces/{{id}}{rest}"), ids);
    match body {
        Value::Null => ask,
        body => ask.json(body),
    }
}

/// Those whose role does not suffice, and those who have none.
fn roles(world: &World) -> Vec<Case<'_>> {
    let (team, mut cases) = (&world.team, Vec::new());
    for (rest, ids, body) in all(world) {
        let ask = || of(world, rest, &ids, &body);
        cases.push(ask().by(&team.eve).hides(ids[0], MISSING));
        if !FOR_ALL.contains(&rest) {
            cases.push(ask().by(&team.vera).is(403, FORBIDDEN));
            if !rest.contains("/projects") {
                cases.push(ask().by(&team.cora).is(403, FORBIDDEN));
            }
        }
    }
    let own = [&*world.ids.workspace, &*team.vera.id];
    let promoted = json!({"role": "owner"});
    let promoted = of(world, "PATCH /members/{user_id}", &own, &promoted);
    cases.push(promoted.by(&team.vera).is(403, FORBIDDEN));
    cases
}

fn lists(world: &World) -> Vec<Case<'_>> {
    let (workspace, olga) = (&*world.ids.workspace, &world.team.olga);
    let mut cases = Vec::new();
    let list = world.at("GET /api/v1/workspaces", &[]).query("limit=0");
    cases.push(list.by(olga).is(422, "invalid"));
    for rest in ["GET /members", "GET /invitations", "GET /projects"] {
        let list = of(world, rest, &[workspace], &Value::Null).query("limit=0");
        cases.push(list.by(olga).is(422, "invalid"));
    }
    cases
}

/// Things of another workspace, asked for in one's own.
fn things(world: &World) -> Vec<Case<'_>> {
    let (olga, foreign) = (&world.team.olga, &world.foreign);
    let other = |rest: &str| match rest {
        rest if rest.contains("{user_id}") => Some((&foreign.member, "member_not_found")),
        rest if rest.contains("{project_id}") => Some((&foreign.project, "project_not_found")),
        rest if rest.contains("{invitation_id}") => {
            Some((&foreign.invitation, "invitation_not_found"))
        }
        _ => None,
    };
    let mut cases = Vec::new();
    for (rest, ids, body) in all(world) {
        if let Some((id, code)) = other(rest) {
            let ask = of(world, rest, &[ids[0], id], &body).by(olga);
            cases.push(ask.hides(id, code));
        }
        if rest.contains("{user_id}") {
            cases.push(of(world, rest, &ids, &body).by(olga).is(409, "last_owner"));
        }
    }
    cases
}

fn answers(world: &World) -> Vec<Case<'_>> {
    let (team, invitation) = (&world.team, &*world.invitation);
    let mut cases = Vec::new();
    for (method, answer) in [("GET", ""), ("POST", "/accept"), ("POST", "/decline")] {
        let operation = format!("{method} /api/v1/invitations/{{id}}{answer}");
        // It is there, and another one's.
        let stranger = world.at(&operation, &[invitation]).by(&team.vera);
        cases.push(stranger.hides(invitation, "invitation_not_found"));
    }
    cases
}

fn bounds(world: &World) -> Vec<Case<'_>> {
    let (team, full) = (&world.team, "limit_reached");
    let (workspace, name) = ([&*world.ids.workspace], json!({"name": "One more"}));
    let invited = json!({"email": "x@example.org", "role": "viewer"});
    let accept = world.at("POST /api/v1/invitations/{id}/accept", &[&world.invitation]);
    let create = world.at("POST /api/v1/workspaces", &[]).json(&name);
    let invite = of(world, "POST /invitations", &workspace, &invited);
    let project = of(world, "POST /projects", &workspace, &name);
    vec![
        accept.by(&team.eve).is(409, full),
        create.by(&team.eve).is(409, full),
        invite.by(&team.olga).is(409, full),
        project.by(&team.olga).is(409, full),
    ]
}
