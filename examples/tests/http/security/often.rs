//! Asking again and again: what tells something about others is counted.

use http::Method;
use polling_core::Settings;
use polling_core::limits::Limit;
use serde_json::json;

use crate::support::Start;
use crate::team::Team;

/// A server that limits the tests' own address.
fn limiting(change: impl FnOnce(&mut Settings)) -> Start {
    let mut core = Settings::default();
    core.limits.loopback = true;
    change(&mut core);
    Start {
        core,
        ..Start::default()
    }
}

#[tokio::test]
async fn invitations_are_counted_by_who_invites() {
    let start = limiting(|core| core.limits.invite = Some(Limit::per_hour(4)));
    // Two were spent to make the team.
    let team = Team::started(start).await;
    for email in ["no address", "ivy@example.org", "ivy@example.org"] {
        let status = if email.contains('@') { 201 } else { 422 };
        assert_eq!(team.invites(email, "viewer").await.status, status);
    }
    let refused = team.invites("ivy@example.org", "viewer").await;
    refused.refuses(429, "rate_limited");
    assert_eq!(refused.header("ratelimit-policy"), "\"invite\";q=4;w=3600");
    // Who may not invite is told so, and not how many others have invited.
    let body = json!({"email": "ivy@example.org", "role": "viewer"});
    let viewer = team.posts(&team.vera, "/invitations", &body).await;
    viewer.refuses(403, "forbidden");
}

#[tokio::test]
async fn whether_an_address_has_an_account_is_asked_as_often_by_changing_as_by_signing_up() {
    let start = limiting(|core| core.limits.sign_up = Some(Limit::per_minute(5)));
    // Four were spent to make the team.
    let team = Team::started(start).await;
    let change = async |body| {
        let ask = team.server.request(Method::PATCH, "/api/v1/users/me");
        ask.json(&body).bearer(&team.eve.token).await
    };
    let to = |email: &str, password: &str| json!({"email": email, "current_password": password});
    let wrong = change(to("olga@example.org", "wrong horse")).await;
    wrong.refuses(403, "forbidden");
    let taken = change(to("olga@example.org", "correct horse")).await;
    taken.refuses(409, "email_taken");
    for email in ["cora@example.org", "ivy@example.org"] {
        let refused = change(to(email, "correct horse")).await;
        refused.refuses(429, "rate_limited");
    }
    // What says nothing about others is not counted.
    for name in ["E.", "Eve"] {
        assert_eq!(change(json!({"name": name})).await.status, 200);
    }
}
