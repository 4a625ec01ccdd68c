//! One-time vote tokens: who makes them, who votes with them, and what ends them.

use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::event_stream::Events;
use crate::store::Store;
use crate::support::{Poll, Server, Start};

on_every_store! {
    a_token_has_one_ballot_which_its_holder_reads_changes_and_withdraws
    a_vote_with_a_token_is_retried_like_any_other
    two_votes_with_one_token_at_once_are_one_ballot
    only_who_holds_a_good_token_of_the_poll_votes
    only_who_manages_a_poll_makes_its_tokens
    what_cannot_be_made_is_told
    tokens_are_made_in_every_status_but_closed
    a_revoked_token_is_good_for_nothing_and_its_vote_stays
    tokens_are_revoked_one_by_one_or_all
    a_batch_holds_the_holders_own_ballot_only
    the_holder_of_a_token_sees_the_results_from_the_own_vote_on
    tokens_come_as_a_table_with_links
    a_hundred_thousand_tokens_come_in_one_answer
    deleting_a_poll_ends_its_tokens
}

/// A published poll for tokens, and so many of them.
async fn poll_with(server: &Server, tokens: usize, fields: Value) -> (Poll, Vec<String>) {
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

async fn make(server: &Server, poll: &Poll, count: usize) -> Answer {
    let ask = server.post(poll.path("/tokens"), &json!({"count": count}));
    ask.bearer(&poll.token).await
}

fn made(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), "no-store");
    let tokens = answer.json()["tokens"].as_array().unwrap().clone();
    let text = |token: Value| token.as_str().unwrap().to_owned();
    tokens.into_iter().map(text).collect()
}

async fn vote(server: &Server, poll: &Poll, position: usize, token: &str) -> Answer {
    let body = json!({"option_id": poll.options[position]});
    server.post(poll.path("/votes"), &body).bearer(token).await
}

async fn revoke(server: &Server, poll: &Poll, which: Value) -> Answer {
    let ask = server.post(poll.path("/tokens/revoke"), &which);
    ask.bearer(&poll.token).await
}

