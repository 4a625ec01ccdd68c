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

const ASK: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n";
const ASK_ONCE: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

async fn with_connections(connections: usize) -> Server {
    let mut settings = ServerSettings::default();
    settings.connections = connections;
    let start = Start {
        server: settings,
        ..Start::default()
    };
    start.run().await
}

#[tokio::test]
async fn an_idle_connection_gives_its_place_to_a_newcomer() {
    let server = with_connections(1).await;
    let mut first = server.connect().await;
    first.write_all(ASK).await.unwrap();
    let mut status = [0; 12];
    soon(first.read_exact(&mut status)).await.unwrap();

    let mut second = server.connect().await;
    second.write_all(ASK).await.unwrap();
    soon(second.read_exact(&mut status)).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 200");
    // The first was answered whole, and then closed.
    let mut rest = Vec::new();
    soon(first.read_to_end(&mut rest)).await.unwrap();
    assert!(rest.ends_with(b"}"), "{rest:?}");
}

#[tokio::test]
async fn where_all_connections_are_in_use_a_newcomer_is_refused_at_once() {
    let server = with_connections(1).await;
    let poll = server.poll(json!({})).await;
    let mut viewer = Events::open(server.get(poll.path("/events"))).await;
    viewer.results().await;
    let refused = server.say(ASK).await;
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    for part in [
        "content-type: application/problem+json\r\n",
        "retry-after: 1\r\n",
        "connection: close\r\n",
        "\"code\":\"overloaded\"",
    ] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    // Also one that sends more than anybody reads, or nothing, hears it.
    let long = [ASK, &[b' '; 10_000]].concat();
    assert!(server.say(&long).await.starts_with("HTTP/1.1 503 "));
    assert!(server.say(b"").await.starts_with("HTTP/1.1 503 "));
    // The viewer's place is free again once they have gone.
    drop(viewer);
    while !server.say(ASK_ONCE).await.starts_with("HTTP/1.1 200 ") {}
}

#[tokio::test]
async fn where_nobody_may_be_refused_for_long_all_are_refused_at_once() {
    let mut settings = ServerSettings::default();
    (settings.connections, settings.refusals) = (0, 0);
    let start = Start {
        server: settings,
        ..Start::default()
    };
    let server = start.run().await;
    let refused = server.say(b"").await;
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
}

#[tokio::test]
async fn a_client_of_http_2_for_whom_there_is_no_place_may_send_everything_again() {
    let server = with_connections(0).await;
    let io = TokioIo::new(server.connect().await);
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), io);
    let (mut sender, connection) = soon(handshake).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = http::Request::get(format!("http://{}/healthz", server.address));
    let request = request.body(Full::<Bytes>::default()).unwrap();
    let refused = soon(sender.send_request(request)).await;
    assert!(refused.is_err());
    let ended = soon(connection).await.unwrap().unwrap_err();
    let ended = format!("{ended:?}");
    assert!(ended.contains("ENHANCE_YOUR_CALM"), "{ended}");
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
