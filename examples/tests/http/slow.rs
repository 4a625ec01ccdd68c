//! Clients that send too much, too slowly, or nonsense: each gets an answer.

use std::time::Duration;

use polling_http::HttpSettings;
use polling_http::server::ServerSettings;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Server, Start, soon};

/// Reads one answer with its body, which says its length.
async fn read_answer(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read).to_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.split("content-length: ").nth(1).unwrap_or("0");
            let length: usize = length.lines().next().unwrap_or("0").parse().unwrap();
            if body.len() >= length {
                return text;
            }
        }
        let more = soon(stream.read_buf(&mut read)).await.unwrap();
        assert_ne!(more, 0, "closed after {text:?}");
    }
}

fn post(path: &str, headers: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n{headers}\r\n")
}

#[tokio::test]
async fn a_client_that_writes_before_it_reads_learns_that_its_body_is_too_large() {
    let server = Server::start().await;
    let body = vec![b' '; 10 * 1024 * 1024];
    // To a route that reads it, to one that does not, and to none.
    for (path, status) in [
        ("/api/v1/polls", "413"),
        ("/api/v1/users/x", "405"),
        ("/nothing", "404"),
    ] {
        let mut stream = server.connect().await;
        let head = post(path, &format!("content-length: {}\r\n", body.len()));
        soon(stream.write_all(head.as_bytes())).await.unwrap();
        soon(stream.write_all(&body)).await.unwrap();
        let answer = read_answer(&mut stream).await;
        assert!(
            answer.starts_with(&format!("http/1.1 {status} ")),
            "{answer}"
        );
        // The connection is as good as before.
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n")
            .await
            .unwrap();
        assert!(read_answer(&mut stream).await.starts_with("http/1.1 200 "));
    }
}

#[tokio::test]
async fn a_body_of_unknown_length_is_bounded_too() {
    let server = Server::start().await;
    let mut stream = server.connect().await;
    let head = post("/api/v1/polls", "transfer-encoding: chunked\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..16 {
        stream.write_all(b"1000\r\n").await.unwrap();
        stream.write_all(&[b' '; 0x1000]).await.unwrap();
        stream.write_all(b"\r\n").await.unwrap();
    }
    // One byte over 64 KiB.
    stream.write_all(b"1\r\n \r\n").await.unwrap();
    let answer = read_answer(&mut stream).await;
    assert!(answer.starts_with("http/1.1 413 "), "{answer}");
    assert!(answer.contains("\"code\":\"too_large\""), "{answer}");
    assert!(answer.contains("65536"), "{answer}");
}

#[tokio::test]
async fn the_bound_itself_fits() {
    let mut http = HttpSettings::default();
    http.body_bytes = 200;
    http.batch_body_bytes = 300;
    let server = Start {
        http,
        ..Start::default()
    }
    .run()
    .await;
    let poll = server.poll(json!({})).await;
    let vote = poll.vote(0, "ada").to_string();
    let batch = format!("{{\"ballots\":[{vote}]}}");
    for (path, body, most) in [("/votes", vote, 200), ("/votes/batch", batch, 300)] {
        let sized = |bytes: usize| {
            let ask = server.request(http::Method::POST, poll.path(path));
            ask.body(format!("{body:bytes$}"))
        };
        assert!(sized(most).await.status.is_success());
        sized(most + 1).await.refuses(413, "too_large");
    }
}

#[tokio::test]
async fn a_client_that_asks_first_is_told_before_it_sends() {
    let server = Server::start().await;
    let mut stream = server.connect().await;
    let head = post(
        "/api/v1/polls",
        "content-length: 10000000\r\nexpect: 100-continue\r\n",
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = read_answer(&mut stream).await;
    assert!(answer.starts_with("http/1.1 413 "), "{answer}");

    let mut stream = server.connect().await;
    let head = post(
        "/api/v1/polls",
        "content-length: 2\r\nexpect: 100-continue\r\n",
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    assert!(read_answer(&mut stream).await.starts_with("http/1.1 100 "));
    stream.write_all(b"{}").await.unwrap();
    assert!(read_answer(&mut stream).await.starts_with("http/1.1 422 "));
}

#[tokio::test]
async fn half_a_body_is_answered_when_its_time_is_over() {
    let mut http = HttpSettings::default();
    http.request_timeout = Duration::from_millis(50);
    let server = Start {
        http,
        ..Start::default()
    }
    .run()
    .await;
    let mut stream = server.connect().await;
    let head = post("/api/v1/polls", "content-length: 100\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(b"{\"question\":").await.unwrap();
    let answer = read_answer(&mut stream).await;
    assert!(answer.starts_with("http/1.1 408 "), "{answer}");
    assert!(answer.contains("\"code\":\"timeout\""), "{answer}");
}

#[tokio::test]
async fn half_a_head_is_answered_when_its_time_is_over() {
    let mut settings = ServerSettings::default();
    settings.header_read_timeout = Duration::from_millis(50);
    let server = Start {
        server: settings,
        ..Start::default()
    }
    .run()
    .await;
    // The last of them may still become HTTP/2.
    for half in ["GET /healthz HTTP/1.1\r\nhost:", "G", "P", "PRI * HTTP/2"] {
        let answer = server.say(half.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{half}: {answer}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
        assert!(
            answer.ends_with('}') && answer.contains("\"code\":\"timeout\""),
            "{answer}"
        );
    }
    assert_eq!(server.say(b"").await, "", "nobody asked for anything");
    let answered = server
        .say(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n")
        .await;
    assert!(answered.starts_with("HTTP/1.1 200 "), "{answered}");
    assert_eq!(answered.matches("HTTP/1.1").count(), 1, "{answered}");
}

#[tokio::test]
async fn a_broken_body_is_a_bad_request() {
    let server = Server::start().await;
    let mut stream = server.connect().await;
    let head = post("/api/v1/polls", "transfer-encoding: chunked\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(b"zz\r\nno chunk\r\n").await.unwrap();
    let answer = read_answer(&mut stream).await;
    assert!(answer.starts_with("http/1.1 400 "), "{answer}");
}

#[tokio::test]
async fn heads_that_are_none_or_too_large_are_refused() {
    let server = Server::start().await;
    let nonsense = server.say(b"\x16\x03\x01 what?\r\n\r\n").await;
    assert!(nonsense.starts_with("HTTP/1.1 400 "), "{nonsense}");
    let no_version = server.say(b"GET /healthz HTTP/7.0\r\n\r\n").await;
    assert!(no_version.starts_with("HTTP/1.1 400 "), "{no_version}");
    let many = "a: b\r\n".repeat(101);
    let many = server
        .say(format!("GET /healthz HTTP/1.1\r\n{many}\r\n").as_bytes())
        .await;
    assert!(many.starts_with("HTTP/1.1 431 "), "{many}");
}

#[tokio::test]
async fn a_client_that_stops_to_read_does_not_keep_its_connection() {
    let mut settings = ServerSettings::default();
    settings.write_timeout = Duration::from_millis(50);
    settings.connections = 1;
    let start = Start {
        server: settings,
        ..Start::default()
    };
    let server = start.run().await;
    let mut deaf = server.connect().await;
    // More answers than the buffers of both sides can hold: the server soon waits, and the client for the server.
    let asks = "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n".repeat(10_000);
    let ask = async { while deaf.write_all(asks.as_bytes()).await.is_ok() {} };
    soon(ask).await;
    let answer = server
        .say(b"GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        .await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}
