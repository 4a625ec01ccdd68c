//! A viewer, a stranger and nobody try every route that changes something, and change nothing.

use serde_json::{Value, json};

use super::routes::{Entry, Ids, MUTATING, Of};
use crate::answer::Answer;
use crate::store::Store;
use crate::support::Poll;
use crate::team::{Person, Team};

on_every_store! {
    nobody_without_the_right_changes_anything
}

/// What a viewer, a stranger and nobody are told.
fn refusals((method, template, _): &Entry) -> [(u16, &'static str); 3] {
    let forbidden = (403, "forbidden");
    let nobody = (401, "unauthorized");
    match (method.as_str(), *template) {
        ("POST", "/api/v1/polls" | "/polls") => [forbidden, (404, "project_not_found"), nobody],
        (_, path) if path.contains("/invitations/{id}/") => {
            let missing = (404, "invitation_not_found");
            [missing, missing, nobody]
        }
        (_, path) if path.contains("/workspaces/") => {
            [forbidden, (404, "workspace_not_found"), nobody]
        }
        // Who vouches for nobody may not do so signed in either: no credential is missing.
        (_, path) if path.contains("/vote") => [forbidden; 3],
        _ => [forbidden, forbidden, nobody],
    }
}

/// A vouched poll of the team's project, which is open.
async fn poll(team: &Team) -> Poll {
    let fields = json!({"publish": true, "voters": "vouched", "allow_change": true});
    team.poll(fields).await
}

/// Status and code; of a batch that is judged ballot by ballot those of its one ballot.
fn told(answer: &Answer) -> (u16, String) {
    let json = answer.json();
    let said = match &json["outcomes"][0] {
        Value::Null => &json,
        outcome => outcome,
    };
    let status = said["status"].as_u64().unwrap();
    let code = said["code"].as_str().unwrap_or_default();
    (status.try_into().unwrap(), code.to_owned())
}

/// Everything of the team that a request could have changed, as its owner sees it.
async fn everything(team: &Team, poll: &Poll) -> Vec<Value> {
    let mut seen = Vec::new();
    for rest in ["", "/members", "/invitations", "/projects"] {
        seen.push(team.gets(&team.olga, rest).await.json());
    }
    let polls = format!("/api/v1/polls?project_id={}", team.project);
    let user = format!("/api/v1/users/{}", team.olga.id);
    for path in [poll.path(""), poll.path("/results"), polls, user] {
        let answer = team.server.get(path).bearer(&team.olga.token).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        seen.push(answer.json());
    }
    seen
}

async fn nobody_without_the_right_changes_anything(store: Store) {
    let team = Team::on(store).await;
    let poll = poll(&team).await;
    let ids = Ids::of(&team, &poll).await;
    let before = everything(&team, &poll).await;
    for entry in MUTATING.iter().filter(|entry| entry.2 == Of::Others) {
        let (method, template, _) = entry;
        let ask = || ids.ask(&team.server, method, template);
        let people = [Some(&team.vera), Some(&team.eve), None];
        for (person, (status, code)) in people.into_iter().zip(refusals(entry)) {
            let name = person.map_or("nobody", |person| person.name);
            let answer = match person {
                Some(Person { token, .. }) => ask().bearer(token).await,
                None => ask().await,
            };
            let told = told(&answer);
            assert_eq!(
                told,
                (status, code.to_owned()),
                "{name}: {method} {template}"
            );
        }
    }
    assert_eq!(everything(&team, &poll).await, before);
    assert_eq!(team.roles().await["vera"], "viewer");
}
