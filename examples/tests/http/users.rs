//! Users, and the credentials that they and managers send.

use http::Method;
use serde_json::json;

use crate::store::Store;
use crate::support::Server;

on_every_store! {
    somebody_signs_up_signs_in_and_is_looked_up
    signing_up_and_in_is_refused_with_reasons
    a_credential_is_a_bearer_token_and_nothing_else
}

async fn somebody_signs_up_signs_in_and_is_looked_up(store: Store) {
    let server = Server::on(store).await;
    let new = json!({"name": "Ada", "email": "ada@example.org", "password": "correct horse"});
    let created = server.post("/api/v1/users", &new).await;
    assert_eq!(created.status, 201);
    let user = created.json();
    let path = format!("/api/v1/users/{}", user["id"].as_str().unwrap());
    assert_eq!(created.header("location"), path);
    assert_eq!(
        user,
        json!({"id": user["id"], "name": "Ada", "created_at": user["created_at"]})
    );
    assert_eq!(server.get(&*path).await.json(), user);

    let credentials = json!({"email": "ADA@example.org", "password": "correct horse"});
    let login = server.post("/api/v1/auth/login", &credentials).await;
    assert_eq!(login.status, 200);
    assert_eq!(login.header("cache-control"), "no-store");
    let token = login.json();
    assert_eq!(token["token_type"], "Bearer");
    assert_eq!(token["expires_in"], 900);
    assert_eq!(token.as_object().unwrap().len(), 5);
    let poll = json!({"question": "Q", "options": ["A", "B"]});
    let ask = server.post("/api/v1/polls", &poll);
    let poll = ask.bearer(token["access_token"].as_str().unwrap()).await;
    assert_eq!(poll.json()["creator_id"], user["id"]);
}

async fn signing_up_and_in_is_refused_with_reasons(store: Store) {
    let server = Server::on(store).await;
    let (_, token) = server.user("ada").await;
    let user = |name: &str, email: &str, password: &str| json!({"name": name, "email": email, "password": password});
    let sign_up = async |body| server.post("/api/v1/users", &body).await;
    let taken = sign_up(user("Ada", "Ada@Example.org", "correct horse")).await;
    taken.refuses(409, "email_taken");
    let bad = sign_up(user("", "no address", "short")).await;
    bad.refuses(422, "invalid");
    let problem = bad.json();
    let pointers: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| &error["pointer"])
        .collect();
    assert_eq!(pointers, ["/name", "/email", "/password"]);
    assert!(
        !bad.text().contains("short\""),
        "the password is never repeated"
    );
    sign_up(json!({"name": "A", "email": "a@example.org"}))
        .await
        .refuses_field(422, "invalid", "/password");
    sign_up(
        json!({"name": "A", "email": "a@example.org", "password": "correct horse", "admin": true}),
    )
    .await
    .refuses_field(422, "invalid", "/admin");

    for (email, password) in [
        ("ada@example.org", "wrong horse"),
        ("eve@example.org", "correct horse"),
    ] {
        let body = json!({"email": email, "password": password});
        let wrong = server.post("/api/v1/auth/login", &body).await;
        wrong.refuses(401, "unauthorized");
        assert_eq!(wrong.header("www-authenticate"), "Bearer");
    }
    for id in ["x", "018f3c6e-0000-7000-8000-000000000001"] {
        let lookup = server
            .get(format!("/api/v1/users/{id}"))
            .bearer(&token)
            .await;
        lookup.refuses(404, "user_not_found");
    }
}

async fn a_credential_is_a_bearer_token_and_nothing_else(store: Store) {
    let server = Server::on(store).await;
    let poll = server.poll(json!({})).await;
    let ask = || server.get(poll.path(""));
    for malformed in ["Basic YTpi", "Bearer", "Bearer ", "Bearer a b", "x", ""] {
        let answer = ask().header("authorization", malformed).await;
        answer.refuses(401, "unauthorized");
    }
    let unknown = ask().bearer("pm_unknown").await;
    let why = unknown.header("www-authenticate");
    assert_eq!(why, r#"Bearer error="invalid_token""#);
    let head = server.request(Method::HEAD, poll.path(""));
    assert_eq!(head.bearer("pm_unknown").await.status, 401);
    let twice = ask().bearer(&poll.token).bearer(&poll.token).await;
    twice.refuses(401, "unauthorized");
    for good in ["bearer", "BEARER"] {
        let answer = ask()
            .header("authorization", &format!("{good} {}", poll.token))
            .await;
        assert_eq!(answer.status, 200);
    }
    // Probes are answered whatever they send along.
    let probe = server
        .get("/healthz")
        .header("authorization", "Basic YTpi")
        .await;
    assert_eq!(probe.status, 200);
}
