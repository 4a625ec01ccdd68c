//! What belongs to HTTP itself: methods, request ids, probes, pages of other origins.

use http::Method;
use polling_http::HttpSettings;
use serde_json::json;

use crate::support::{Server, Start};

#[tokio::test]
async fn head_is_get_without_the_body() {
    let server = Server::start().await;
    let poll = server.poll(json!({})).await;
    for path in [
        poll.path(""),
        poll.path("/results"),
        "/healthz".into(),
        "/polls".into(),
    ] {
        let get = server.get(&*path).await;
        let head = server.request(Method::HEAD, &*path).await;
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
        for name in ["content-type", "content-length", "etag", "cache-control"] {
            assert_eq!(head.header(name), get.header(name), "{path} {name}");
        }
    }
    let missing = server.request(Method::HEAD, "/api/v1/polls/x").await;
    assert_eq!((missing.status.as_u16(), missing.body.len()), (404, 0));
    let stream = server.request(Method::HEAD, poll.path("/events")).await;
    assert_eq!(stream.header("content-type"), "text/event-stream");
}

#[tokio::test]
async fn every_route_says_which_methods_it_takes() {
    let server = Server::start().await;
    let poll = server.poll(json!({})).await;
    let routes = [
        ("/api/v1/polls".to_owned(), "GET, HEAD, POST, OPTIONS"),
        (poll.path(""), "GET, HEAD, PATCH, DELETE, OPTIONS"),
        (poll.path("/publish"), "POST, OPTIONS"),
        (poll.path("/close"), "POST, OPTIONS"),
        (poll.path("/results"), "GET, HEAD, OPTIONS"),
        (poll.path("/events"), "GET, HEAD, OPTIONS"),
        (poll.path("/votes"), "POST, OPTIONS"),
        (poll.path("/votes/batch"), "POST, OPTIONS"),
        (poll.path("/vote"), "GET, HEAD, PUT, DELETE, OPTIONS"),
        ("/api/v1/users".to_owned(), "POST, OPTIONS"),
        ("/api/v1/users/x".to_owned(), "GET, HEAD, DELETE, OPTIONS"),
        (
            "/api/v1/users/me".to_owned(),
            "GET, HEAD, PATCH, DELETE, OPTIONS",
        ),
        ("/api/v1/users/import".to_owned(), "POST, OPTIONS"),
        ("/api/v1/users/import/x".to_owned(), "GET, HEAD, OPTIONS"),
        ("/api/v1/auth/login".to_owned(), "POST, OPTIONS"),
        ("/api/v1/auth/refresh".to_owned(), "POST, OPTIONS"),
        ("/api/v1/auth/password-reset".to_owned(), "POST, OPTIONS"),
        ("/healthz".to_owned(), "GET, HEAD, OPTIONS"),
        ("/readyz".to_owned(), "GET, HEAD, OPTIONS"),
        ("/polls".to_owned(), "GET, HEAD, POST, OPTIONS"),
        (format!("/polls/{}/vote", poll.id), "POST, OPTIONS"),
        ("/vote".to_owned(), "POST, OPTIONS"),
    ];
    for (path, allow) in routes {
        let options = server.request(Method::OPTIONS, &*path).await;
        assert_eq!(
            (options.status.as_u16(), options.body.len()),
            (204, 0),
            "{path}"
        );
        assert_eq!(options.header("allow"), allow, "{path}");
        for method in [Method::TRACE, Method::from_bytes(b"BREW").unwrap()] {
            let refused = server.request(method, &*path).await;
            refused.refuses(405, "method_not_allowed");
            assert_eq!(refused.header("allow"), allow, "{path}");
        }
    }
}

#[tokio::test]
async fn what_is_no_route_is_told_so() {
    let server = Server::start().await;
    let poll = server.poll(json!({})).await;
    let paths = [
        "/",
        "/api",
        "/api/v1",
        "/api/v1/polls/",
        "/api/v2/polls",
        "/users",
        "//polls",
        "/api/v1/ws",
    ];
    for path in paths {
        for method in [Method::GET, Method::POST, Method::OPTIONS] {
            let answer = server.request(method, path).await;
            answer.refuses(404, "not_found");
        }
    }
    server
        .get(poll.path("/nothing"))
        .await
        .refuses(404, "not_found");
}

#[tokio::test]
async fn ids_that_are_none_name_nothing() {
    let server = Server::start().await;
    let ids = [
        "x",
        "7",
        "%00",
        "%F0%28",
        "018f3c6e-0000-7000-8000-00000000000",
        "018f3c6e-0000-7000-8000-000000000001",
    ];
    for id in ids {
        for rest in ["", "/results", "/events", "/vote?voter=a"] {
            let answer = server.get(format!("/api/v1/polls/{id}{rest}")).await;
            answer.refuses(404, "poll_not_found");
        }
        let answer = server.post(
            format!("/api/v1/polls/{id}/votes"),
            &json!({"option_id": "018f3c6e-0000-7000-8000-000000000001", "voter": "a"}),
        );
        answer.await.refuses(404, "poll_not_found");
    }
}

