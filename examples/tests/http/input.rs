//! Bad input of every kind gets an answer that says what is wrong.

use http::Method;
use serde_json::json;

use crate::answer::Answer;
use crate::support::{Poll, Server};

/// A JSON body as it stands.
async fn send(server: &Server, method: Method, path: &str, body: impl Into<Vec<u8>>) -> Answer {
    let ask = server.request(method, path).body(body.into());
    ask.header("content-type", "application/json").await
}

/// The same by who manages the poll: from others what is long is not read where they may not change it.
async fn send_as(
    poll: &Poll,
    server: &Server,
    method: Method,
    path: &str,
    body: impl Into<Vec<u8>>,
) -> Answer {
    let ask = server.request(method, path).body(body.into());
    let ask = ask.header("content-type", "application/json");
    ask.bearer(&poll.token).await
}

/// Every route that reads a body.
fn routes_with_a_body(poll: &Poll) -> Vec<(Method, String)> {
    vec![
        (Method::POST, "/api/v1/polls".into()),
        (Method::PATCH, poll.path("")),
        (Method::POST, poll.path("/votes")),
        (Method::POST, poll.path("/votes/batch")),
        (Method::PUT, poll.path("/vote")),
        (Method::POST, "/api/v1/users".into()),
        (Method::POST, "/api/v1/auth/login".into()),
        (Method::POST, "/polls".into()),
        (Method::PATCH, format!("/polls/{}", poll.id)),
        (Method::POST, format!("/polls/{}/vote", poll.id)),
        (Method::POST, "/vote".into()),
    ]
}

#[tokio::test]
async fn what_is_no_json_is_a_bad_request() {
    let server = Server::start().await;
    let poll = server.poll(json!({})).await;
    let deep = "[".repeat(50_000);
    let closed_deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let texts: [&[u8]; 11] = [
        b"",
        b"{",
        b"nul",
        b"{'question': 1}",
        br#"{"question": 1,"#,
        br#"{"question": "a"} x"#,
        b"\xef\xbb\xbf{}",
        b"{\"question\": \"\xff\"}",
        b"\xff\xfe{\0}\0",
        deep.as_bytes(),
        closed_deep.as_bytes(),
    ];
    for (method, path) in routes_with_a_body(&poll) {
        for text in texts {
            let answer = send_as(&poll, &server, method.clone(), &path, text).await;
            let shown = String::from_utf8_lossy(&text[..text.len().min(20)]);
            assert_eq!(answer.problem(), (400, "invalid".into()), "{path} {shown}");
        }
    }
}

#[tokio::test]
async fn deep_nesting_is_refused_wherever_it_stands() {
    let server = Server::start().await;
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for field in ["question", "options", "choice", "unknown"] {
        let body = format!(r#"{{"{field}":{deep}}}"#);
        let answer = send(&server, Method::POST, "/api/v1/polls", body).await;
        answer.refuses(400, "invalid");
    }
}

#[tokio::test]
async fn json_of_another_shape_is_told_where() {
    let server = Server::start().await;
    let poll = server.poll(json!({})).await;
    for (method, path) in routes_with_a_body(&poll) {
        for text in ["[]", "7", "null", "\"text\"", "[{}]"] {
            let answer = send_as(&poll, &server, method.clone(), &path, text).await;
            answer.refuses_field(422, "invalid", "");
        }
    }
    let wrong = [
        (r#"{"question": 7}"#, "/question"),
        (r#"{"question": "Q", "options": "A"}"#, "/options"),
        (r#"{"question": "Q", "options": ["A", 7]}"#, "/options/1"),
        (r#"{"question": "Q", "options": ["A"]}"#, "/options"),
        (r#"{"question": "Q", "options": ["A", " "]}"#, "/options/1"),
        (r#"{"question": "Q", "question": "R"}"#, "/question"),
        (r#"{"question": "Q", "closes_at": "soon"}"#, "/closes_at"),
        (
            r#"{"question": "Q", "show_results": "never"}"#,
            "/show_results",
        ),
        (
            r#"{"question": "Q", "allow_change": null}"#,
            "/allow_change",
        ),
        (
            r#"{"question": "Q", "choice": {"type": "ranked"}}"#,
            "/choice",
        ),
        (r#"{"question": "Q", "a/b~c": 1}"#, "/a~1b~0c"),
    ];
    for (text, pointer) in wrong {
        let answer = send(&server, Method::POST, "/api/v1/polls", text).await;
        answer.refuses(422, "invalid");
        assert!(
            answer.pointer().starts_with(pointer),
            "{text}: {}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn a_body_of_another_type_is_not_read() {
    let server = Server::start().await;
    let poll = server.poll(json!({})).await;
    for (method, path) in routes_with_a_body(&poll) {
        for content_type in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
        ] {
            let ask = server.request(method.clone(), &*path).body("{}");
            let answer = ask.header("content-type", content_type).await;
            answer.refuses(415, "unsupported_media_type");
            assert_eq!(answer.header("accept"), "application/json");
        }
        let ask = server.request(method, &*path).body("{}");
        let packed = ask.header("content-encoding", "gzip").await;
        packed.refuses(415, "unsupported_media_type");
    }
    let body = poll.vote(0, "ada").to_string();
    for good in [
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/vnd.api+json",
    ] {
        let ask = server.request(Method::POST, poll.path("/votes"));
        let answer = ask.body(body.clone()).header("content-type", good).await;
        assert!(answer.status.is_success(), "{good}");
    }
    let untyped = server.request(Method::POST, poll.path("/votes")).body(body);
    assert_eq!(untyped.await.status, 200);
}

#[tokio::test]
async fn bad_query_values_are_named_and_unknown_ones_passed_over() {
    let server = Server::start().await;
    let poll = server.poll(json!({"allow_change": true})).await;
    let cases = [
        ("/api/v1/polls?limit=x".to_owned(), "/limit"),
        ("/api/v1/polls?limit=-1".to_owned(), "/limit"),
        ("/api/v1/polls?limit=0".to_owned(), "/limit"),
        ("/api/v1/polls?limit=101".to_owned(), "/limit"),
        ("/api/v1/polls?limit=1&limit=2".to_owned(), "/limit"),
        ("/api/v1/polls?cursor=x".to_owned(), "/cursor"),
        ("/polls?cursor=x".to_owned(), "/cursor"),
        (poll.path("?voter=%FF"), "/voter"),
        (poll.path("/results?voter="), "/voter"),
        (poll.path("/results?voter=a&voter=b"), "/voter"),
        (poll.path("/events?after_revision=-1"), "/after_revision"),
        (poll.path("/vote?voter="), "/voter"),
    ];
    for (path, pointer) in cases {
        server
            .get(&*path)
            .await
            .refuses_field(422, "invalid", pointer);
    }
    let unknown = server.get("/api/v1/polls?page=7&limit=5&%FF=1&&=").await;
    assert_eq!(unknown.status, 200);
    server
        .get(poll.path("/vote"))
        .await
        .refuses(422, "voter_required");
}

#[tokio::test]
async fn bodies_that_nobody_wants_are_passed_over() {
    let server = Server::start().await;
    let poll = server.poll(json!({})).await;
    let ask = server.get(poll.path("/results"));
    assert_eq!(ask.body("{\"not\": wanted").await.status, 200);
    let ask = server
        .request(Method::DELETE, poll.path(""))
        .bearer(&poll.token);
    assert_eq!(ask.body("x".repeat(100_000)).await.status, 204);
}
