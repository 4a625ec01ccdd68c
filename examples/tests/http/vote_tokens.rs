//! One-time vote tokens: who votes with them, what they see, and what ends them.

use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::event_stream::Events;
use crate::store::Store;
use crate::support::{Poll, Server};

on_every_store! {
    a_token_has_one_ballot_which_its_holder_reads_changes_and_withdraws
    a_vote_with_a_token_is_retried_like_any_other
    two_votes_with_one_token_at_once_are_one_ballot
    only_who_holds_a_good_token_of_the_poll_votes
    a_revoked_token_is_good_for_nothing_and_its_vote_stays
    a_batch_holds_the_holders_own_ballot_only
    the_holder_of_a_token_sees_the_results_from_the_own_vote_on
    deleting_a_poll_ends_its_tokens
}

/// A published poll for tokens, and so many of them.
pub(crate) async fn poll_with(
    server: &Server,
    tokens: usize,
    fields: Value,
) -> (Poll, Vec<String>) {
    let mut body = json!({"voters": "tokens"});
    let more = fields.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(more);
    let poll = server.poll(body).await;
    let tokens = if tokens > 0 {
        made(&make(server, &poll, tokens).await)
    } else {
        Vec::new()
    };
    (poll, tokens)
}

pub(crate) async fn make(server: &Server, poll: &Poll, count: usize) -> Answer {
    let ask = server.post(poll.path("/tokens"), &json!({"count": count}));
    ask.bearer(&poll.token).await
}

pub(crate) fn made(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), "no-store");
    let tokens = answer.json()["tokens"].as_array().unwrap().clone();
    let text = |token: Value| token.as_str().unwrap().to_owned();
    tokens.into_iter().map(text).collect()
}

pub(crate) async fn vote(server: &Server, poll: &Poll, position: usize, token: &str) -> Answer {
    let body = json!({"option_id": poll.options[position]});
    server.post(poll.path("/votes"), &body).bearer(token).await
}

pub(crate) async fn revoke(server: &Server, poll: &Poll, which: Value) -> Answer {
    let ask = server.post(poll.path("/tokens/revoke"), &which);
    ask.bearer(&poll.token).await
}

