//! Polls: created, listed, read, changed, published, closed, deleted.

use std::time::Duration;

use http::Method;
use polling_core::FakeClock;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::store::Store;
use crate::support::{Poll, Server, Start};

on_every_store! {
    a_poll_is_created_with_every_field_of_the_contract
    a_poll_takes_its_fields_under_their_other_names
    every_field_that_breaks_a_rule_is_named
    a_draft_is_there_for_its_managers_only
    publishing_and_closing_take_no_body_and_can_be_repeated
    managing_needs_the_right_credential
    a_poll_is_changed_as_far_as_its_status_lets_it
    a_deleted_poll_is_gone_for_everybody
    listed_polls_come_in_pages_newest_first
}

fn draft() -> Value {
    json!({"question": "Tea or coffee?", "options": ["Tea", {"text": "Coffee"}]})
}

async fn a_poll_is_created_with_every_field_of_the_contract(store: Store) {
    let server = Server::on(store).await;
    let answer = server.post("/api/v1/polls", &draft()).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("cache-control"), "no-store");
    let poll = answer.json();
    let id = poll["id"].as_str().unwrap();
    assert_eq!(answer.header("location"), format!("/api/v1/polls/{id}"));
    let expected = json!({
        "id": id, "question": "Tea or coffee?", "description": null, "status": "draft",
        "choice": {"type": "single"}, "voters": "anyone", "show_results": "always",
        "allow_change": false, "listed": false, "creator_id": null, "project_id": null, "opens_at": null,
        "closes_at": null, "version": 1, "created_at": poll["created_at"],
        "updated_at": poll["created_at"], "manage_token": poll["manage_token"],
        "options": [
            {"id": poll["options"][0]["id"], "position": 0, "text": "Tea"},
            {"id": poll["options"][1]["id"], "position": 1, "text": "Coffee"},
        ],
        "results": {
            "poll_id": id, "revision": 0, "ballots": 0, "status": "draft", "final": false,
            "options": [
                {"id": poll["options"][0]["id"], "position": 0, "votes": 0},
                {"id": poll["options"][1]["id"], "position": 1, "votes": 0},
            ],
        },
    });
    assert_eq!(poll, expected);
    assert!(poll["manage_token"].as_str().unwrap().starts_with("pm_"));
    assert!(poll["created_at"].as_str().unwrap().ends_with('Z'));
}

async fn a_poll_takes_its_fields_under_their_other_names(store: Store) {
    let server = Server::on(store).await;
    let body = json!({
        "title": "Which?", "options": ["A", "B", "C"], "description": "All of them.",
        "choice": {"type": "multiple", "max": 2}, "voters": "vouched", "listed": true,
        "show_results": "after_vote", "allow_change": true, "publish": true,
        "opens_at": "2126-12-01T10:00:00+02:00", "expired_at": "2126-12-02T12:00:00.1239Z",
    });
    let poll = server.post("/api/v1/polls", &body).await.json();
    assert_eq!(poll["question"], "Which?");
    assert_eq!(
        poll["choice"],
        json!({"type": "multiple", "min": 1, "max": 2})
    );
    assert_eq!(poll["status"], "scheduled");
    assert_eq!(poll["opens_at"], "2126-12-01T08:00:00.000Z");
    assert_eq!(poll["closes_at"], "2126-12-02T12:00:00.123Z");
    assert_eq!(poll["voters"], "vouched");
}

async fn every_field_that_breaks_a_rule_is_named(store: Store) {
    let server = Server::on(store).await;
    let body = json!({"options": ["Tea", "Tea"], "closes_at": "2020-01-01T00:00:00Z"});
    let answer = server.post("/api/v1/polls", &body).await;
    answer.refuses(422, "invalid");
    let problem = answer.json();
    let errors = problem["errors"].as_array().unwrap();
    let pointers: Vec<_> = errors.iter().map(|error| &error["pointer"]).collect();
    assert_eq!(pointers, ["/question", "/options/1", "/closes_at"]);
    assert!(errors.iter().all(|error| error["code"] == "invalid"));
}

async fn a_draft_is_there_for_its_managers_only(store: Store) {
    let server = Server::on(store).await;
    let poll = Poll::of(&server.post("/api/v1/polls", &draft()).await.json());
    for path in [poll.path(""), poll.path("/results"), poll.path("/events")] {
        server.get(path).await.refuses(404, "poll_not_found");
    }
    let other = server.poll(json!({})).await;
    let seen = server.get(poll.path("")).bearer(&other.token).await;
    seen.refuses(404, "poll_not_found");
    let seen = server.get(poll.path("")).bearer(&poll.token).await;
    assert_eq!(seen.json()["status"], "draft");
    assert_eq!(seen.json().get("manage_token"), None);
    let vote = server.post(poll.path("/votes"), &poll.vote(0, "ada"));
    vote.bearer(&poll.token).await.refuses(409, "poll_draft");
    let close = server.request(Method::POST, poll.path("/close"));
    close.bearer(&poll.token).await.refuses(409, "poll_draft");
}