#[tokio::test]
async fn a_sane_request_id_comes_back_and_another_is_replaced() {
    let server = Server::start().await;
    for path in ["/healthz", "/nothing"] {
        let own = server.get(path).header("x-request-id", "trace-7/a").await;
        assert_eq!(own.header("x-request-id"), "trace-7/a");
        let long = "a".repeat(129);
        let replaced = server.get(path).header("x-request-id", &long).await;
        assert_ne!(replaced.header("x-request-id"), long);
        let made = server.get(path).await;
        assert_ne!(made.header("x-request-id"), replaced.header("x-request-id"));
    }
}

#[tokio::test]
async fn probes_tell_alive_from_ready() {
    let server = Server::start().await;
    let (alive, ready) = (server.get("/healthz").await, server.get("/readyz").await);
    assert_eq!(
        (alive.status.as_u16(), alive.json()),
        (200, json!({"status": "ok"}))
    );
    assert_eq!(
        (ready.status.as_u16(), ready.json()),
        (200, json!({"status": "ready"}))
    );
    let poll = server.poll(json!({})).await;
    server.engine.shutdown().await;
    assert_eq!(server.get("/healthz").await.status, 200);
    server.get("/readyz").await.refuses(503, "unavailable");
    let vote = server.post(poll.path("/votes"), &poll.vote(0, "ada")).await;
    vote.refuses(503, "unavailable");
    assert_eq!(vote.header("retry-after"), "1");
}

#[tokio::test]
async fn pages_of_allowed_origins_may_call_and_others_may_not() {
    let mut http = HttpSettings::default();
    http.cors_origins = vec!["https://example.org".parse().unwrap()];
    let server = Start {
        http,
        ..Start::default()
    }
    .run()
    .await;
    let poll = server.poll(json!({})).await;
    let preflight = |origin: &str| {
        let ask = server.request(Method::OPTIONS, poll.path("/vote"));
        let ask = ask.header("access-control-request-method", "PUT");
        ask.header(
            "access-control-request-headers",
            "authorization,idempotency-key",
        )
        .header("origin", origin)
    };
    let allowed = preflight("https://example.org").await;
    assert!(allowed.status.is_success());
    assert_eq!(
        allowed.header("access-control-allow-origin"),
        "https://example.org"
    );
    assert!(
        allowed
            .header("access-control-allow-methods")
            .contains("PUT")
    );
    assert!(
        allowed
            .header("access-control-allow-headers")
            .contains("idempotency-key")
    );
    let refused = preflight("https://example.com").await;
    assert_eq!(refused.header("access-control-allow-origin"), "");

    let get = |origin: &str| server.get(poll.path("/results")).header("origin", origin);
    let read = get("https://example.org").await;
    assert_eq!(
        read.header("access-control-allow-origin"),
        "https://example.org"
    );
    assert!(
        read.header("access-control-expose-headers")
            .contains("etag")
    );
    assert!(read.header("vary").contains("origin"));
    assert_eq!(
        get("https://example.com")
            .await
            .header("access-control-allow-origin"),
        ""
    );
    // A page can read what went wrong, too.
    let missing = server
        .get("/nothing")
        .header("origin", "https://example.org")
        .await;
    assert_eq!(
        missing.header("access-control-allow-origin"),
        "https://example.org"
    );
    let plain = server.request(Method::OPTIONS, poll.path("/vote")).await;
    assert_eq!(plain.header("allow"), "GET, HEAD, PUT, DELETE, OPTIONS");
}

#[tokio::test]
async fn without_allowed_origins_no_page_is_told_anything() {
    let server = Server::start().await;
    let ask = server
        .get("/api/v1/polls")
        .header("origin", "https://example.org");
    assert_eq!(ask.await.header("access-control-allow-origin"), "");
    let mut http = HttpSettings::default();
    http.cors_origins = vec!["*".parse().unwrap()];
    let open = Start {
        http,
        ..Start::default()
    }
    .run()
    .await;
    let ask = open
        .get("/api/v1/polls")
        .header("origin", "https://example.org");
    assert_eq!(ask.await.header("access-control-allow-origin"), "*");
}

#[tokio::test]
async fn a_mounted_service_says_where_things_are() {
    let mut http = HttpSettings::default();
    http.mounted_at = "/polling".into();
    let server = Start {
        http,
        ..Start::default()
    }
    .run()
    .await;
    let answer = server
        .post(
            "/api/v1/polls",
            &json!({"question": "Q", "options": ["A", "B"]}),
        )
        .await;
    assert!(
        answer
            .header("location")
            .starts_with("/polling/api/v1/polls/")
    );
}
