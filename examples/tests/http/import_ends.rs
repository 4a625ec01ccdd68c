//! What ends an import before its rows do: what is no import, what is too long or too slow, and a store that fails.

use std::convert::Infallible;
use std::fmt::Write;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream;
use http::{Method, Request};
use http_body_util::StreamBody;
use hyper::body::{Bytes, Frame};
use polling_conformance::faulty::{Fault, FaultyStore};
use polling_core::{Actor, AuthError, Authenticator, Engine, Settings};
use polling_http::{HttpApi, HttpSettings};
use polling_sqlite::SqliteStore;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tower::Service;

use crate::imports::{IMPORT, begin, csv, in_twos, lines, read_end, send, started, statuses, sums};
use crate::store::Store;
use crate::support::{Start, soon};

on_every_store! {
    what_cannot_be_an_import_is_refused_at_once
    what_goes_on_too_long_ends_with_a_problem
    who_stops_sending_gives_up_their_turn
    what_a_store_fails_to_write_has_no_outcome_and_can_be_sent_again
}

async fn what_cannot_be_an_import_is_refused_at_once(store: Store) {
    let mut http = HttpSettings::default();
    http.import_body_bytes = 1_000;
    let (server, root) = started(Start {
        http,
        ..Start::on(store)
    })
    .await;
    let good = "name,email\nAda,ada@example.org\n";
    let long = format!("{good}{}", "x".repeat(1_000));
    csv(&server, &root, long).await.refuses(413, "too_large");
    for (name, value) in [
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
    ] {
        let ask = server.request(Method::POST, IMPORT).bearer(&root);
        let refused = ask.header(name, value).body(good).await;
        refused.refuses(415, "unsupported_media_type");
    }
    let ask = server.request(Method::POST, IMPORT).bearer(&root);
    let refused = ask.body(good).await;
    refused.refuses(415, "unsupported_media_type");
    assert_eq!(refused.header("accept"), "text/csv, application/x-ndjson");
    for columns in ["", "Ada,ada@example.org\n", "name\nAda\n"] {
        let refused = csv(&server, &root, columns).await;
        refused.refuses_field(422, "invalid", "");
    }
    let refused = csv(&server, &root, good).header("idempotency-key", "x");
    refused
        .await
        .refuses_field(422, "invalid", "/Idempotency-Key");
    // Who may not import is told so, whatever else is wrong; who may learns what is.
    let (_, ada) = server.user("ada-once-more").await;
    for (name, value) in [
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
        ("idempotency-key", "x"),
    ] {
        let ask = || {
            let ask = server.request(Method::POST, IMPORT).header(name, value);
            ask.body("x".repeat(1_001))
        };
        ask().await.refuses(401, "unauthorized");
        ask().bearer(&ada).await.refuses(403, "forbidden");
    }
    // None of them holds anything up.
    let (rows, _) = lines(&csv(&server, &root, good).await);
    assert_eq!(statuses(&rows), [201]);
}

