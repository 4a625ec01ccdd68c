//! Vote tokens of polls that were created without an account: how many a poll has, and how many an address makes a day.

use std::time::Duration;

use http::Method;
use polling_core::limits::Limit;
use serde_json::json;

use crate::limits::{limited, server};
use crate::store::Store;
use crate::support::Server;
use crate::vote_tokens::{counts, made, make, poll_with};

on_every_store! {
    a_poll_without_an_account_has_fewer_tokens
}

async fn a_poll_without_an_account_has_fewer_tokens(store: Store) {
    let server = Server::on(store).await;
    let (poll, _) = poll_with(&server, 0, json!({})).await;
    let too_many = make(&server, &poll, 10_001).await;
    too_many.refuses_field(422, "invalid", "/count");
    assert!(too_many.text().contains("10000"), "{}", too_many.text());
    assert_eq!(made(&make(&server, &poll, 9_999).await).len(), 9_999);
    let too_many = make(&server, &poll, 2).await;
    too_many.refuses_field(422, "invalid", "/count");
    assert_eq!(made(&make(&server, &poll, 1).await).len(), 1);

    let (path, ada) = of_an_account(&server).await;
    let many = server.post(&*path, &json!({"count": 10_001})).bearer(&ada);
    assert_eq!(made(&many.await).len(), 10_001);
}

/// Where tokens are made for a poll that Ada created with her account, and her access token.
async fn of_an_account(server: &Server) -> (String, String) {
    let (_, ada) = server.user("ada").await;
    let new = json!({"question": "Q", "options": ["A", "B"], "voters": "tokens"});
    let own = server.post("/api/v1/polls", &new).bearer(&ada).await;
    let poll = own.json()["id"].as_str().unwrap().to_owned();
    (format!("/api/v1/polls/{poll}/tokens"), ada)
}

#[tokio::test]
async fn an_address_makes_so_many_tokens_for_polls_without_an_account() {
    let day = Limit {
        count: 10,
        window: Duration::from_secs(24 * 3_600),
    };
    let (server, clock) = server(Store::default(), |core| {
        core.limits.anonymous_tokens = Some(day);
        core.anonymous_poll_tokens = 8;
    })
    .await;
    let (first, _) = poll_with(&server, 7, json!({})).await;
    // What is not made does not count: more than the poll may have, or than are left.
    let too_many = make(&server, &first, 2).await;
    too_many.refuses_field(422, "invalid", "/count");
    let (second, _) = poll_with(&server, 0, json!({})).await;
    let refused = make(&server, &second, 4).await;
    refused.refuses(429, "rate_limited");
    assert_eq!(
        refused.header("ratelimit-policy"),
        "\"anonymous_tokens\";q=10;w=86400"
    );
    assert_eq!(
        refused.header("ratelimit"),
        "\"anonymous_tokens\";r=3;t=86400"
    );
    assert_eq!(refused.header("retry-after"), "86400");
    assert_eq!(counts(&server, &second).await["made"], 0);
    clock.advance(Duration::from_secs(3_600));
    assert_eq!(made(&make(&server, &second, 3).await).len(), 3);
    let refused = make(&server, &second, 1).await;
    limited(&refused, "anonymous_tokens", (10, 86_400), "82800");

    // Of polls with an account nothing is counted, nor from another address.
    let (path, ada) = of_an_account(&server).await;
    let many = server.post(&*path, &json!({"count": 100})).bearer(&ada);
    assert_eq!(made(&many.await).len(), 100);
    let elsewhere = server.request(Method::POST, second.path("/tokens"));
    let elsewhere = elsewhere.json(&json!({"count": 1})).bearer(&second.token);
    let elsewhere = elsewhere.header("x-forwarded-for", "203.0.113.9").await;
    assert_eq!(made(&elsewhere).len(), 1);
    clock.advance(Duration::from_secs(23 * 3_600));
    assert_eq!(made(&make(&server, &second, 4).await).len(), 4);
}
