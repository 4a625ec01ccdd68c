//! Who is let in, and what is said to who is not.

use axum::Router;
use axum::routing::get;
use polling_core::polls::ShowResults;
use polling_core::{Actor, NewPoll};
use polling_ws::{Origins, WsApi, WsSettings};
use serde_json::json;
use tokio::net::TcpListener;

use crate::store::Store;
use crate::support::{Client, Server, engine, handshake, soon};

const GET: &str = "GET /api/v1/ws HTTP/1.1";
const UPGRADE: &str = "upgrade: websocket";
const VERSION: &str = "sec-websocket-version: 13";
const KEY: &str = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";

#[tokio::test]
async fn the_service_mounts_in_axum() {
    let (engine, _store) = engine(Store::default()).await;
    let app = Router::new()
        .route_service("/api/v1/ws", WsApi::new(engine.clone()))
        .route("/hello", get(|| async { "hello" }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move { axum::serve(listener, app).await });

    let new = NewPoll::single("Tea or coffee?", ["Tea", "Coffee"]).published();
    let poll = engine
        .polls()
        .create(&Actor::anonymous(), new)
        .await
        .unwrap();
    let mut client = Client::connect(address).await;
    assert_eq!(client.subscribe(poll.id).await["ballots"], 0);
    client.send(&crate::support::vote(&poll, "ada")).await;
    let both = [client.next().await, client.next().await];
    assert!(both.iter().any(|frame| frame["type"] == "ack"));
    assert!(both.iter().any(|frame| frame["ballots"] == 1));
    serving.abort();
}

#[tokio::test]
async fn what_is_no_handshake_is_told_what_is_wrong() {
    let server = Server::start().await;
    let at = server.address;

    let (status, headers, problem) =
        handshake(at, &["POST /api/v1/ws HTTP/1.1", "content-length: 0"]).await;
    assert_eq!((status, &headers["allow"]), (405, &"GET".parse().unwrap()));
    assert_eq!(headers["content-type"], "application/problem+json");
    assert_eq!(problem["code"], "method_not_allowed");
    assert_eq!(
        (&problem["status"], problem["title"].is_string()),
        (&json!(405), true)
    );
    assert_eq!(
        problem["type"],
        "urn:problem-type:polling:method_not_allowed"
    );
    assert!(problem["detail"].is_string());

    let (status, headers, problem) = handshake(at, &[GET]).await;
    assert_eq!((status, &problem["code"]), (426, &json!("invalid")));
    assert_eq!(headers["upgrade"], "websocket");

    let version = "sec-websocket-version: 8";
    let (status, headers, _) =
        handshake(at, &[GET, UPGRADE, "connection: upgrade", version, KEY]).await;
    assert_eq!(status, 426);
    assert_eq!(headers["sec-websocket-version"], "13");

    // The helper says `connection: close`, which asks for no upgrade.
    let (status, _, problem) = handshake(at, &[GET, UPGRADE, VERSION, KEY]).await;
    assert_eq!((status, &problem["code"]), (400, &json!("invalid")));

    for key in ["x-none: 1", "sec-websocket-key: short"] {
        let lines = [GET, UPGRADE, "connection: upgrade", VERSION, key];
        let (status, _, problem) = handshake(at, &lines).await;
        assert_eq!(
            (status, &problem["code"]),
            (400, &json!("invalid")),
            "{key}"
        );
    }
    assert_eq!(server.api.connections(), 0);
}

#[tokio::test]
async fn pages_of_another_origin_are_kept_out() {
    let server = Server::start().await;
    let same = format!("http://{}", server.address);
    let from = async |origin: &str| {
        Client::with(server.address, &[("origin", origin)])
            .await
            .err()
    };
    assert_eq!(from(&same).await, None);
    assert_eq!(from("https://evil.example").await, Some(403));
    assert_eq!(from("null").await, Some(403));
    let evil = "origin: https://evil.example";
    let (status, _, problem) = handshake(
        server.address,
        &[GET, UPGRADE, "connection: upgrade", VERSION, KEY, evil],
    )
    .await;
    assert_eq!((status, &problem["code"]), (403, &json!("forbidden")));

    let mut settings = WsSettings::default();
    settings.origins = Origins::Listed(vec!["https://app.example".into()]);
    let server = Server::with(settings).await;
    let from = async |origin: &str| {
        Client::with(server.address, &[("origin", origin)])
            .await
            .err()
    };
    assert_eq!(from("https://app.example").await, None);
    assert_eq!(from("https://evil.example").await, Some(403));
    // No browser: no page either.
    server.client().await.hears_nothing().await;
}

#[tokio::test]
async fn a_good_token_counts_from_the_start_and_a_bad_one_is_refused() {
    let server = Server::start().await;
    let new = NewPoll::single("?", ["a", "b"])
        .show_results(ShowResults::Managers)
        .published();
    let poll = server.create(&Actor::anonymous(), new).await;
    let bearer = format!("Bearer {}", poll.manage_token.as_deref().unwrap());
    let mut client = Client::with(server.address, &[("authorization", &bearer)])
        .await
        .ok()
        .unwrap();
    assert_eq!(client.subscribe(poll.id).await["type"], "results");

    for bad in ["Bearer pm_unknown", "Bearer x", "Basic eDp5", "Bearer"] {
        let refused = Client::with(server.address, &[("authorization", bad)]).await;
        assert_eq!(refused.err(), Some(401), "{bad}");
    }
    let token = "authorization: Bearer pm_unknown";
    let lines = [GET, UPGRADE, "connection: upgrade", VERSION, KEY, token];
    let (_, headers, problem) = handshake(server.address, &lines).await;
    assert!(
        headers["www-authenticate"]
            .to_str()
            .unwrap()
            .starts_with("Bearer")
    );
    assert_eq!(problem["code"], "unauthorized");
}

#[tokio::test]
async fn one_connection_too_many_is_refused_until_another_leaves() {
    let mut settings = WsSettings::default();
    settings.connections = 1;
    let server = Server::with(settings).await;
    let mut first = server.client().await;
    let lines = [GET, UPGRADE, "connection: upgrade", VERSION, KEY];
    let (status, headers, problem) = handshake(server.address, &lines).await;
    assert_eq!((status, &problem["code"]), (503, &json!("overloaded")));
    assert_eq!(headers["retry-after"], "1");

    first.socket.close(None).await.unwrap();
    // The place is free once the server has let go of the connection.
    soon(async {
        while Client::with(server.address, &[]).await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
