//! Ids of other workspaces: what is not the caller's is told from what is nowhere by nothing in the answer.

use http::Method;
use serde_json::{Value, json};

use super::routes::{Ids, MUTATING, all};
use crate::answer::Answer;
use crate::store::Store;
use crate::support::{Ask, Poll};
use crate::team::{Person, Team, text, workspace};

on_every_store! {
    foreign_ids_are_answered_as_ids_of_nothing
}

/// Routes with an id that everybody may read by it, and what says so.
const PUBLIC: &[&str] = &[
    // Names belong to votes and memberships; addresses are never in it.
    "/api/v1/users/{id}",
];

/// What is nowhere.
const NOTHING: &str = "018f3c6e-0000-7000-8000-000000000001";

/// All that was answered, but for what is another for each request.
fn answered(answer: &Answer) -> (u16, Vec<(String, String)>, Value) {
    let headers = answer.headers.iter();
    let headers = headers
        .filter(|(name, _)| !["date", "x-request-id", "content-length"].contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let mut body = match answer.body.is_empty() {
        true => Value::Null,
        false => answer.json(),
    };
    if let Some(body) = body.as_object_mut() {
        body.remove("request_id");
        body.remove("instance");
    }
    (answer.status.as_u16(), headers.collect(), body)
}

/// What Eve has in a workspace of her own, of which nobody in the team knows: a draft among it.
pub(crate) async fn of_eve(team: &Team) -> Ids {
    let path = workspace(&team.server, &team.eve, "Cellar").await;
    let post = async |rest: &str, body: Value| {
        let ask = team.server.post(format!("{path}{rest}"), &body);
        let made = ask.bearer(&team.eve.token).await;
        assert_eq!(made.status, 201, "{}", made.text());
        text(&made.json()["id"])
    };
    let project = post("/projects", json!({"name": "Wine"})).await;
    let invited = json!({"email": "ivy@example.org", "role": "viewer"});
    let invitation = post("/invitations", invited).await;
    let fields = json!({"project_id": project});
    let poll = team.new_poll(&team.eve, &fields).await;
    let poll = Poll::of(&poll.json());
    Ids {
        poll: poll.id,
        option: poll.options[0].clone(),
        workspace: path.rsplit('/').next().unwrap().to_owned(),
        project,
        member: team.eve.id.clone(),
        invitation,
    }
}

/// The ids with which a route is tried: a foreign one, and in its place one of nothing.
fn pairs(own: &Ids, foreign: &Ids, template: &str) -> Vec<(Ids, Ids)> {
    let nothing = || NOTHING.to_owned();
    let nowhere = Ids {
        poll: nothing(),
        workspace: nothing(),
        project: nothing(),
        invitation: nothing(),
        member: nothing(),
        option: foreign.option.clone(),
    };
    let mut pairs = vec![(foreign.clone(), nowhere.clone())];
    if template.matches('{').count() > 1 {
        // A thing of another workspace, asked for in the caller's own.
        let inside = |ids: &Ids| Ids {
            workspace: own.workspace.clone(),
            ..ids.clone()
        };
        pairs.push((inside(foreign), inside(&nowhere)));
        // The caller's own thing, asked for in another workspace.
        let outside = |ids: &Ids| Ids {
            workspace: ids.workspace.clone(),
            ..own.clone()
        };
        pairs.push((outside(foreign), outside(&nowhere)));
    }
    pairs
}

async fn foreign_ids_are_answered_as_ids_of_nothing(store: Store) {
    let team = Team::on(store).await;
    let poll = team.poll(json!({"publish": true})).await;
    let (own, foreign) = (Ids::of(&team, &poll).await, of_eve(&team).await);
    let mut tried = 0;
    let mut same = async |what: &str, person: Option<&Person>, one: Ask, other: Ask| {
        let send = async |ask: Ask| match person {
            Some(Person { token, .. }) => ask.bearer(token).await,
            None => ask.await,
        };
        let (one, other) = (send(one).await, send(other).await);
        assert!(one.status.is_client_error(), "{what}: {}", one.text());
        assert_eq!(answered(&one), answered(&other), "{what}");
        tried += 1;
    };
    for (method, template) in all(&team.server) {
        if !template.contains('{') || PUBLIC.contains(&template) && method == "GET" {
            continue;
        }
        let method: Method = method.parse().unwrap();
        for (one, other) in pairs(&own, &foreign, template) {
            for person in [Some(&team.olga), Some(&team.vera), None] {
                let ask = |ids: &Ids| ids.ask(&team.server, &method, template);
                let what = format!("{method} {template}");
                same(&what, person, ask(&one), ask(&other)).await;
            }
        }
    }
    // Ids in bodies and in queries.
    let server = &team.server;
    let projects = [&*foreign.project, NOTHING];
    let [one, other] = projects.map(|id| team.new_poll(&team.olga, &json!({"project_id": id})));
    same("a project to create in", None, one, other).await;
    let [one, other] = projects.map(|id| server.get(format!("/api/v1/polls?project_id={id}")));
    same("a project to list", Some(&team.olga), one, other).await;
    let [one, other] = [&*foreign.option, NOTHING].map(|id| {
        let body = json!({"option_id": id});
        server.post(poll.path("/votes"), &body)
    });
    same("an option of a draft", Some(&team.olga), one, other).await;
    let [one, other] = [&*foreign.poll, NOTHING].map(|id| {
        let body = json!({"pollId": id, "optionId": foreign.option, "userId": "a"});
        server.post("/vote", &body)
    });
    same("a draft to vote in", Some(&team.olga), one, other).await;
    assert!(tried > MUTATING.len(), "the routes were walked");
}
