//! Bounds of a connection in time, and of what it holds.

use std::time::Duration;

use futures_util::StreamExt;
use polling_core::NewPoll;
use polling_core::polls::ShowResults;
use polling_ws::WsSettings;
use tokio_tungstenite::tungstenite::Message;

use crate::members::{authenticate, signed_in};
use crate::support::{Server, soon};

fn impatient() -> WsSettings {
    let mut settings = WsSettings::default();
    settings.heartbeat_interval = Duration::from_millis(100);
    settings
}

#[tokio::test]
async fn a_client_that_answers_pings_stays() {
    let server = Server::with(impatient()).await;
    let mut client = server.client().await;
    let mut pings = 0;
    // Reading a ping answers it.
    while pings < 5 {
        let message = soon(client.socket.next()).await.unwrap().unwrap();
        assert!(matches!(message, Message::Ping(_)), "{message:?}");
        pings += 1;
    }
    client.hears_nothing().await;
}

#[tokio::test]
async fn a_silent_client_is_let_go() {
    let server = Server::with(impatient()).await;
    let silent = server.client().await;
    assert_eq!(server.api.connections(), 1);
    soon(async {
        while server.api.connections() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    drop(silent);
}

#[tokio::test]
async fn a_connection_holds_only_so_many_tokens() {
    let mut settings = WsSettings::default();
    settings.credentials = 1;
    let server = Server::with(settings).await;
    let mut client = server.client().await;
    for answer in ["ok", "error"] {
        let token = server.poll().await.manage_token;
        let said = client.ask(authenticate(&token.unwrap())).await;
        assert_eq!(said["type"], answer, "{said}");
    }
    // Who is signed in stays so: an access token takes the place of the one before.
    let (ada, token) = signed_in(&server, "ada").await;
    let new = NewPoll::single("?", ["a", "b"]).show_results(ShowResults::Managers);
    let poll = server.create(&ada, new.published()).await;
    for _ in 0..2 {
        assert_eq!(client.ask(authenticate(&token)).await["type"], "ok");
    }
    assert_eq!(client.subscribe(poll.id).await["type"], "results");
    // A bad one leaves nobody there, also where there is room for none.
    let refused = client.ask(authenticate("pm_x")).await;
    assert_eq!(refused["code"], "unauthorized");
    assert_eq!(client.next().await["code"], "results_hidden");
}

#[tokio::test]
async fn a_connection_is_forgotten_with_its_client() {
    let server = Server::start().await;
    let poll = server.poll().await;
    for _ in 0..10 {
        let mut client = server.client().await;
        client.subscribe(poll.id).await;
    }
    soon(async {
        while server.api.connections() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
