//! Bodies that nobody needs to read, and bodies that there is no room for.

use std::time::Duration;

use futures_util::future::select_all;
use http::Method;
use polling_core::Settings;
use polling_core::limits::Limit;
use polling_http::HttpSettings;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::store::Store;
use crate::support::{Poll, Server, Start, soon};
use crate::team::{Person, Team};

on_every_store! {
    what_can_be_refused_is_refused_before_its_body_is_read
}

/// What is nowhere.
const NOTHING: &str = "018f3c6e-0000-7000-8000-000000000001";

/// A head that promises a body of so many bytes.
fn head(method: &Method, path: &str, headers: &str, bytes: usize) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n{headers}content-length: {bytes}\r\n\r\n"
    )
}

/// The answer to what was sent so far.
async fn answer(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    while !read.windows(4).any(|end| end == b"\r\n\r\n") {
        assert_ne!(soon(stream.read_buf(&mut read)).await.unwrap(), 0);
    }
    String::from_utf8(read).unwrap()
}

async fn sent(server: &Server, head: &str, body: &[u8]) -> TcpStream {
    let mut stream = server.connect().await;
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    stream
}

/// Somebody who sends a head, and no byte of the body, is answered: so the body was not waited for.
async fn refused_unread(server: &Server, method: Method, path: &str, token: &str) -> String {
    let bearer = match token {
        "" => String::new(),
        token => format!("authorization: Bearer {token}\r\n"),
    };
    let mut told = Vec::new();
    for (headers, bytes) in [("", 50_000), ("expect: 100-continue\r\n", 10)] {
        let head = head(&method, path, &format!("{bearer}{headers}"), bytes);
        let mut stream = sent(server, &head, b"").await;
        told.push(answer(&mut stream).await[9..12].to_owned());
    }
    assert_eq!(told[0], told[1], "{method} {path}");
    told.remove(0)
}

async fn what_can_be_refused_is_refused_before_its_body_is_read(store: Store) {
    let team = Team::on(store).await;
    let server = &team.server;
    let draft = team.poll(json!({})).await;
    let open = team
        .poll(json!({"voters": "registered", "publish": true}))
        .await;
    let (post, patch, put) = (Method::POST, Method::PATCH, Method::PUT);
    let nothing = format!("/api/v1/polls/{NOTHING}");
    let (olga, vera, eve) = (&*team.olga.token, &*team.vera.token, &*team.eve.token);
    let room = &*team.path;
    let table = [
        (&post, format!("{nothing}/votes/batch"), "", "404"),
        (&post, "/api/v1/polls/x/votes/batch".into(), "", "404"),
        (&post, draft.path("/votes/batch"), "", "404"),
        (&post, draft.path("/votes/batch"), eve, "404"),
        (&post, draft.path("/votes/batch"), olga, "409"),
        (&post, draft.path("/votes"), eve, "404"),
        (&post, open.path("/votes"), "", "401"),
        (&put, open.path("/vote"), "", "401"),
        (&post, format!("/polls/{NOTHING}/vote"), "", "404"),
        (&post, draft.path("/tokens/revoke"), eve, "404"),
        (&post, open.path("/tokens/revoke"), eve, "403"),
        (&post, open.path("/tokens"), "", "401"),
        (&post, open.path("/tokens"), olga, "409"),
        (&patch, draft.path(""), eve, "404"),
        (&patch, open.path(""), eve, "403"),
        (&patch, open.path(""), "", "401"),
        (&patch, "/api/v1/users/me".into(), "", "401"),
        (&post, "/api/v1/auth/password".into(), "", "401"),
        (&post, "/api/v1/workspaces".into(), "", "401"),
        (&patch, room.into(), eve, "404"),
        (&patch, room.into(), vera, "403"),
        (&post, format!("{room}/invitations"), vera, "403"),
        (&post, format!("{room}/projects"), vera, "403"),
        (&patch, format!("{room}/members/{NOTHING}"), vera, "403"),
        (&patch, format!("{room}/projects/{NOTHING}"), vera, "403"),
    ];
    for (method, path, token, status) in table {
        let told = refused_unread(server, method.clone(), &path, token).await;
        assert_eq!(told, status, "{method} {path}");
    }
}

