//! The server around the service: leaving, the number of connections, HTTP/2.

use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use polling_http::server::ServerSettings;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::event_stream::Events;
use crate::support::{Server, Start, soon};

#[tokio::test]
async fn a_request_that_has_begun_is_answered_before_the_server_leaves() {
    let server = Server::start().await;
    let poll = server.poll(json!({})).await;
    let address = server.address;
    let mut stream = server.connect().await;
    let body = poll.vote(0, "ada").to_string();
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        poll.path("/votes"),
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut asked = [0; 25];
    // The handler waits for the body now.
    soon(stream.read_exact(&mut asked)).await.unwrap();
    assert!(asked.starts_with(b"HTTP/1.1 100 "));
    let stopped = server.begin_to_stop();
    // Once nobody is listening, the server is on its way out.
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    soon(stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    stopped.await;
}

#[tokio::test]
async fn idle_connections_do_not_keep_the_server() {
    let server = Server::start().await;
    let mut silent = server.connect().await;
    let mut kept = server.connect().await;
    kept.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    let mut first = [0; 12];
    soon(kept.read_exact(&mut first)).await.unwrap();
    server.stop().await;
    let mut rest = Vec::new();
    soon(silent.read_to_end(&mut rest)).await.unwrap();
    assert_eq!(rest, b"");
    soon(kept.read_to_end(&mut rest)).await.unwrap();
}

#[tokio::test]
async fn who_does_not_end_is_left_after_the_grace() {
    let mut settings = ServerSettings::default();
    settings.shutdown_grace = Duration::from_millis(20);
    let server = Start {
        server: settings,
        ..Start::default()
    }
    .run()
    .await;
    let poll = server.poll(json!({})).await;
    // The engine is not shut down, so that this stream goes on.
    let mut events = Events::open(server.get(poll.path("/events"))).await;
    events.results().await;
    server.stop().await;
}

#[tokio::test]
async fn one_connection_too_many_waits_for_another_to_end() {
    let mut settings = ServerSettings::default();
    settings.connections = 1;
    let server = Start {
        server: settings,
        ..Start::default()
    }
    .run()
    .await;
    let ask = b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n";
    let mut first = server.connect().await;
    first.write_all(ask).await.unwrap();
    let mut status = [0; 12];
    soon(first.read_exact(&mut status)).await.unwrap();

    let mut second = server.connect().await;
    second.write_all(ask).await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(50), second.read_exact(&mut status));
    assert!(early.await.is_err(), "the only slot was taken");
    drop(first);
    soon(second.read_exact(&mut status)).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 200");
}

#[tokio::test]
async fn http_2_is_spoken_too() {
    let server = Server::start().await;
    let poll = server.poll(json!({})).await;
    let io = TokioIo::new(server.connect().await);
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), io);
    let (mut sender, connection) = handshake.await.unwrap();
    tokio::spawn(connection);
    for (path, body, status) in [
        (poll.path("/votes"), poll.vote(0, "ada").to_string(), 201),
        (poll.path("/votes"), poll.vote(0, "ada").to_string(), 200),
        ("/api/v1/polls".to_owned(), " ".repeat(100_000), 413),
        ("/nothing".to_owned(), " ".repeat(100_000), 404),
    ] {
        let uri = format!("http://{}{path}", server.address);
        let request = http::Request::post(uri)
            .body(Full::new(Bytes::from(body)))
            .unwrap();
        let answer = soon(sender.send_request(request)).await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        assert!(answer.headers().contains_key("x-request-id"));
        soon(answer.into_body().collect()).await.unwrap();
    }
}
