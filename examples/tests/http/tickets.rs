//! Tickets: a credential in the address of what a browser opens without headers.

use std::time::Duration;

use polling_core::limits::Limit;
use polling_core::{FakeClock, Settings};
use serde_json::json;

use crate::event_stream::Events;
use crate::limits::{self, limited};
use crate::store::Store;
use crate::support::{Server, Start};

const TICKET: &str = "/api/v1/auth/ticket";

async fn ticket(server: &Server, token: &str) -> String {
    let made = server.post(TICKET, &json!({})).body("").bearer(token).await;
    assert_eq!(made.status, 201);
    let made = made.json();
    assert_eq!(made["expires_in"], 30);
    let ticket = made["ticket"].as_str().unwrap();
    assert!(ticket.starts_with("pt_"), "{ticket}");
    ticket.to_owned()
}

#[tokio::test]
async fn a_ticket_opens_a_stream_as_its_credential_would_and_once() {
    let server = Server::start().await;
    let poll = server.poll(json!({"show_results": "managers"})).await;
    let mut nobody = Events::open(server.get(poll.path("/events"))).await;
    assert_eq!(nobody.named("error").await["code"], "results_hidden");

    let ticket = ticket(&server, &poll.token).await;
    let path = poll.path(&format!("/events?ticket={ticket}"));
    let mut manager = Events::open(server.get(&path)).await;
    assert_eq!(manager.results().await["ballots"], 0);
    server.get(&path).await.refuses(401, "unauthorized");
}

#[tokio::test]
async fn a_ticket_ends_by_itself() {
    let clock = FakeClock::default();
    let server = Start {
        clock: Some(clock.clone()),
        ..Start::default()
    }
    .run()
    .await;
    let poll = server.poll(json!({})).await;
    let (in_time, late) = (
        ticket(&server, &poll.token).await,
        ticket(&server, &poll.token).await,
    );
    let open = |ticket: &str| server.get(poll.path(&format!("/events?ticket={ticket}")));
    clock.advance(Duration::from_millis(29_999));
    let mut events = Events::open(open(&in_time)).await;
    assert_eq!(events.results().await["ballots"], 0);
    clock.advance(Duration::from_millis(1));
    open(&late).await.refuses(401, "unauthorized");
}

#[tokio::test]
async fn what_is_no_ticket_opens_nothing() {
    let server = Server::start().await;
    let poll = server.poll(json!({})).await;
    // Not even a credential that is good elsewhere.
    for bad in ["", "pt_", "pt_AAAA", &poll.token] {
        let path = poll.path(&format!("/events?ticket={bad}"));
        server.get(path).await.refuses(401, "unauthorized");
    }
    let twice = poll.path("/events?ticket=a&ticket=b");
    server.get(twice).await.refuses(422, "invalid");
}

#[tokio::test]
async fn who_proved_nothing_gets_no_ticket_and_there_are_so_many() {
    let mut core = Settings::default();
    core.tickets = 2;
    let server = Start {
        core,
        ..Start::default()
    }
    .run()
    .await;
    let ask = || server.post(TICKET, &json!({})).body("");
    ask().await.refuses(401, "unauthorized");
    let (_, ada) = server.user("ada").await;
    for _ in 0..2 {
        ticket(&server, &ada).await;
    }
    ask().bearer(&ada).await.refuses(503, "overloaded");
}

/// Each holder of a credential may make so many, also where all of them are behind one address.
#[tokio::test]
async fn tickets_are_limited_by_the_credential_that_they_stand_for() {
    let (server, clock) = limits::server(Store::default(), |core| {
        core.limits.ticket = Some(Limit::per_minute(2));
    })
    .await;
    let (_, ada) = server.user("ada").await;
    let poll = server.poll(json!({"voters": "tokens"})).await;
    let body = json!({"count": 2});
    let made = server.post(poll.path("/tokens"), &body).bearer(&poll.token);
    let made = made.await.json();
    let ask = |token: &str| server.post(TICKET, &json!({})).body("").bearer(token);
    for place in 0..2 {
        let voter = made["tokens"][place].as_str().unwrap();
        ticket(&server, voter).await;
        ticket(&server, voter).await;
        limited(&ask(voter).await, "ticket", (2, 60), "60");
    }
    for token in [&ada, &poll.token] {
        ticket(&server, token).await;
        ticket(&server, token).await;
        limited(&ask(token).await, "ticket", (2, 60), "60");
    }
    clock.advance(Duration::from_secs(60));
    ticket(&server, &ada).await;
}