async fn publishing_and_closing_take_no_body_and_can_be_repeated(store: Store) {
    let server = Server::on(store).await;
    let poll = Poll::of(&server.post("/api/v1/polls", &draft()).await.json());
    let step = async |step: &str, body: &'static str| -> Value {
        let ask = server.request(Method::POST, poll.path(step)).body(body);
        let answer = ask.bearer(&poll.token).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    };
    let published = step("/publish", "").await;
    assert_eq!(published["status"], "open");
    assert_eq!(step("/publish", "{}").await, published);
    server.post(poll.path("/votes"), &poll.vote(1, "ada")).await;
    let closed = step("/close", "not even JSON").await;
    assert_eq!(closed["status"], "closed");
    assert_eq!(closed["results"]["final"], true);
    assert_eq!(closed["results"]["options"][1]["votes"], 1);
    assert_eq!(step("/close", "").await, closed);
    assert_eq!(step("/publish", "").await, closed);
}

async fn managing_needs_the_right_credential(store: Store) {
    let server = Server::on(store).await;
    let (poll, other) = (server.poll(json!({})).await, server.poll(json!({})).await);
    let asks = [
        (Method::PATCH, ""),
        (Method::DELETE, ""),
        (Method::POST, "/publish"),
        (Method::POST, "/close"),
    ];
    for (method, rest) in asks {
        let ask = || server.request(method.clone(), poll.path(rest)).body("{}");
        let anonymous = ask().await;
        anonymous.refuses(401, "unauthorized");
        assert_eq!(anonymous.header("www-authenticate"), "Bearer");
        ask().bearer(&other.token).await.refuses(403, "forbidden");
    }
}

async fn patch(server: &Server, poll: &Poll, body: Value) -> Answer {
    let ask = server.request(Method::PATCH, poll.path(""));
    ask.json(&body).bearer(&poll.token).await
}

async fn a_poll_is_changed_as_far_as_its_status_lets_it(store: Store) {
    let server = Server::on(store).await;
    let poll = Poll::of(&server.post("/api/v1/polls", &draft()).await.json());
    let body = json!({"question": "Really?", "description": "Say.", "version": 1});
    let changed = patch(&server, &poll, body).await.json();
    assert_eq!(changed["question"], "Really?");
    assert_eq!(changed["version"], 2);
    let body = json!({"description": null, "version": 1});
    let stale = patch(&server, &poll, body).await;
    stale.refuses(409, "version_conflict");

    let poll = server.poll(json!({})).await;
    let fixed = patch(&server, &poll, json!({"options": ["A", "B"]})).await;
    fixed.refuses_field(409, "options_fixed", "/options");
    let listed = patch(&server, &poll, json!({"listed": true})).await;
    assert_eq!(listed.json()["listed"], true);
    let close = server.request(Method::POST, poll.path("/close"));
    close.bearer(&poll.token).await;
    let late = patch(&server, &poll, json!({"closes_at": "2126-01-01T00:00:00Z"})).await;
    late.refuses_field(409, "poll_closed", "/closes_at");
}

async fn a_deleted_poll_is_gone_for_everybody(store: Store) {
    let server = Server::on(store).await;
    let poll = server.poll(json!({})).await;
    let delete = || {
        let ask = server.request(Method::DELETE, poll.path(""));
        ask.bearer(&poll.token)
    };
    let deleted = delete().await;
    assert_eq!((deleted.status.as_u16(), deleted.body.len()), (204, 0));
    server
        .get(poll.path(""))
        .await
        .refuses(404, "poll_not_found");
    let vote = server.post(poll.path("/votes"), &poll.vote(0, "ada"));
    vote.await.refuses(404, "poll_not_found");
    delete().await.refuses(404, "poll_not_found");
}

async fn listed_polls_come_in_pages_newest_first(store: Store) {
    let clock = FakeClock::default();
    let start = Start {
        clock: Some(clock.clone()),
        ..Start::on(store)
    };
    let server = start.run().await;
    let mut newest_first = Vec::new();
    for _ in 0..5 {
        clock.advance(Duration::from_millis(1));
        newest_first.insert(0, server.poll(json!({"listed": true})).await.id);
    }
    let hidden = server.poll(json!({})).await;
    let mut seen = Vec::new();
    let mut query = "?limit=2&unknown=x".to_owned();
    loop {
        let page = server.get(format!("/api/v1/polls{query}")).await.json();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        seen.extend(
            items
                .iter()
                .map(|item| item["id"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else {
            assert_eq!(page["next_cursor"], Value::Null);
            break;
        };
        query = format!("?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, newest_first);
    let own = server
        .get("/api/v1/polls")
        .bearer(&hidden.token)
        .await
        .json();
    assert_eq!(own["items"].as_array().unwrap().len(), 6);
}
