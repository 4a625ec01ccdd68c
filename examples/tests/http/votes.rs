//! Votes: cast, repeated, read, changed, withdrawn.

use http::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::store::Store;
use crate::support::{Poll, Server};

on_every_store! {
    a_vote_is_answered_with_its_receipt
    the_same_vote_again_gives_the_same_receipt
    a_second_vote_is_refused_by_what_it_is
    the_idempotency_key_is_the_ballot_id
    a_ballot_must_fit_its_poll
    who_may_vote_is_the_polls_to_say
    a_scheduled_poll_takes_no_votes_yet
    ones_own_vote_is_read_changed_and_withdrawn
    a_voter_may_stand_in_the_query_of_a_change
    a_vote_that_may_not_be_changed_is_not
}

const BALLOT: &str = "018f3c6e-0000-7000-8000-000000000001";
const OTHER_BALLOT: &str = "018f3c6e-0000-7000-8000-000000000002";

fn with_id(mut vote: Value, id: &str) -> Value {
    vote["ballot_id"] = json!(id);
    vote
}

async fn cast(server: &Server, poll: &Poll, body: Value) -> Answer {
    server.post(poll.path("/votes"), &body).await
}

async fn a_vote_is_answered_with_its_receipt(store: Store) {
    let server = Server::on(store).await;
    let poll = server.poll(json!({})).await;
    let answer = cast(&server, &poll, poll.vote(0, "ada")).await;
    assert_eq!(answer.status, 201);
    let receipt = answer.json();
    assert_eq!(receipt["poll_id"], poll.id.as_str());
    assert_eq!(receipt["voter"], "ada");
    assert_eq!(receipt["revision"], 2);
    let mut fields: Vec<_> = receipt.as_object().unwrap().keys().cloned().collect();
    fields.sort();
    assert_eq!(
        fields,
        ["ballot_id", "cast_at", "poll_id", "revision", "voter"]
    );
    let results = server.get(poll.path("/results")).await.json();
    assert_eq!(results["revision"], 2);
    assert_eq!(results["options"][0]["votes"], 1);
}

async fn the_same_vote_again_gives_the_same_receipt(store: Store) {
    let server = Server::on(store).await;
    let poll = server.poll(json!({})).await;
    let vote = with_id(poll.vote(0, "ada"), BALLOT);
    let first = cast(&server, &poll, vote.clone()).await;
    assert_eq!(
        (first.status.as_u16(), &first.json()["ballot_id"]),
        (201, &json!(BALLOT))
    );
    for again in [vote.clone(), poll.vote(0, "ada")] {
        let again = cast(&server, &poll, again).await;
        assert_eq!(again.status, 200);
        assert_eq!(again.json(), first.json());
    }
    let close = server.request(Method::POST, poll.path("/close"));
    close.bearer(&poll.token).await;
    let late = cast(&server, &poll, vote).await;
    assert_eq!(
        (late.status.as_u16(), late.json()["cast_at"].clone()),
        (200, first.json()["cast_at"].clone())
    );
    let other = cast(&server, &poll, poll.vote(0, "bob")).await;
    other.refuses(409, "poll_closed");
}

async fn a_second_vote_is_refused_by_what_it_is(store: Store) {
    let server = Server::on(store).await;
    let poll = server.poll(json!({})).await;
    cast(&server, &poll, with_id(poll.vote(0, "ada"), BALLOT)).await;
    let refused = async |vote, code| cast(&server, &poll, vote).await.refuses(409, code);
    refused(poll.vote(1, "ada"), "already_voted").await;
    refused(with_id(poll.vote(0, "ada"), OTHER_BALLOT), "already_voted").await;
    refused(with_id(poll.vote(1, "ada"), BALLOT), "ballot_id_reused").await;
}

async fn the_idempotency_key_is_the_ballot_id(store: Store) {
    let server = Server::on(store).await;
    let poll = server.poll(json!({})).await;
    let ask = |key: &str, vote: Value| {
        let ask = server.post(poll.path("/votes"), &vote);
        ask.header("idempotency-key", key)
    };
    let first = ask(BALLOT, poll.vote(0, "ada")).await;
    assert_eq!(
        (first.status.as_u16(), &first.json()["ballot_id"]),
        (201, &json!(BALLOT))
    );
    let quoted = ask(&format!("\"{BALLOT}\""), poll.vote(0, "ada")).await;
    assert_eq!(quoted.status, 200);
    let both = ask(BALLOT, with_id(poll.vote(0, "ada"), BALLOT)).await;
    assert_eq!(both.status, 200);
    let differs = ask(OTHER_BALLOT, with_id(poll.vote(0, "ada"), BALLOT)).await;
    differs.refuses_field(422, "invalid", "/ballot_id");
    let no_uuid = ask("7", poll.vote(0, "bob")).await;
    no_uuid.refuses_field(422, "invalid", "/Idempotency-Key");
    ask(BALLOT, poll.vote(1, "ada"))
        .await
        .refuses(409, "ballot_id_reused");
}

