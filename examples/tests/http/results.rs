//! Results, read once: their form, their visibility, and what caches are told.

use http::Method;
use serde_json::{Value, json};

use crate::store::Store;
use crate::support::{Poll, Server};

on_every_store! {
    results_have_every_field_of_the_contract
    a_client_that_holds_the_revision_gets_no_body
    visibility_is_checked_before_what_the_client_holds
    who_has_voted_sees_what_is_shown_after_voting
    nobody_looks_with_the_eyes_of_a_voter_whom_they_may_not_be
    a_signed_in_user_sees_results_after_their_vote
}

async fn vote(server: &Server, poll: &Poll, voter: &str) {
    let answer = server.post(poll.path("/votes"), &poll.vote(0, voter)).await;
    assert_eq!(answer.status, 201);
}

async fn results_have_every_field_of_the_contract(store: Store) {
    let server = Server::on(store).await;
    let poll = server.poll(json!({})).await;
    vote(&server, &poll, "ada").await;
    let answer = server.get(poll.path("/results")).await;
    let expected = json!({
        "poll_id": poll.id, "revision": 2, "ballots": 1, "status": "open", "final": false,
        "options": [
            {"id": poll.options[0], "position": 0, "votes": 1},
            {"id": poll.options[1], "position": 1, "votes": 0},
        ],
    });
    assert_eq!(answer.json(), expected);
    assert_eq!(answer.header("etag"), "\"2\"");
    assert_eq!(answer.header("cache-control"), "no-cache");
}

async fn a_client_that_holds_the_revision_gets_no_body(store: Store) {
    let server = Server::on(store).await;
    let poll = server.poll(json!({})).await;
    let ask = |tag: &str| {
        server
            .get(poll.path("/results"))
            .header("if-none-match", tag)
    };
    for held in ["\"1\"", "W/\"1\"", "\"0\", \"1\"", "*"] {
        let answer = ask(held).await;
        assert_eq!(
            (answer.status.as_u16(), answer.body.len()),
            (304, 0),
            "{held}"
        );
        assert_eq!(answer.header("etag"), "\"1\"");
        assert_eq!(answer.header("cache-control"), "no-cache");
    }
    assert_eq!(ask("\"0\"").await.status, 200);
    vote(&server, &poll, "ada").await;
    assert_eq!(ask("\"1\"").await.header("etag"), "\"2\"");
}

async fn visibility_is_checked_before_what_the_client_holds(store: Store) {
    let server = Server::on(store).await;
    let poll = server.poll(json!({"show_results": "after_close"})).await;
    let ask = || {
        server
            .get(poll.path("/results"))
            .header("if-none-match", "*")
    };
    let hidden = ask().await;
    hidden.refuses(403, "results_hidden");
    assert_eq!(hidden.header("etag"), "");
    assert_eq!(
        server.get(poll.path("")).await.json()["results"],
        Value::Null
    );
    let manager = ask().bearer(&poll.token).await;
    assert_eq!(manager.status, 304);
    assert_eq!(manager.header("cache-control"), "private, no-cache");

    let close = server.request(Method::POST, poll.path("/close"));
    close.bearer(&poll.token).await;
    let visible = server.get(poll.path("/results")).await;
    assert_eq!(visible.json()["final"], true);
    assert_eq!(visible.header("cache-control"), "private, no-cache");
}

async fn who_has_voted_sees_what_is_shown_after_voting(store: Store) {
    let server = Server::on(store).await;
    let poll = server.poll(json!({"show_results": "after_vote"})).await;
    let read = async |query: &str| server.get(poll.path("/results") + query).await;
    read("").await.refuses(403, "results_hidden");
    read("?voter=ada").await.refuses(403, "results_hidden");
    vote(&server, &poll, "ada").await;
    let seen = read("?voter=ada").await;
    assert_eq!(
        (seen.status.as_u16(), &seen.json()["ballots"]),
        (200, &json!(1))
    );
    assert_eq!(seen.header("cache-control"), "private, no-cache");
    read("?voter=bob").await.refuses(403, "results_hidden");
    let poll_seen = server.get(poll.path("?voter=ada")).await.json();
    assert_eq!(poll_seen["results"]["ballots"], 1);
}

async fn nobody_looks_with_the_eyes_of_a_voter_whom_they_may_not_be(store: Store) {
    let server = Server::on(store).await;
    let vouched = server
        .poll(json!({"voters": "vouched", "show_results": "after_vote"}))
        .await;
    let registered = server
        .poll(json!({"voters": "registered", "show_results": "after_vote"}))
        .await;
    for poll in [vouched, registered] {
        for path in [
            poll.path("?voter=ada"),
            poll.path("/results?voter=ada"),
            poll.path("/events?voter=ada"),
        ] {
            server.get(path).await.refuses(403, "forbidden");
        }
    }
}

async fn a_signed_in_user_sees_results_after_their_vote(store: Store) {
    let server = Server::on(store).await;
    let (_, token) = server.user("ada").await;
    let body = json!({
        "question": "Q", "options": ["A", "B"], "publish": true, "show_results": "after_vote",
    });
    let created = server
        .post("/api/v1/polls", &body)
        .bearer(&token)
        .await
        .json();
    assert_eq!(created["voters"], "registered");
    assert_eq!(created.get("manage_token"), None);
    let poll = Poll::of(&created);
    let (_, voter) = server.user("bob").await;
    let read = || server.get(poll.path("/results")).bearer(&voter);
    read().await.refuses(403, "results_hidden");
    let vote = server.post(poll.path("/votes"), &json!({"option_id": poll.options[0]}));
    assert_eq!(vote.bearer(&voter).await.status, 201);
    assert_eq!(read().await.json()["ballots"], 1);
}
