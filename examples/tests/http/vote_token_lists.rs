//! Vote tokens by the list: made, handed out as a table, counted and revoked by who manages the poll.

use http::Method;
use serde_json::{Value, json};

use crate::store::Store;
use crate::support::{Poll, Server, Start};
use crate::vote_tokens::{counts, made, make, poll_with, revoke, vote};

on_every_store! {
    only_who_manages_a_poll_makes_its_tokens
    what_cannot_be_made_is_told
    tokens_are_made_in_every_status_but_closed
    tokens_are_revoked_one_by_one_or_all
    tokens_come_as_a_table_with_links
    a_hundred_thousand_tokens_come_in_one_answer
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
    // Who asks comes before what is wrong with it.
    let wrong = json!({"tokens": [], "all": true});
    let wrong = server.post(poll.path("/tokens/revoke"), &wrong);
    wrong.await.refuses(401, "unauthorized");
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
    let mut start = Start::on(store);
    start.core.anonymous_poll_tokens = 100_000;
    let server = start.run().await;
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
