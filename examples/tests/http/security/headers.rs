//! Pages of other origins, and what headers can be made to say.

use http::Method;
use polling_http::HttpSettings;
use serde_json::json;

use crate::support::{Server, Start};

const ELSEWHERE: &str = "https://evil.example";

/// A server whose pages are at these origins, beside its own.
async fn with_origins(origins: &[&str]) -> Server {
    let mut http = HttpSettings::default();
    http.cors_origins = origins
        .iter()
        .map(|origin| origin.parse().unwrap())
        .collect();
    let start = Start {
        http,
        ..Start::default()
    };
    start.run().await
}

#[tokio::test]
async fn a_page_of_a_foreign_origin_is_told_nothing() {
    let server = Server::start().await;
    let (_, token) = server.user("ada").await;
    for (method, path) in [
        (Method::GET, "/api/v1/users/me"),
        (Method::GET, "/api/v1/nothing"),
        (Method::POST, "/api/v1/auth/logout-all"),
        (Method::OPTIONS, "/api/v1/users/me"),
    ] {
        for origin in [ELSEWHERE, "null", "http://127.0.0.1", "*"] {
            let ask = server
                .request(method.clone(), path)
                .header("origin", origin);
            let ask = ask.header("access-control-request-method", "PATCH");
            let answer = ask.bearer(&token).await;
            let told = answer.headers.keys();
            let mut told = told.filter(|name| name.as_str().starts_with("access-control"));
            assert_eq!(told.next(), None, "{method} {path} {origin}");
        }
    }
}

#[tokio::test]
async fn no_page_ever_sends_what_the_browser_keeps() {
    for allowed in ["*", "https://example.org"] {
        let server = with_origins(&[allowed]).await;
        for origin in [ELSEWHERE, "https://example.org", "null"] {
            for method in [Method::GET, Method::OPTIONS] {
                let ask = server
                    .request(method, "/api/v1/polls")
                    .header("origin", origin);
                let answer = ask.header("access-control-request-method", "POST").await;
                // Credentials are what a page sends itself; cookies are neither set nor read.
                assert_eq!(answer.header("access-control-allow-credentials"), "");
                assert_eq!(answer.header("set-cookie"), "");
                let told = answer.header("access-control-allow-origin");
                let expected = match allowed {
                    "*" => "*",
                    allowed if allowed == origin => allowed,
                    _ => "",
                };
                assert_eq!(told, expected, "{allowed} {origin}");
            }
        }
    }
}

#[tokio::test]
async fn an_origin_is_compared_whole() {
    let server = with_origins(&["https://example.org"]).await;
    for origin in [
        "https://example.org.evil.example",
        "https://evil-example.org",
        "http://example.org",
        "https://example.org:8443",
        "https://sub.example.org",
        "https://example.org/",
        "https://EXAMPLE.org@evil.example",
        "example.org",
    ] {
        let ask = server.get("/api/v1/polls").header("origin", origin);
        let told = ask.await;
        assert_eq!(told.header("access-control-allow-origin"), "", "{origin}");
    }
}

/// Requests with what ends a header, as no client library lets them be written.
#[tokio::test]
async fn no_header_of_a_request_becomes_one_of_the_answer() {
    let server = Server::start().await;
    let lines: [&[u8]; 7] = [
        b"x-request-id: a\rset-cookie: x=1",
        b"x-request-id: a\nset-cookie: x=1",
        b"x-request-id: a\0b",
        b"x-request-id: \x1b[31mred",
        b"x-request-id: a\xc2\x85set-cookie: x=1",
        b"x-request-id: a b",
        b"x-request-id: %0d%0aset-cookie:%20x=1",
    ];
    for line in lines {
        let mut request =
            b"GET /api/v1/polls HTTP/1.1\r\nhost: a\r\nconnection: close\r\n".to_vec();
        request.extend_from_slice(line);
        request.extend_from_slice(b"\r\n\r\n");
        let answer = server.say(&request).await;
        let (head, _) = answer.split_once("\r\n\r\n").unwrap();
        let (_, headers) = head.split_once("\r\n").unwrap();
        for header in headers.split("\r\n") {
            let (name, value) = header.split_once(": ").unwrap();
            assert_ne!(name, "set-cookie", "{line:?}");
            let is_plain = value
                .bytes()
                .all(|byte| byte == b' ' || byte.is_ascii_graphic());
            assert!(is_plain, "{line:?}: {header:?}");
        }
    }
}

#[tokio::test]
async fn what_is_in_a_path_or_a_query_is_in_no_header_of_the_answer() {
    let server = Server::start().await;
    let poll = server.poll(json!({})).await;
    let breaks = "%0d%0aset-cookie:%20x=1";
    for path in [
        format!("/api/v1/polls/{breaks}"),
        format!("/api/v1/users/{breaks}"),
        format!("/api/docs/{breaks}"),
        format!("/api/docs?{breaks}"),
        format!("/api/v1/polls?cursor={breaks}"),
        format!("/{breaks}"),
        poll.path(&format!("/results?voter={breaks}")),
        poll.path(&format!("?voter={breaks}")),
    ] {
        let answer = server.get(&*path).await;
        for (name, value) in &answer.headers {
            assert_ne!(name, "set-cookie", "{path}");
            assert!(
                !value.to_str().unwrap().contains("set-cookie"),
                "{path}: {name}"
            );
        }
    }
}
