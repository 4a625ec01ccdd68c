//! The end of the server, as its clients see it.

use std::time::Duration;

use polling_ws::{Goodbye, WsSettings};
use serde_json::json;

use crate::support::{Client, Server, soon, vote};

#[tokio::test]
async fn a_shutdown_says_whether_the_server_comes_back() {
    for (goodbye, code) in [(Goodbye::Leaving, 1001), (Goodbye::Restarting, 1012)] {
        let server = Server::start().await;
        let (mut idle, mut viewer) = (server.client().await, server.client().await);
        viewer.subscribe(server.poll().await.id).await;
        let (api, idle, viewer) = tokio::join!(
            soon(server.api.shutdown(goodbye)),
            idle.closed(),
            viewer.closed()
        );
        assert_eq!((api, idle, viewer), ((), code, code));
        assert_eq!(server.api.connections(), 0);
        assert_eq!(Client::with(server.address, &[]).await.err(), Some(503));
    }
}

#[tokio::test]
async fn votes_that_were_taken_are_answered_before_the_close() {
    let server = Server::start().await;
    let (mut client, poll) = (server.client().await, server.poll().await);
    for voter in 0..200 {
        client.send(&vote(&poll, &voter.to_string())).await;
    }
    // This comes after them, so they were read; most are still in flight.
    client.send(&json!({"type": "ping"})).await;
    let mut acks = 0;
    while client.next().await["type"] == "ack" {
        acks += 1;
    }
    let api = server.api.clone();
    let shutdown = tokio::spawn(async move { api.shutdown(Goodbye::Leaving).await });
    while acks < 200 {
        assert_eq!(client.next().await["type"], "ack");
        acks += 1;
    }
    assert_eq!(client.closed().await, 1001);
    soon(shutdown).await.unwrap();
}

#[tokio::test]
async fn a_client_that_does_not_answer_holds_nobody_up() {
    let mut settings = WsSettings::default();
    settings.close_timeout = Duration::from_millis(50);
    let server = Server::with(settings).await;
    let deaf = server.client().await;
    soon(server.api.shutdown(Goodbye::Leaving)).await;
    assert_eq!(server.api.connections(), 0);
    drop(deaf);
}

#[tokio::test]
async fn the_end_of_the_engine_is_the_end_of_its_viewers() {
    let server = Server::start().await;
    let mut viewer = server.client().await;
    viewer.subscribe(server.poll().await.id).await;
    soon(server.engine.shutdown()).await;
    assert_eq!(viewer.closed().await, 1001);
    // Who was not watching is told when it votes.
    let mut other = server.client().await;
    other.hears_nothing().await;
}
