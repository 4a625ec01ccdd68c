//! Tickets in the address of the handshake.

use polling_core::Actor;
use polling_core::NewPoll;
use polling_core::polls::ShowResults;

use crate::support::{Client, Server, manager};

#[tokio::test]
async fn a_ticket_opens_a_connection_as_its_credential_would_and_once() {
    let server = Server::start().await;
    let new = NewPoll::single("?", ["a", "b"])
        .show_results(ShowResults::Managers)
        .published();
    let poll = server.create(&Actor::anonymous(), new).await;
    let actor = manager(&server.engine, &poll).await;
    let ticket = server.engine.ticket(&actor).await.unwrap().ticket;

    let query = format!("?ticket={ticket}");
    let mut client = Client::at(server.address, &query, &[]).await.unwrap();
    assert_eq!(client.subscribe(poll.id).await["type"], "results");
    for query in [&*query, "?ticket=pt_AAAA", "?a=b&ticket="] {
        let refused = Client::at(server.address, query, &[]).await;
        assert_eq!(refused.err(), Some(401), "{query}");
    }
    let mut nobody = Client::at(server.address, "?a=b", &[]).await.unwrap();
    assert_eq!(nobody.subscribe(poll.id).await["code"], "results_hidden");
}