#[tokio::test]
async fn what_was_done_as_often_as_it_may_be_is_refused_unread() {
    let mut core = Settings::default();
    core.limits.loopback = true;
    let once = Some(Limit::per_minute(1));
    (
        core.limits.create_poll,
        core.limits.refresh,
        core.limits.manage,
    ) = (once, once, once);
    let start = Start {
        core,
        ..Start::default()
    };
    let server = start.run().await;
    let ada = Person::signs_up(&server, "ada").await;
    let new = json!({"question": "Soup?", "options": ["Yes", "No"], "publish": true});
    let poll = server.post("/api/v1/polls", &new).bearer(&ada.token).await;
    let poll = Poll::of(&poll.json());
    let spent = json!({"refresh_token": "pr_none"});
    server.post("/api/v1/auth/refresh", &spent).await;
    let edit = server.request(Method::PATCH, poll.path(""));
    edit.json(&json!({"description": "x"}))
        .bearer(&ada.token)
        .await;
    for (method, path, token) in [
        (Method::POST, "/api/v1/polls".to_owned(), &*ada.token),
        (Method::POST, "/api/v1/auth/refresh".to_owned(), ""),
        (Method::PATCH, poll.path(""), &*ada.token),
    ] {
        assert_eq!(refused_unread(&server, method, &path, token).await, "429");
    }
}

/// A server that has room for two large bodies, and a poll there.
async fn small_server() -> (Server, Poll) {
    let mut http = HttpSettings::default();
    http.body_bytes = 40_000;
    http.batch_body_bytes = 60_000;
    http.held_body_bytes = 1;
    let start = Start {
        http,
        ..Start::default()
    };
    let server = start.run().await;
    let poll = server.poll(json!({})).await;
    (server, poll)
}

#[tokio::test]
async fn large_bodies_are_refused_while_there_is_no_room_for_them_and_votes_are_not() {
    let (server, poll) = small_server().await;
    let batch = head(&Method::POST, &poll.path("/votes/batch"), "", 50_000);
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(sent(&server, &batch, &[b' '; 45_000]).await);
    }
    // Two of them fit, whichever arrive first.
    let answers = streams.iter_mut().map(|stream| Box::pin(answer(stream)));
    let (mut refused, ..) = select_all(answers).await;
    refused.make_ascii_lowercase();
    assert!(refused.starts_with("http/1.1 503 "), "{refused}");
    assert!(refused.contains("retry-after: "), "{refused}");
    // A vote has room, in one piece and in two.
    let vote = server.post(poll.path("/votes"), &poll.vote(0, "ada"));
    assert_eq!(vote.await.status, 201);
    let vote = poll.vote(0, "bob").to_string();
    let (begin, end) = vote.as_bytes().split_at(20);
    let ask = head(&Method::POST, &poll.path("/votes"), "", vote.len());
    let mut stream = sent(&server, &ask, begin).await;
    stream.write_all(end).await.unwrap();
    assert!(answer(&mut stream).await.starts_with("HTTP/1.1 201 "));
    // Whoever leaves makes room.
    drop(streams);
    let batch = json!({"ballots": [poll.vote(0, "cleo")]}).to_string();
    let taken = async {
        loop {
            let ask = server.request(Method::POST, poll.path("/votes/batch"));
            let answer = ask.body(format!("{batch:50000}")).await;
            if answer.status == 200 {
                break;
            }
            answer.refuses(503, "overloaded");
        }
    };
    soon(taken).await;
}

#[tokio::test]
async fn a_large_body_that_trickles_is_answered_long_before_its_request_is_late() {
    let mut http = HttpSettings::default();
    http.body_pace_time = Duration::from_millis(50);
    let start = Start {
        http,
        ..Start::default()
    };
    let server = start.run().await;
    let poll = server.poll(json!({})).await;
    let batch = head(&Method::POST, &poll.path("/votes/batch"), "", 50_000);
    let mut stream = sent(&server, &batch, &[b' '; 20_000]).await;
    let answer = answer(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}
