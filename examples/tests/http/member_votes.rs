//! Polls for the members of a workspace.

use http::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::event_stream::Events;
use crate::store::Store;
use crate::support::Poll;
use crate::team::{Person, Team};

on_every_store! {
    members_vote_once_whatever_they_are
    who_is_no_member_does_not_vote
    who_was_removed_votes_no_more_and_their_vote_stays
    a_poll_for_members_belongs_to_a_project
    members_change_withdraw_and_read_their_vote
    a_member_who_has_voted_sees_the_results
    a_batch_holds_the_own_ballot_of_a_member
}

async fn vote(team: &Team, person: &Person, poll: &Poll) -> Answer {
    let vote = json!({"option_id": poll.options[0]});
    let ask = team.server.post(poll.path("/votes"), &vote);
    ask.bearer(&person.token).await
}

async fn for_members(team: &Team, mut fields: Value) -> Poll {
    let object = fields.as_object_mut().unwrap();
    object.insert("voters".into(), json!("members"));
    object.insert("publish".into(), json!(true));
    team.poll(fields).await
}

async fn ballots(team: &Team, poll: &Poll) -> Value {
    let results = team.server.get(poll.path("/results"));
    results.bearer(&team.olga.token).await.json()["ballots"].clone()
}

async fn members_vote_once_whatever_they_are(store: Store) {
    let team = Team::on(store).await;
    let poll = for_members(&team, json!({})).await;
    for person in [&team.olga, &team.cora, &team.vera] {
        let voted = vote(&team, person, &poll).await;
        assert_eq!(voted.status, 201, "{}", voted.text());
        assert!(voted.json().get("voter").is_none());
        assert_eq!(vote(&team, person, &poll).await.status, 200);
        let other = json!({"option_id": poll.options[1]});
        let other = team.server.post(poll.path("/votes"), &other);
        let other = other.bearer(&person.token).await;
        other.refuses(409, "already_voted");
    }
    assert_eq!(ballots(&team, &poll).await, 3);
}

async fn who_is_no_member_does_not_vote(store: Store) {
    let team = Team::on(store).await;
    let poll = for_members(&team, json!({"allow_change": true})).await;
    let body = json!({"option_id": poll.options[0]});
    let requests = [
        (Method::POST, poll.path("/votes"), body.clone()),
        (Method::PUT, poll.path("/vote"), body.clone()),
        (Method::DELETE, poll.path("/vote"), Value::Null),
        (Method::GET, poll.path("/vote"), Value::Null),
    ];
    for (method, path, body) in requests {
        let ask = || team.server.request(method.clone(), &*path).json(&body);
        ask()
            .bearer(&team.eve.token)
            .await
            .refuses(403, "forbidden");
        ask().await.refuses(401, "unauthorized");
    }
    // A voter who is named is none: members vote as themselves.
    for person in [&team.vera, &team.olga] {
        let named = team.server.post(poll.path("/votes"), &poll.vote(0, "x"));
        named.bearer(&person.token).await.refuses(403, "forbidden");
    }
    // Whoever knows its id may read it, as with every published poll.
    let read = team.server.get(poll.path("")).bearer(&team.eve.token).await;
    assert_eq!(read.json()["voters"], "members");
    assert_eq!(ballots(&team, &poll).await, 0);
}

async fn who_was_removed_votes_no_more_and_their_vote_stays(store: Store) {
    let team = Team::on(store).await;
    let (first, second) = (
        for_members(&team, json!({"allow_change": true})).await,
        for_members(&team, json!({})).await,
    );
    assert_eq!(vote(&team, &team.vera, &first).await.status, 201);
    let removed = team.deletes(&team.olga, &team.member(&team.vera)).await;
    assert_eq!(removed.status, 204);
    for poll in [&first, &second] {
        vote(&team, &team.vera, poll)
            .await
            .refuses(403, "forbidden");
    }
    let withdrawn = team.server.request(Method::DELETE, first.path("/vote"));
    let withdrawn = withdrawn.bearer(&team.vera.token).await;
    withdrawn.refuses(403, "forbidden");
    assert_eq!(ballots(&team, &first).await, 1);
    // Who joins may vote from then on, and who comes back has voted.
    team.joins(&team.eve, "viewer").await;
    team.joins(&team.vera, "viewer").await;
    assert_eq!(vote(&team, &team.eve, &second).await.status, 201);
    assert_eq!(vote(&team, &team.vera, &first).await.status, 200);
    assert_eq!(ballots(&team, &first).await, 1);
}