async fn counts(server: &Server, poll: &Poll) -> Value {
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

async fn only_who_manages_a_poll_makes_its_tokens(store: Store) {
    let server = Server::on(store).await;
    let (poll, tokens) = poll_with(&server, 1, json!({})).await;
    let draft = server
        .poll(json!({"voters": "tokens", "publish": false}))
        .await;
    let (_, ada) = server.user("ada").await;
    let (_, elsewhere) = poll_with(&server, 0, json!({})).await;
    assert!(elsewhere.is_empty());
    let unknown = Poll {
        id: "018f3c6e-0000-7000-8000-000000000001".into(),
        ..poll.clone()
    };
    let asks = |poll: &Poll| {
        [
            server.post(poll.path("/tokens"), &json!({"count": 1})),
            server.get(poll.path("/tokens")),
            server.post(poll.path("/tokens/revoke"), &json!({"all": true})),
        ]
    };
    for ask in asks(&poll) {
        ask.await.refuses(401, "unauthorized");
    }
    for stranger in [&ada, &tokens[0]] {
        for ask in asks(&poll) {
            ask.bearer(stranger).await.refuses(403, "forbidden");
        }
        for ask in asks(&draft).into_iter().chain(asks(&unknown)) {
            ask.bearer(stranger).await.refuses(404, "poll_not_found");
        }
    }
    let expected = json!({"made": 1, "used": 0, "revoked": 0});
    assert_eq!(counts(&server, &poll).await, expected);
}

async fn what_cannot_be_made_is_told(store: Store) {
    let mut start = Start::on(store);
    start.core.poll_tokens = 10;
    start.core.request_tokens = 8;
    start.core.request_revocations = 2;
    let server = start.run().await;
    let (poll, _) = poll_with(&server, 0, json!({})).await;
    for count in [0, 9, 100_001] {
        let answer = make(&server, &poll, count).await;
        answer.refuses_field(422, "invalid", "/count");
    }
    let ask = |body: Value| {
        let ask = server.post(poll.path("/tokens"), &body);
        ask.bearer(&poll.token)
    };
    for body in [json!({}), json!({"count": -1}), json!({"count": "7"})] {
        ask(body).await.refuses_field(422, "invalid", "/count");
    }
    let link = json!({"count": 1, "link_template": "=cmd|'{token}'"});
    ask(link)
        .await
        .refuses_field(422, "invalid", "/link_template");
    assert_eq!(made(&make(&server, &poll, 8).await).len(), 8);
    let too_many = make(&server, &poll, 3).await;
    too_many.refuses_field(422, "invalid", "/count");
    assert_eq!(counts(&server, &poll).await["made"], 8);
    for which in [
        json!({}),
        json!({"all": false}),
        json!({"tokens": [], "all": true}),
        json!({"tokens": ["a", "b", "c"]}),
    ] {
        let answer = revoke(&server, &poll, which).await;
        answer.refuses_field(422, "invalid", "/tokens");
    }
    let anyone = server.poll(json!({})).await;
    make(&server, &anyone, 1)
        .await
        .refuses(409, "poll_not_for_tokens");
    let read = server.get(anyone.path("/tokens")).bearer(&anyone.token);
    read.await.refuses(409, "poll_not_for_tokens");
    let all = revoke(&server, &anyone, json!({"all": true})).await;
    all.refuses(409, "poll_not_for_tokens");
}

async fn tokens_are_made_in_every_status_but_closed(store: Store) {
    let server = Server::on(store).await;
    let (draft, tokens) = poll_with(&server, 1, json!({"publish": false})).await;
    let early = vote(&server, &draft, 0, &tokens[0]).await;
    early.refuses(404, "poll_not_found");
    let publish = server.request(Method::POST, draft.path("/publish"));
    assert_eq!(publish.bearer(&draft.token).await.status, 200);
    assert_eq!(vote(&server, &draft, 0, &tokens[0]).await.status, 201);
    let later = json!({"opens_at": "2999-01-01T00:00:00Z"});
    let (scheduled, tokens) = poll_with(&server, 1, later).await;
    let early = vote(&server, &scheduled, 0, &tokens[0]).await;
    early.refuses(409, "poll_not_open");
    let close = server.request(Method::POST, scheduled.path("/close"));
    assert_eq!(close.bearer(&scheduled.token).await.status, 200);
    let late = make(&server, &scheduled, 1).await;
    late.refuses(409, "poll_closed");
    let late = vote(&server, &scheduled, 0, &tokens[0]).await;
    late.refuses(409, "poll_closed");
    // What is closed can still be read, and its tokens revoked.
    let all = revoke(&server, &scheduled, json!({"all": true})).await;
    assert_eq!(all.json(), json!({"revoked": 1}));
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

async fn tokens_are_revoked_one_by_one_or_all(store: Store) {
    let server = Server::on(store).await;
    let (poll, tokens) = poll_with(&server, 4, json!({})).await;
    let (_, elsewhere) = poll_with(&server, 1, json!({})).await;
    let some = json!({"tokens": [tokens[0], "pv_x", "", elsewhere[0]]});
    for expected in [1, 0] {
        let answer = revoke(&server, &poll, some.clone()).await;
        assert_eq!(answer.json(), json!({"revoked": expected}));
    }
    assert_eq!(vote(&server, &poll, 0, &tokens[1]).await.status, 201);
    for expected in [3, 0] {
        let answer = revoke(&server, &poll, json!({"all": true})).await;
        assert_eq!(answer.json(), json!({"revoked": expected}));
    }
    vote(&server, &poll, 0, &tokens[2])
        .await
        .refuses(401, "unauthorized");
    let new = made(&make(&server, &poll, 1).await);
    assert_eq!(vote(&server, &poll, 0, &new[0]).await.status, 201);
    let expected = json!({"made": 5, "used": 2, "revoked": 4});
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

async fn tokens_come_as_a_table_with_links(store: Store) {
    let server = Server::on(store).await;
    let (poll, _) = poll_with(&server, 0, json!({})).await;
    let body = json!({"count": 3, "link_template": "https://vote.example/a,b#{token}"});
    let ask = server.post(poll.path("/tokens"), &body);
    let answer = ask.bearer(&poll.token).header("accept", "text/csv").await;
    assert_eq!(answer.status, 201);
    let content_type = "text/csv; charset=utf-8; header=present";
    assert_eq!(answer.header("content-type"), content_type);
    assert_eq!(answer.header("cache-control"), "no-store");
    let disposition = "attachment; filename=\"tokens.csv\"";
    assert_eq!(answer.header("content-disposition"), disposition);
    let mut lines = answer.text().split("\r\n");
    assert_eq!(lines.next(), Some("token,link"));
    for line in lines.by_ref().take(3) {
        let (token, link) = line.split_once(',').unwrap();
        assert_eq!(link, format!("\"https://vote.example/a,b#{token}\""));
        assert_eq!(vote(&server, &poll, 0, token).await.status, 201);
    }
    assert_eq!(lines.collect::<Vec<_>>(), [""]);
    assert_eq!(counts(&server, &poll).await["used"], 3);
}

async fn a_hundred_thousand_tokens_come_in_one_answer(store: Store) {
    let server = Server::on(store).await;
    let (poll, _) = poll_with(&server, 0, json!({})).await;
    let body = json!({"count": 100_000, "link_template": "https://vote.example/{token}"});
    let ask = server.post(poll.path("/tokens"), &body);
    let answer = ask.bearer(&poll.token).header("accept", "text/csv").await;
    assert_eq!(answer.status, 201, "{:.300}", answer.text());
    let lines: Vec<&str> = answer.text().lines().collect();
    assert_eq!(lines.len(), 100_001);
    let (last, _) = lines[100_000].split_once(',').unwrap();
    assert_eq!(vote(&server, &poll, 0, last).await.status, 201);
    let expected = json!({"made": 100_000, "used": 1, "revoked": 0});
    assert_eq!(counts(&server, &poll).await, expected);
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
