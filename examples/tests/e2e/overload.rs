//! More votes than there is room for, over the wire: quick refusals that say when to come again, true answers to what was
//! taken, and a queue that does not grow beyond its bound.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::stream::FuturesUnordered;
use futures_util::{SinkExt, StreamExt};
use http::{Method, StatusCode, header};
use polling_conformance::faulty::FaultyStore;
use polling_core::{Engine, Settings};
use polling_http::HttpApi;
use polling_http::server::{ServerSettings, serve};
use polling_ws::WsApi;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;

use crate::crash::open_poll;
use crate::store::{Guard, Store};
use crate::support::client::Client;
use crate::support::soon;
use crate::support::voter::{ballot, votes_of};

on_every_store! {
    a_flood_over_http_is_refused_at_once_and_what_was_taken_is_answered
    a_flood_over_a_web_socket_is_refused_at_once_and_what_was_taken_is_answered
}

const QUEUE: usize = 20;
const FLOOD: usize = 100;

/// A server whose store is held up, with one ballot in its hands.
struct Held {
    store: Arc<FaultyStore>,
    engine: Engine,
    http: SocketAddr,
    ws: SocketAddr,
    poll: Value,
    first: tokio::task::JoinHandle<StatusCode>,
    _guard: Guard,
}

impl Held {
    async fn on(store: Store) -> Self {
        let (store, guard) = store.fresh().await;
        let store = FaultyStore::new(store);
        let mut settings = Settings::default();
        settings.lanes = Some(1);
        (settings.queue_ballots, settings.request_ballots) = (QUEUE, QUEUE);
        let engine = Engine::builder(store.clone()).settings(settings).build();
        let engine = engine.await.unwrap();
        let (http, listener) = bind().await;
        let api = HttpApi::new(engine.clone());
        let forever = std::future::pending;
        tokio::spawn(serve(listener, api, ServerSettings::default(), forever()));
        let (ws, listener) = bind().await;
        let api = WsApi::new(engine.clone());
        tokio::spawn(serve(listener, api, ServerSettings::default(), forever()));
        let poll = open_poll(&mut Client::connect(http).await.unwrap()).await;
        store.record.shut();
        let first = tokio::spawn({
            let poll = poll.clone();
            async move { vote(http, &poll, "first").await.status() }
        });
        soon(store.record.somebody_waits()).await;
        Self {
            store,
            engine,
            http,
            ws,
            poll,
            first,
            _guard: guard,
        }
    }

    /// Lets the store go on; then so many were recorded, and no more.
    async fn ends(self, recorded: usize) {
        let first = soon(self.first).await.unwrap();
        assert_eq!(first, StatusCode::CREATED);
        let id = self.poll["id"].as_str().unwrap().parse().unwrap();
        let system = &polling_core::Actor::System;
        let recount = self.engine.results().recount(system, id).await.unwrap();
        assert!(recount.agrees(), "{recount:?}");
        assert_eq!(recount.ballots, recorded as u64 + 1);
    }
}

async fn bind() -> (SocketAddr, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    (listener.local_addr().unwrap(), listener)
}

async fn vote(server: SocketAddr, poll: &Value, voter: &str) -> http::Response<Value> {
    let mut client = Client::connect(server).await.unwrap();
    let (path, ballot) = (votes_of(poll), ballot(poll, voter));
    let sent = client.exchange(Method::POST, &path, Some(&ballot)).await;
    sent.unwrap()
}

fn assert_overloaded(answer: &http::Response<Value>) {
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.body()["code"], "overloaded");
    let seconds = answer.headers()[header::RETRY_AFTER].to_str().unwrap();
    assert!(seconds.parse::<u32>().unwrap() > 0, "{seconds}");
}

async fn a_flood_over_http_is_refused_at_once_and_what_was_taken_is_answered(store: Store) {
    let held = Held::on(store).await;
    let voters: Vec<String> = (0..FLOOD).map(|n| format!("voter-{n}")).collect();
    let mut answers: FuturesUnordered<_> = voters
        .iter()
        .map(|voter| vote(held.http, &held.poll, voter))
        .collect();
    // While the store does not move, everybody who finds no room is told.
    for _ in 0..FLOOD - QUEUE {
        assert_overloaded(&soon(answers.next()).await.unwrap());
    }
    held.store.record.open();
    let mut recorded = 0;
    while let Some(answer) = soon(answers.next()).await {
        if answer.status() == StatusCode::CREATED {
            recorded += 1;
        } else {
            assert_overloaded(&answer);
        }
    }
    assert!(recorded > 0);
    drop(answers);
    held.ends(recorded).await;
}

async fn a_flood_over_a_web_socket_is_refused_at_once_and_what_was_taken_is_answered(store: Store) {
    let held = Held::on(store).await;
    let stream = TcpStream::connect(held.ws).await.unwrap();
    let url = format!("ws://{}/api/v1/ws", held.ws);
    let (socket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
    let (mut sender, mut frames) = socket.split();
    for n in 0..FLOOD {
        let mut frame = ballot(&held.poll, &format!("voter-{n}"));
        frame["type"] = json!("vote");
        frame["poll_id"] = held.poll["id"].clone();
        frame["ref"] = json!(n.to_string());
        sender.send(Message::text(frame.to_string())).await.unwrap();
    }
    let mut refs = std::collections::BTreeSet::new();
    let (mut recorded, mut refused) = (0, 0);
    while recorded + refused < FLOOD {
        let frame = soon(frames.next()).await.unwrap().unwrap();
        let Message::Text(text) = frame else { continue };
        let said: Value = serde_json::from_str(&text).unwrap();
        assert!(
            refs.insert(said["ref"].to_string()),
            "answered twice: {said}"
        );
        match said["type"].as_str() {
            Some("error") => {
                assert_eq!(said["code"], "overloaded");
                refused += 1;
                if refused == FLOOD - QUEUE {
                    assert_eq!(recorded, 0, "the store was held");
                    held.store.record.open();
                }
            }
            Some("ack") => recorded += 1,
            _ => panic!("{said}"),
        }
    }
    assert!(recorded > 0);
    held.ends(recorded).await;
}