async fn a_poll_for_members_belongs_to_a_project(store: Store) {
    let team = Team::on(store).await;
    let new = |voters: &str| {
        let body = json!({"question": "Q", "options": ["A", "B"], "voters": voters});
        team.server
            .post("/api/v1/polls", &body)
            .bearer(&team.olga.token)
    };
    let refused = new("members").await;
    refused.refuses_field(422, "invalid", "/voters");
    let own = Poll::of(&new("anyone").await.json());
    let edit = |poll: &Poll| {
        let ask = team.server.request(Method::PATCH, poll.path(""));
        ask.json(&json!({"voters": "members"}))
            .bearer(&team.olga.token)
    };
    edit(&own).await.refuses_field(422, "invalid", "/voters");
    let draft = team.poll(json!({"voters": "anyone"})).await;
    assert_eq!(edit(&draft).await.json()["voters"], "members");
}

async fn members_change_withdraw_and_read_their_vote(store: Store) {
    let team = Team::on(store).await;
    let poll = for_members(&team, json!({"allow_change": true})).await;
    let ask = |method: Method, body: Value| {
        let ask = team.server.request(method, poll.path("/vote")).json(&body);
        ask.bearer(&team.vera.token)
    };
    let choose = |option: usize| json!({"option_id": poll.options[option]});
    assert_eq!(ask(Method::PUT, choose(0)).await.status, 201);
    assert_eq!(ask(Method::PUT, choose(1)).await.status, 200);
    let own = ask(Method::GET, Value::Null).await.json();
    assert_eq!(own["option_ids"], json!([poll.options[1]]));
    assert_eq!(ask(Method::DELETE, Value::Null).await.status, 204);
    let none = ask(Method::GET, Value::Null).await;
    none.refuses(404, "vote_not_found");
    assert_eq!(ballots(&team, &poll).await, 0);
}

async fn a_member_who_has_voted_sees_the_results(store: Store) {
    let team = Team::on(store).await;
    let poll = for_members(&team, json!({"show_results": "after_vote"})).await;
    let results = async |person: &Person| {
        let ask = team.server.get(poll.path("/results"));
        ask.bearer(&person.token).await
    };
    results(&team.vera).await.refuses(403, "results_hidden");
    results(&team.eve).await.refuses(403, "results_hidden");
    let ask = team
        .server
        .get(poll.path("/events"))
        .bearer(&team.vera.token);
    let mut events = Events::open(ask).await;
    assert_eq!(events.named("error").await["code"], "results_hidden");
    assert_eq!(vote(&team, &team.vera, &poll).await.status, 201);
    assert_eq!(events.results().await["ballots"], 1);
    assert_eq!(results(&team.vera).await.json()["ballots"], 1);
    results(&team.eve).await.refuses(403, "results_hidden");
    // Who is no member any more does not look as a voter either.
    let removed = team.deletes(&team.olga, &team.member(&team.vera)).await;
    assert_eq!(removed.status, 204);
    results(&team.vera).await.refuses(403, "results_hidden");
}

async fn a_batch_holds_the_own_ballot_of_a_member(store: Store) {
    let team = Team::on(store).await;
    let poll = for_members(&team, json!({})).await;
    let body = json!({"ballots": [{"option_id": poll.options[0]}, poll.vote(0, "x")]});
    for (person, expected) in [(&team.vera, [201, 403]), (&team.eve, [403, 403])] {
        let ask = team.server.post(poll.path("/votes/batch"), &body);
        let outcomes = ask.bearer(&person.token).await.json();
        let outcomes = outcomes["outcomes"].as_array().unwrap().iter();
        let statuses: Vec<_> = outcomes.map(|outcome| outcome["status"].clone()).collect();
        assert_eq!(statuses, expected.map(Value::from));
    }
    assert_eq!(ballots(&team, &poll).await, 1);
}