async fn what_goes_on_too_long_ends_with_a_problem(store: Store) {
    let mut core = Settings::default();
    core.imports.rows = 3;
    let mut http = HttpSettings::default();
    http.import_body_bytes = 1_000;
    let (server, root) = started(Start {
        core,
        http,
        ..Start::on(store)
    })
    .await;
    let many: String = (0..5).fold("name,email\n".into(), |mut body, n| {
        let _ = writeln!(body, "Ada,ada{n}@example.org");
        body
    });
    let (rows, end) = lines(&csv(&server, &root, many).await);
    assert_eq!(statuses(&rows), [201, 201, 201]);
    assert_eq!(sums(&end), [3, 3, 0, 0]);
    assert_eq!(end["import"]["state"], "stopped");
    assert_eq!(end["problem"]["status"], 422);

    let mut stream = begin(&server, &root).await;
    send(&mut stream, "name,email\nBob,bob@example.org\n").await;
    send(&mut stream, &"x".repeat(1_000)).await;
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    let (head, end) = read_end(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert_eq!(end["problem"]["code"], "too_large");
    assert_eq!(end["import"]["state"], "stopped");
    // Its one row was not written, and has no outcome.
    assert_eq!(sums(&end), [0, 0, 0, 0]);
    server.user("bob").await;
}

async fn who_stops_sending_gives_up_their_turn(store: Store) {
    let mut http = HttpSettings::default();
    http.import_body_time = Duration::from_secs(1);
    let start = Start {
        http,
        ..Start::on(store)
    };
    let (server, root) = started(start).await;
    // Without its columns nothing has begun, and there is no answer yet.
    let mut stream = begin(&server, &root).await;
    send(&mut stream, "name,").await;
    let mut answer = String::new();
    soon(stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");

    let mut stream = begin(&server, &root).await;
    send(&mut stream, "name,email\nAda,ada@example.org\nBob,").await;
    let (head, end) = read_end(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert_eq!(end["problem"]["code"], "timeout");
    assert_eq!(end["import"]["state"], "stopped");
    let (rows, _) = lines(&csv(&server, &root, "name,email\nAda,ada@example.org\n").await);
    assert_eq!(statuses(&rows), [201]);
}

/// Takes everybody for the application itself, which nothing is looked up of.
struct Trusting;

#[async_trait]
impl Authenticator for Trusting {
    async fn authenticate(&self, _: &str) -> Result<Actor, AuthError> {
        Ok(Actor::System)
    }
}

/// The time of the request and that of the first piece are over at once: it is the client who was late, and not the server.
#[tokio::test]
async fn columns_that_do_not_come_are_late() {
    let store = SqliteStore::in_memory().await.unwrap();
    let engine = Engine::builder(store).authenticator(Trusting);
    let mut api = HttpApi::new(engine.build().await.unwrap());
    tokio::time::pause();
    let silent = stream::pending::<Result<Frame<Bytes>, Infallible>>();
    let request = Request::post(IMPORT)
        .header("authorization", "Bearer x")
        .header("content-type", "text/csv")
        .body(StreamBody::new(silent));
    let answer = api.call(request.unwrap()).await.unwrap();
    assert_eq!(answer.status(), 408);
}

async fn what_a_store_fails_to_write_has_no_outcome_and_can_be_sent_again(store: Store) {
    // The second of its batches is not written, or it is, and nobody hears of it.
    for (fault, then) in [
        (Fault::LostBeforeCommit, [200, 200, 201, 201, 201]),
        (Fault::LostAfterCommit, [200, 200, 200, 200, 201]),
    ] {
        let faulty = Arc::new(OnceLock::new());
        let handle = Arc::clone(&faulty);
        let start = Start {
            core: in_twos(),
            around: Some(Box::new(move |store| {
                handle.get_or_init(|| FaultyStore::new(store)).clone()
            })),
            ..Start::on(store)
        };
        let (server, root) = started(start).await;
        faulty.get().unwrap().will_import([None, Some(fault)]);
        let body = "name,email\nA,a@example.org\nB,b@example.org\nC,c@example.org\n\
            D,d@example.org\nE,e@example.org\n";
        let answer = csv(&server, &root, body).await;
        let (rows, end) = lines(&answer);
        assert_eq!(statuses(&rows), [201, 201]);
        assert_eq!(
            (sums(&end), &end["import"]["state"]),
            ([2, 2, 0, 0], &"stopped".into())
        );
        let problem = &end["problem"];
        assert_eq!(
            (&problem["status"], &problem["code"]),
            (&503.into(), &"unavailable".into())
        );
        assert!(
            !answer.text().contains("as the test wants"),
            "{}",
            answer.text()
        );
        let progress = server.get(answer.header("location")).bearer(&root).await;
        assert_eq!(progress.json(), end["import"]);

        let (again, end) = lines(&csv(&server, &root, body).await);
        assert_eq!(statuses(&again), then, "{fault:?}");
        assert_eq!(end["import"]["state"], "done");
        assert_eq!(end.get("problem"), None);
        for (first, second) in rows.iter().zip(&again) {
            assert_eq!(first["id"], second["id"]);
        }
    }
}
