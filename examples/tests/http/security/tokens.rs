//! Access tokens that nobody signed, or somebody else, or for somewhere else.

use std::time::Duration;

use polling_core::{Clock, FakeClock};

use crate::forged::{forged, good, key};
use crate::support::{Server, Start};

async fn start(clock: &FakeClock) -> Server {
    let start = Start {
        clock: Some(clock.clone()),
        with: Some(Box::new(|builder| builder.token_keys(vec![key()]))),
        ..Start::default()
    };
    start.run().await
}

#[tokio::test]
async fn forged_access_tokens_are_refused_everywhere() {
    let clock = FakeClock::default();
    let server = start(&clock).await;
    let (ada, _) = server.user("ada").await;
    let me = server.get("/api/v1/users/me");
    let right = me.bearer(&good(&ada, clock.now())).await;
    assert_eq!(
        right.json()["id"],
        ada,
        "what the others differ from is good"
    );
    for (what, token) in forged(&ada, clock.now()) {
        // Also where no credential is needed: nobody is taken for nobody who claims to be somebody.
        for path in ["/api/v1/users/me", "/api/v1/polls", "/polls"] {
            let answer = server.get(path).bearer(&token).await;
            assert_eq!(answer.status, 401, "{what}: {}", answer.text());
            answer.refuses(401, "unauthorized");
            assert!(!answer.text().contains(&token), "{what}");
        }
    }
}

#[tokio::test]
async fn an_access_token_ends_when_it_says_so() {
    let clock = FakeClock::default();
    let server = start(&clock).await;
    let (ada, _) = server.user("ada").await;
    let token = good(&ada, clock.now());
    let me = async || server.get("/api/v1/users/me").bearer(&token).await;
    clock.advance(Duration::from_secs(899));
    assert_eq!(me().await.status, 200);
    clock.advance(Duration::from_secs(1));
    me().await.refuses(401, "unauthorized");
}

#[tokio::test]
async fn other_schemes_and_other_tokens_are_no_access_tokens() {
    let clock = FakeClock::default();
    let server = start(&clock).await;
    let (ada, _) = server.user("ada").await;
    let token = good(&ada, clock.now());
    for header in [
        "Bearer".to_owned(),
        format!("Basic {token}"),
        format!("Token {token}"),
        token.clone(),
        format!("Bearer {token} {token}"),
        format!("Bearer {token},{token}"),
        format!("Bearer pm_{token}"),
        format!("Bearer pv_{token}"),
        format!("Bearer pr_{token}"),
        format!("Bearer pl_{token}"),
    ] {
        let me = server
            .get("/api/v1/users/me")
            .header("authorization", &header);
        me.await.refuses(401, "unauthorized");
    }
    let twice = server.get("/api/v1/users/me").bearer(&token).bearer("pm_x");
    twice.await.refuses(401, "unauthorized");
    let in_query = server
        .get(format!("/api/v1/users/me?access_token={token}"))
        .await;
    in_query.refuses(401, "unauthorized");
    let cookie = format!("authorization=Bearer {token}; access_token={token}");
    let in_cookie = server.get("/api/v1/users/me").header("cookie", &cookie);
    in_cookie.await.refuses(401, "unauthorized");
}