async fn a_ballot_must_fit_its_poll(store: Store) {
    let server = Server::on(store).await;
    let choice =
        json!({"choice": {"type": "multiple", "min": 1, "max": 2}, "options": ["A", "B", "C"]});
    let poll = server.poll(choice).await;
    let [a, b, c] = [0, 1, 2].map(|position: usize| poll.options[position].as_str());
    let refused = async |options: Value, status, code, pointer| {
        let body = json!({"option_ids": options, "voter": "ada"});
        let answer = cast(&server, &poll, body).await;
        answer.refuses_field(status, code, pointer);
    };
    refused(json!([a, a]), 422, "selection_invalid", "/option_ids").await;
    refused(json!([a, b, c]), 422, "selection_invalid", "/option_ids").await;
    refused(json!([]), 422, "selection_invalid", "/option_ids").await;
    refused(json!([a, BALLOT]), 422, "option_unknown", "/option_ids/1").await;
    refused(json!([a, "x"]), 422, "invalid", "/option_ids/1").await;
    for (body, pointer) in [
        (json!({"voter": "ada"}), "/option_id"),
        (
            json!({"voter": "ada", "option_id": a, "option_ids": [a]}),
            "/option_ids",
        ),
        (json!({"voter": "", "option_id": a}), "/voter"),
        (json!({"voter": "a".repeat(201), "option_id": a}), "/voter"),
        (json!({"voter": 7, "option_id": a}), "/voter"),
        (
            json!({"voter": "ada", "option_id": a, "optoin": 1}),
            "/optoin",
        ),
    ] {
        cast(&server, &poll, body)
            .await
            .refuses_field(422, "invalid", pointer);
    }
    let both_ways = json!({"option_ids": [c, a], "voter": "ada"});
    assert_eq!(cast(&server, &poll, both_ways).await.status, 201);
    let turned = json!({"option_ids": [a, c], "voter": "ada"});
    assert_eq!(cast(&server, &poll, turned).await.status, 200);
}

async fn who_may_vote_is_the_polls_to_say(store: Store) {
    let server = Server::on(store).await;
    let vouched = server.poll(json!({"voters": "vouched"})).await;
    let vote = server.post(vouched.path("/votes"), &vouched.vote(0, "ada"));
    vote.await.refuses(403, "forbidden");
    let vote = server.post(vouched.path("/votes"), &vouched.vote(0, "ada"));
    assert_eq!(vote.bearer(&vouched.token).await.status, 201);

    let registered = server.poll(json!({"voters": "registered"})).await;
    let own = json!({"option_id": registered.options[0]});
    cast(&server, &registered, own.clone())
        .await
        .refuses(401, "unauthorized");
    let (user, token) = server.user("ada").await;
    let vote = server.post(registered.path("/votes"), &registered.vote(0, &user));
    vote.bearer(&token).await.refuses(403, "forbidden");
    let vote = server
        .post(registered.path("/votes"), &own)
        .bearer(&token)
        .await;
    assert_eq!(vote.status, 201);
    assert_eq!(vote.json().get("voter"), None);
}

async fn a_scheduled_poll_takes_no_votes_yet(store: Store) {
    let server = Server::on(store).await;
    let poll = server
        .poll(json!({"opens_at": "2126-01-01T00:00:00Z"}))
        .await;
    cast(&server, &poll, poll.vote(0, "ada"))
        .await
        .refuses(409, "poll_not_open");
}

async fn ones_own_vote_is_read_changed_and_withdrawn(store: Store) {
    let server = Server::on(store).await;
    let poll = server.poll(json!({"allow_change": true})).await;
    let path = poll.path("/vote?voter=ada%20l.");
    let put = async |position| {
        let ask = server.request(Method::PUT, poll.path("/vote"));
        ask.json(&poll.vote(position, "ada l.")).await
    };
    server.get(&*path).await.refuses(404, "vote_not_found");
    assert_eq!(put(0).await.status, 201);
    assert_eq!(put(0).await.status, 200);
    let changed = put(1).await;
    assert_eq!(changed.status, 200);

    let own = server.get(&*path).await;
    assert_eq!(own.status, 200);
    assert_eq!(own.json()["option_ids"], json!([poll.options[1]]));
    assert_eq!(own.json()["ballot_id"], changed.json()["ballot_id"]);
    assert_eq!(own.json()["voter"], "ada l.");

    let withdraw = || server.request(Method::DELETE, &*path);
    let withdrawn = withdraw().await;
    assert_eq!((withdrawn.status.as_u16(), withdrawn.body.len()), (204, 0));
    withdraw().await.refuses(404, "vote_not_found");
    let again = with_id(
        poll.vote(0, "ada l."),
        own.json()["ballot_id"].as_str().unwrap(),
    );
    cast(&server, &poll, again)
        .await
        .refuses(409, "ballot_superseded");
    assert_eq!(
        cast(&server, &poll, poll.vote(0, "ada l.")).await.status,
        201
    );
}

async fn a_voter_may_stand_in_the_query_of_a_change(store: Store) {
    let server = Server::on(store).await;
    let poll = server.poll(json!({"allow_change": true})).await;
    let put = |query: &str, body: Value| {
        let ask = server.request(Method::PUT, poll.path("/vote") + query);
        ask.json(&body).header("idempotency-key", BALLOT)
    };
    let only_in_query = json!({"option_id": poll.options[0]});
    let changed = put("?voter=ada", only_in_query).await;
    assert_eq!(
        (changed.status.as_u16(), &changed.json()["voter"]),
        (201, &json!("ada"))
    );
    assert_eq!(changed.json()["ballot_id"], BALLOT);
    let differs = put("?voter=bob", poll.vote(0, "ada")).await;
    differs.refuses_field(422, "invalid", "/voter");
    put("", json!({"option_id": poll.options[0]}))
        .await
        .refuses(422, "voter_required");
}

async fn a_vote_that_may_not_be_changed_is_not(store: Store) {
    let server = Server::on(store).await;
    let poll = server.poll(json!({})).await;
    cast(&server, &poll, poll.vote(0, "ada")).await;
    let put = server.request(Method::PUT, poll.path("/vote"));
    put.json(&poll.vote(1, "ada"))
        .await
        .refuses(409, "change_not_allowed");
    let withdraw = server.request(Method::DELETE, poll.path("/vote?voter=ada"));
    withdraw.await.refuses(409, "change_not_allowed");
}
