//! Staying signed in: refresh tokens, and the ways to end them.

use std::time::Duration;

use polling_core::FakeClock;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::store::Store;
use crate::support::{Server, Start};

on_every_store! {
    a_refresh_token_is_spent_for_the_next_one
    a_refresh_that_is_sent_again_in_time_is_answered_the_same
    a_spent_refresh_token_ends_its_sign_in_and_no_other
    a_sign_in_ends_without_use_and_after_its_longest_time
    signing_out_ends_one_sign_in
    signing_out_everywhere_ends_all
    a_refresh_is_refused_with_reasons
}

const LOGIN: &str = "/api/v1/auth/login";
const REFRESH: &str = "/api/v1/auth/refresh";
const LOGOUT: &str = "/api/v1/auth/logout";

/// A server whose clock the test moves.
async fn start(store: Store) -> (Server, FakeClock) {
    let clock = FakeClock::default();
    let start = Start {
        clock: Some(clock.clone()),
        ..Start::on(store)
    };
    (start.run().await, clock)
}

/// Signs somebody in who has signed up.
async fn login(server: &Server, name: &str) -> Value {
    let credentials = json!({"email": format!("{name}@example.org"), "password": "correct horse"});
    let answer = server.post(LOGIN, &credentials).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn spend(server: &Server, token: &Value) -> Answer {
    let body = json!({"refresh_token": token});
    server.post(REFRESH, &body).await
}

/// The next refresh token.
#[track_caller]
fn next(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["refresh_token"].clone()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

async fn a_refresh_token_is_spent_for_the_next_one(store: Store) {
    let (server, clock) = start(store).await;
    let (id, _) = server.user("ada").await;
    let login = login(&server, "ada").await;
    let token = &login["refresh_token"];
    assert!(token.as_str().unwrap().starts_with("pr_"), "{token}");
    assert_eq!(login["refresh_expires_in"], 30 * 24 * 3_600);
    clock.advance(seconds(1_000));
    let old = login["access_token"].as_str().unwrap();
    let over = server.get("/api/v1/users/me").bearer(old).await;
    over.refuses(401, "unauthorized");
    let refreshed = spend(&server, token).await;
    assert_eq!(refreshed.header("cache-control"), "no-store");
    assert_ne!(next(&refreshed), *token);
    let answer = refreshed.json();
    assert_eq!(answer.as_object().unwrap().len(), 5);
    assert_eq!(answer["refresh_expires_in"], 30 * 24 * 3_600);
    let access = answer["access_token"].as_str().unwrap();
    let me = server.get("/api/v1/users/me").bearer(access).await;
    assert_eq!(me.json()["id"], id);
    // No refresh token is a credential for anything else.
    let refresh = answer["refresh_token"].as_str().unwrap();
    let me = server.get("/api/v1/users/me").bearer(refresh).await;
    me.refuses(401, "unauthorized");
}

async fn a_refresh_that_is_sent_again_in_time_is_answered_the_same(store: Store) {
    let (server, clock) = start(store).await;
    server.user("ada").await;
    let first = login(&server, "ada").await["refresh_token"].clone();
    let second = next(&spend(&server, &first).await);
    clock.advance(seconds(10));
    assert_eq!(next(&spend(&server, &first).await), second);
    // Two windows of a browser at once.
    let third = next(&spend(&server, &second).await);
    let (one, other) = tokio::join!(spend(&server, &third), spend(&server, &third));
    let fourth = next(&one);
    assert_eq!(next(&other), fourth);
    next(&spend(&server, &fourth).await);
}

async fn a_spent_refresh_token_ends_its_sign_in_and_no_other(store: Store) {
    let (server, clock) = start(store).await;
    server.user("ada").await;
    for too_late in [true, false] {
        let stolen = login(&server, "ada").await["refresh_token"].clone();
        let elsewhere = login(&server, "ada").await["refresh_token"].clone();
        let mut newest = next(&spend(&server, &stolen).await);
        if too_late {
            clock.advance(seconds(11));
        } else {
            // Whoever has the second one has shown so.
            newest = next(&spend(&server, &newest).await);
        }
        let replayed = spend(&server, &stolen).await;
        replayed.refuses(401, "unauthorized");
        spend(&server, &newest).await.refuses(401, "unauthorized");
        next(&spend(&server, &elsewhere).await);
    }
}

async fn a_sign_in_ends_without_use_and_after_its_longest_time(store: Store) {
    let (server, clock) = start(store).await;
    server.user("ada").await;
    let day = 24 * 3_600;
    let unused = login(&server, "ada").await["refresh_token"].clone();
    clock.advance(seconds(30 * day));
    spend(&server, &unused).await.refuses(401, "unauthorized");
    let mut token = login(&server, "ada").await["refresh_token"].clone();
    for (days, left) in [(25, 30), (25, 30), (25, 15), (6, 9)] {
        clock.advance(seconds(days * day));
        let refreshed = spend(&server, &token).await;
        token = next(&refreshed);
        assert_eq!(refreshed.json()["refresh_expires_in"], left * day);
    }
    clock.advance(seconds(9 * day));
    spend(&server, &token).await.refuses(401, "unauthorized");
}

async fn signing_out_ends_one_sign_in(store: Store) {
    let server = Server::on(store).await;
    server.user("ada").await;
    let here = login(&server, "ada").await["refresh_token"].clone();
    let there = login(&server, "ada").await["refresh_token"].clone();
    let newest = next(&spend(&server, &here).await);
    // Repeated, and whichever token of the sign-in it is.
    for token in [&newest, &newest, &here, &json!("pr_nothing")] {
        let answer = server.post(LOGOUT, &json!({"refresh_token": token})).await;
        assert_eq!(answer.status, 204);
    }
    spend(&server, &newest).await.refuses(401, "unauthorized");
    next(&spend(&server, &there).await);
}

async fn signing_out_everywhere_ends_all(store: Store) {
    let server = Server::on(store).await;
    let (_, access) = server.user("ada").await;
    server.user("bob").await;
    let mut tokens = Vec::new();
    for _ in 0..3 {
        tokens.push(login(&server, "ada").await["refresh_token"].clone());
    }
    let bobs = login(&server, "bob").await["refresh_token"].clone();
    let everywhere = "/api/v1/auth/logout-all";
    let nobody = server.post(everywhere, &json!({})).await;
    nobody.refuses(401, "unauthorized");
    for _ in 0..2 {
        let answer = server.post(everywhere, &json!({})).bearer(&access).await;
        assert_eq!(answer.status, 204);
    }
    for token in &tokens {
        spend(&server, token).await.refuses(401, "unauthorized");
    }
    next(&spend(&server, &bobs).await);
    // Access tokens live on, and whoever signs in again is signed in.
    let me = server.get("/api/v1/users/me").bearer(&access).await;
    assert_eq!(me.status, 200);
    let again = login(&server, "ada").await;
    next(&spend(&server, &again["refresh_token"]).await);
}

async fn a_refresh_is_refused_with_reasons(store: Store) {
    let server = Server::on(store).await;
    server.user("ada").await;
    let login = login(&server, "ada").await;
    let forged = format!("pr_{}", "A".repeat(64));
    let truncated = &login["refresh_token"].as_str().unwrap()[..66];
    for bad in [
        "",
        "pr_",
        &*forged,
        truncated,
        login["access_token"].as_str().unwrap(),
    ] {
        let refused = spend(&server, &json!(bad)).await;
        refused.refuses(401, "unauthorized");
        assert_eq!(refused.header("www-authenticate"), "Bearer");
    }
    for path in [REFRESH, LOGOUT] {
        let ask = async |body: Value| server.post(path, &body).await;
        let missing = ask(json!({})).await;
        missing.refuses_field(422, "invalid", "/refresh_token");
        let wrong = ask(json!({"refresh_token": 5})).await;
        wrong.refuses_field(422, "invalid", "/refresh_token");
        assert!(!wrong.text().contains("pr_"));
    }
    next(&spend(&server, &login["refresh_token"]).await);
}