pub(crate) async fn counts(server: &Server, poll: &Poll) -> Value {
    let answer = server.get(poll.path("/tokens")).bearer(&poll.token).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn a_token_has_one_ballot_which_its_holder_reads_changes_and_withdraws(store: Store) {
    let server = Server::on(store).await;
    let (poll, tokens) = poll_with(&server, 2, json!({"allow_change": true})).await;
    let own = |method| {
        server
            .request(method, poll.path("/vote"))
            .bearer(&tokens[0])
    };
    own(Method::GET).await.refuses(404, "vote_not_found");
    let first = vote(&server, &poll, 0, &tokens[0]).await;
    assert_eq!(first.status, 201, "{}", first.text());
    // Not even its holder is named.
    assert_eq!(first.json().get("voter"), None);
    let read = own(Method::GET).await.json();
    assert_eq!(read["option_ids"], json!([poll.options[0]]), "{read}");
    let changed = own(Method::PUT).json(&json!({"option_id": poll.options[1]}));
    assert_eq!(changed.await.status, 200);
    let other = vote(&server, &poll, 1, &tokens[1]).await;
    assert_eq!(other.status, 201);
    let results = server.get(poll.path("/results")).await.json();
    assert_eq!(results["options"][1]["votes"], 2, "{results}");
    let expected = json!({"made": 2, "used": 2, "revoked": 0});
    assert_eq!(counts(&server, &poll).await, expected);
    assert_eq!(own(Method::DELETE).await.status, 204);
    let expected = json!({"made": 2, "used": 1, "revoked": 0});
    assert_eq!(counts(&server, &poll).await, expected);
    assert_eq!(vote(&server, &poll, 0, &tokens[0]).await.status, 201);
}

async fn a_vote_with_a_token_is_retried_like_any_other(store: Store) {
    let server = Server::on(store).await;
    let (poll, tokens) = poll_with(&server, 1, json!({})).await;
    let first = vote(&server, &poll, 0, &tokens[0]).await.json();
    let again = vote(&server, &poll, 0, &tokens[0]).await;
    assert_eq!(again.status, 200);
    for field in ["ballot_id", "cast_at"] {
        assert_eq!(again.json()[field], first[field]);
    }
    let other = vote(&server, &poll, 1, &tokens[0]).await;
    other.refuses(409, "already_voted");
    let close = server.request(Method::POST, poll.path("/close"));
    close.bearer(&poll.token).await;
    assert_eq!(vote(&server, &poll, 0, &tokens[0]).await.status, 200);
}

async fn two_votes_with_one_token_at_once_are_one_ballot(store: Store) {
    let server = Server::on(store).await;
    let (poll, tokens) = poll_with(&server, 5, json!({})).await;
    let votes = tokens.iter().flat_map(|token| [(token, 0), (token, 1)]);
    let votes = votes.map(|(token, position)| vote(&server, &poll, position, token));
    let statuses: Vec<u16> = join_all(votes)
        .await
        .iter()
        .map(|answer| answer.status.as_u16())
        .collect();
    for pair in statuses.chunks(2) {
        let mut pair = pair.to_vec();
        pair.sort_unstable();
        assert_eq!(pair, [201, 409]);
    }
    let results = server.get(poll.path("/results")).await.json();
    assert_eq!(results["ballots"], 5);
}

async fn only_who_holds_a_good_token_of_the_poll_votes(store: Store) {
    let server = Server::on(store).await;
    let (poll, tokens) = poll_with(&server, 1, json!({})).await;
    let (_, elsewhere) = poll_with(&server, 1, json!({})).await;
    let (_, ada) = server.user("ada").await;
    let body = json!({"option_id": poll.options[0]});
    let nobody = server.post(poll.path("/votes"), &body).await;
    nobody.refuses(401, "unauthorized");
    for (token, status, code) in [
        (
            "pv_c29tZWJvZHkgZ3Vlc3NlZCB0aGlzIHRva2VuIGhlcmU",
            401,
            "unauthorized",
        ),
        ("pv_", 401, "unauthorized"),
        // Who manages the poll, or has an account, is no voter of it.
        (&*poll.token, 401, "unauthorized"),
        (&*ada, 401, "unauthorized"),
        (&*elsewhere[0], 403, "forbidden"),
    ] {
        vote(&server, &poll, 0, token).await.refuses(status, code);
    }
    // Nobody says who votes.
    let named = server.post(poll.path("/votes"), &poll.vote(0, "ada"));
    let named = named.bearer(&tokens[0]).await;
    named.refuses(403, "forbidden");
    let read = server.get(poll.path("/vote?voter=ada")).bearer(&tokens[0]);
    read.await.refuses(403, "forbidden");
    // A bad token is refused where none is needed too.
    let read = server.get(poll.path("")).bearer("pv_x").await;
    read.refuses(401, "unauthorized");
    assert_eq!(counts(&server, &poll).await["used"], 0);
}

async fn a_revoked_token_is_good_for_nothing_and_its_vote_stays(store: Store) {
    let server = Server::on(store).await;
    let (poll, tokens) = poll_with(&server, 2, json!({"allow_change": true})).await;
    assert_eq!(vote(&server, &poll, 0, &tokens[0]).await.status, 201);
    let which = json!({"tokens": tokens});
    let revoked = revoke(&server, &poll, which).await;
    assert_eq!(
        (revoked.status.as_u16(), revoked.json()),
        (200, json!({"revoked": 2}))
    );
    let body = json!({"option_id": poll.options[1]});
    for token in &tokens {
        for ask in [
            server.post(poll.path("/votes"), &body),
            server.request(Method::PUT, poll.path("/vote")).json(&body),
            server.request(Method::DELETE, poll.path("/vote")),
            server.get(poll.path("/vote")),
            server.get(poll.path("")),
            server.get(poll.path("/events")),
        ] {
            ask.bearer(token).await.refuses(401, "unauthorized");
        }
    }
    let results = server.get(poll.path("/results")).await.json();
    assert_eq!(results["ballots"], 1);
    let expected = json!({"made": 2, "used": 1, "revoked": 2});
    assert_eq!(counts(&server, &poll).await, expected);
}

async fn a_batch_holds_the_holders_own_ballot_only(store: Store) {
    let server = Server::on(store).await;
    let (poll, tokens) = poll_with(&server, 1, json!({})).await;
    let own = json!({"option_id": poll.options[0]});
    let ballots = json!({"ballots": [own, poll.vote(0, "bob"), own]});
    let batch = async |token: &str| {
        let ask = server.post(poll.path("/votes/batch"), &ballots);
        let outcomes = ask.bearer(token).await.json();
        let outcomes = outcomes["outcomes"].as_array().unwrap().clone();
        let status = |outcome: &Value| outcome["status"].as_u64().unwrap();
        outcomes.iter().map(status).collect::<Vec<_>>()
    };
    assert_eq!(batch(&tokens[0]).await, [201, 403, 200]);
    // Who manages the poll votes for nobody.
    assert_eq!(batch(&poll.token).await, [401, 403, 401]);
}

async fn the_holder_of_a_token_sees_the_results_from_the_own_vote_on(store: Store) {
    let server = Server::on(store).await;
    let fields = json!({"show_results": "after_vote"});
    let (poll, tokens) = poll_with(&server, 2, fields).await;
    let results = |token: &str| server.get(poll.path("/results")).bearer(token);
    results(&tokens[0]).await.refuses(403, "results_hidden");
    let mut events = Events::open(server.get(poll.path("/events")).bearer(&tokens[0])).await;
    assert_eq!(events.named("error").await["code"], "results_hidden");
    assert_eq!(vote(&server, &poll, 0, &tokens[0]).await.status, 201);
    assert_eq!(events.results().await["ballots"], 1);
    assert_eq!(results(&tokens[0]).await.status, 200);
    results(&tokens[1]).await.refuses(403, "results_hidden");
}

async fn deleting_a_poll_ends_its_tokens(store: Store) {
    let server = Server::on(store).await;
    let (poll, tokens) = poll_with(&server, 1, json!({})).await;
    let delete = server.request(Method::DELETE, poll.path(""));
    assert_eq!(delete.bearer(&poll.token).await.status, 204);
    vote(&server, &poll, 0, &tokens[0])
        .await
        .refuses(401, "unauthorized");
    make(&server, &poll, 1).await.refuses(404, "poll_not_found");
}
