//! One-time vote tokens on a connection: in its handshake, and as a frame.

use polling_core::polls::{ShowResults, Voters};
use polling_core::vote_tokens::{NewVoteTokens, Revocation};
use polling_core::{Actor, NewPoll, PollView};
use serde_json::{Value, json};

use crate::store::Store;
use crate::support::{Client, Server};

on_every_store! {
    the_holder_of_a_token_votes_on_a_connection
    a_token_that_was_revoked_votes_no_more_on_an_open_connection
    the_holder_of_a_token_sees_the_results_from_the_own_vote_on
}

pub(crate) async fn poll_with(
    server: &Server,
    tokens: usize,
    show: ShowResults,
) -> (PollView, Vec<String>) {
    let new = NewPoll::single("Tea or coffee?", ["Tea", "Coffee"]);
    let new = new.voters(Voters::Tokens).show_results(show).published();
    let poll = server.create(&Actor::System, new).await;
    let wanted = NewVoteTokens::count(tokens);
    let port = server.engine.vote_tokens().unwrap();
    let made = port.make(&Actor::System, poll.id, &wanted).await;
    (poll, made.unwrap().tokens)
}

pub(crate) fn vote(poll: &PollView, position: usize) -> Value {
    json!({"type": "vote", "poll_id": poll.id, "option_id": poll.options[position].id})
}

async fn authenticate(client: &mut Client, token: &str) -> Value {
    let frame = json!({"type": "authenticate", "token": token});
    client.ask(frame).await
}

async fn the_holder_of_a_token_votes_on_a_connection(store: Store) {
    let server = Server::on(store).await;
    let (poll, tokens) = poll_with(&server, 3, ShowResults::Always).await;
    let (other, others) = poll_with(&server, 1, ShowResults::Always).await;
    let bearer = format!("Bearer {}", tokens[0]);
    let headers = [("authorization", &*bearer)];
    let mut client = Client::with(server.address, &headers).await.unwrap();
    let ack = client.ask(vote(&poll, 0)).await;
    assert_eq!(ack["type"], "ack", "{ack}");
    assert_eq!(ack["receipt"].get("voter"), None);
    assert_eq!(client.ask(vote(&poll, 1)).await["code"], "already_voted");
    assert_eq!(client.ask(vote(&other, 0)).await["code"], "forbidden");
    // What tokens prove adds up; of one poll, the last one votes.
    for token in [&others[0], &tokens[1]] {
        assert_eq!(authenticate(&mut client, token).await["type"], "ok");
    }
    for (poll, position) in [(&other, 0), (&poll, 1)] {
        let ack = client.ask(vote(poll, position)).await;
        assert_eq!(ack["type"], "ack", "{ack}");
    }
    let bad = authenticate(&mut client, "pv_x").await;
    assert_eq!(bad["code"], "unauthorized");
    let bad = Client::with(server.address, &[("authorization", "Bearer pv_x")]).await;
    assert_eq!(bad.err(), Some(401));
    let mut nobody = server.client().await;
    assert_eq!(nobody.ask(vote(&poll, 0)).await["code"], "unauthorized");
    let mut named = vote(&poll, 0);
    named["voter"] = json!("ada");
    assert_eq!(client.ask(named).await["code"], "forbidden");
    assert_eq!(nobody.subscribe(poll.id).await["ballots"], 2);
}

async fn a_token_that_was_revoked_votes_no_more_on_an_open_connection(store: Store) {
    let server = Server::on(store).await;
    let (poll, tokens) = poll_with(&server, 1, ShowResults::Always).await;
    let mut client = server.client().await;
    authenticate(&mut client, &tokens[0]).await;
    let which = Revocation::these(tokens);
    let port = server.engine.vote_tokens().unwrap();
    port.revoke(&Actor::System, poll.id, &which).await.unwrap();
    assert_eq!(client.ask(vote(&poll, 0)).await["code"], "unauthorized");
    assert_eq!(client.subscribe(poll.id).await["ballots"], 0);
}

async fn the_holder_of_a_token_sees_the_results_from_the_own_vote_on(store: Store) {
    let server = Server::on(store).await;
    let (poll, tokens) = poll_with(&server, 2, ShowResults::AfterVote).await;
    let mut client = server.client().await;
    let hidden = client.subscribe(poll.id).await;
    assert_eq!(hidden["code"], "results_hidden");
    authenticate(&mut client, &tokens[0]).await;
    client.send(&vote(&poll, 0)).await;
    let both = [client.next().await, client.next().await];
    assert!(both.iter().any(|frame| frame["type"] == "ack"), "{both:?}");
    assert!(both.iter().any(|frame| frame["ballots"] == 1), "{both:?}");
    let mut other = server.client().await;
    authenticate(&mut other, &tokens[1]).await;
    let hidden = other.subscribe(poll.id).await;
    assert_eq!(hidden["code"], "results_hidden");
}
