//! Rights that end while their stream is open: on a connection, whatever was seen by them is hidden at once.

use std::time::Duration;

use polling_core::polls::{PollPatch, ShowResults, Voters};
use polling_core::users::Credentials;
use polling_core::vote_tokens::Revocation;
use polling_core::{Actor, Ballot, FakeClock, NewPoll, PollView, Voter};
use serde_json::{Value, json};

use crate::members::{authenticate, signed_in};
use crate::store::Store;
use crate::support::{Client, Server};
use crate::vote_tokens::{poll_with, vote};

on_every_store! {
    an_access_token_that_ends_takes_its_streams_along
    a_revoked_vote_token_takes_its_streams_along
    a_token_revoked_while_everybody_saw_the_results_hides_them_later
    a_token_that_is_refused_leaves_nobody_there
    who_may_not_look_as_the_voter_of_before_does_not
    who_comes_back_after_the_account_was_deleted_sees_nothing
    a_deleted_account_shows_nothing_to_whoever_signs_in_later
}

const MINUTE: Duration = Duration::from_secs(60);

async fn sign_in(client: &mut Client, token: &str) {
    assert_eq!(client.ask(authenticate(token)).await["type"], "ok");
}

/// Another access token of somebody who has signed up.
async fn another_token(server: &Server, name: &str) -> String {
    let users = server.engine.users().unwrap();
    let email = format!("{name}@example.com");
    let credentials = Credentials::new(email, "correct horse battery");
    let signed_in = users.sign_in(&Actor::anonymous(), credentials).await;
    signed_in.unwrap().access_token
}

/// A poll in which users vote, which shows its results to those who have; as this one has.
async fn voted(server: &Server, user: &Actor) -> PollView {
    let new = NewPoll::single("?", ["a", "b"]).voters(Voters::Registered);
    let new = new.show_results(ShowResults::AfterVote).published();
    let poll = server.create(&Actor::System, new).await;
    let ballot = Ballot::of(poll.id, Voter::Caller, [0]);
    server.engine.votes().cast(user, ballot).await.unwrap();
    poll
}

async fn revoke(server: &Server, poll: &PollView, tokens: &[String]) {
    let which = Revocation::these(tokens.to_vec());
    let port = server.engine.vote_tokens().unwrap();
    port.revoke(&Actor::System, poll.id, &which).await.unwrap();
}

async fn an_access_token_that_ends_takes_its_streams_along(store: Store) {
    let clock = FakeClock::default();
    let server = Server::with_clock(store, clock.clone()).await;
    let (ada, token) = signed_in(&server, "ada").await;
    let hers = NewPoll::single("?", ["a", "b"]).show_results(ShowResults::Managers);
    let hers = server.create(&ada, hers.published()).await;
    let voted = voted(&server, &ada).await;
    let open = server.poll().await;
    let mut client = server.client().await;
    sign_in(&mut client, &token).await;
    for poll in [&hers, &voted, &open] {
        assert_eq!(client.subscribe(poll.id).await["type"], "results");
    }
    clock.advance(15 * MINUTE);
    let mut told = [client.next().await, client.next().await];
    told.sort_by_key(|told| told["poll_id"] != json!(hers.id));
    for (told, poll) in told.iter().zip([&hers, &voted]) {
        assert_eq!(told["code"], "results_hidden", "{told}");
        assert_eq!(told["poll_id"], json!(poll.id));
    }
    // What everybody sees goes on.
    client.hears_nothing().await;
    assert_eq!(client.subscribe(hers.id).await["code"], "results_hidden");
    assert_eq!(client.ask(vote(&voted, 0)).await["code"], "unauthorized");
    sign_in(&mut client, &another_token(&server, "ada").await).await;
    for _ in [&hers, &voted] {
        assert_eq!(client.next().await["type"], "results");
    }
}

async fn a_revoked_vote_token_takes_its_streams_along(store: Store) {
    let server = Server::on(store).await;
    let (poll, tokens) = poll_with(&server, 2, ShowResults::AfterVote).await;
    let mut clients = Vec::new();
    for token in &tokens {
        let mut client = server.client().await;
        sign_in(&mut client, token).await;
        assert_eq!(client.ask(vote(&poll, 0)).await["type"], "ack");
        clients.push(client);
    }
    for client in &mut clients {
        assert_eq!(client.subscribe(poll.id).await["ballots"], 2);
    }
    revoke(&server, &poll, &tokens[..1]).await;
    assert_eq!(clients[0].next().await["code"], "results_hidden");
    let again = clients[0].subscribe(poll.id).await;
    assert_eq!(again["code"], "results_hidden");
    clients[1].hears_nothing().await;
}

async fn a_token_revoked_while_everybody_saw_the_results_hides_them_later(store: Store) {
    let server = Server::on(store).await;
    let (poll, tokens) = poll_with(&server, 1, ShowResults::Always).await;
    let mut client = server.client().await;
    sign_in(&mut client, &tokens[0]).await;
    assert_eq!(client.ask(vote(&poll, 0)).await["type"], "ack");
    let mut before = server.client().await;
    sign_in(&mut before, &tokens[0]).await;
    assert_eq!(before.subscribe(poll.id).await["ballots"], 1);
    revoke(&server, &poll, &tokens).await;
    // Whoever begins to watch is asked for before they are answered, and all who hold the same token learn what came of it:
    // whether the judge has come to it or not, nothing is shown to either from here on.
    assert_eq!(client.subscribe(poll.id).await["ballots"], 1);
    let mut patch = PollPatch::default();
    patch.show_results = Some(ShowResults::AfterVote);
    let edited = server.engine.polls().edit(&Actor::System, poll.id, patch);
    edited.await.unwrap();
    for client in [&mut before, &mut client] {
        assert_eq!(client.next().await["code"], "results_hidden");
    }
}

/// Whatever it was meant to be: whoever comes with a bad credential does not go on as who was there before.
async fn a_token_that_is_refused_leaves_nobody_there(store: Store) {
    let clock = FakeClock::default();
    let server = Server::with_clock(store, clock.clone()).await;
    let (ada, over) = signed_in(&server, "ada").await;
    let voted = voted(&server, &ada).await;
    clock.advance(10 * MINUTE);
    let good = another_token(&server, "ada").await;
    clock.advance(5 * MINUTE);
    let mut client = server.client().await;
    let first = client.subscribe(voted.id).await;
    assert_eq!(first["code"], "results_hidden");
    for bad in [&*over, "a.b.c", "pv_x", "pm_x", "x"] {
        sign_in(&mut client, &good).await;
        assert_eq!(client.next().await["ballots"], 1);
        let refused = client.ask(authenticate(bad)).await;
        assert_eq!(refused["code"], "unauthorized", "{bad}: {refused}");
        assert_eq!(refused.get("poll_id"), None);
        let told = client.next().await;
        assert_eq!(told["code"], "results_hidden", "{bad}: {told}");
        let refused = client.ask(vote(&voted, 0)).await;
        assert_eq!(refused["code"], "unauthorized", "{bad}: {refused}");
    }
}

/// A poll of Ada's in which Joe has voted, which shows its results to who has; and a client that watches it as him.
async fn watched_as_joe(server: &Server, ada: &Actor, hers: &str) -> Client {
    let new = NewPoll::single("?", ["a", "b"]).voters(Voters::Vouched);
    let new = new.show_results(ShowResults::AfterVote).published();
    let poll = server.create(ada, new).await;
    let ballot = Ballot::of(poll.id, Voter::vouched("joe"), [0]);
    server.engine.votes().cast(ada, ballot).await.unwrap();
    let mut client = server.client().await;
    sign_in(&mut client, hers).await;
    let as_joe: Value = json!({"type": "subscribe", "poll_id": poll.id, "voter": "joe"});
    assert_eq!(client.ask(as_joe).await["ballots"], 1);
    client
}

/// There is nobody then as whom the stream could go on.
async fn who_may_not_look_as_the_voter_of_before_does_not(store: Store) {
    let server = Server::on(store).await;
    let (ada, hers) = signed_in(&server, "ada").await;
    let (_, bobs) = signed_in(&server, "bob").await;
    let mut client = watched_as_joe(&server, &ada, &hers).await;
    sign_in(&mut client, &bobs).await;
    assert_eq!(client.next().await["code"], "results_hidden");
    sign_in(&mut client, &hers).await;
    assert_eq!(client.next().await["ballots"], 1);
}

async fn delete(server: &Server, user: &Actor) {
    let users = server.engine.users().unwrap();
    users.delete_own(user).await.unwrap();
}

/// What they were when they watched before is no proof of what they are.
async fn who_comes_back_after_the_account_was_deleted_sees_nothing(store: Store) {
    let server = Server::with_clock(store, FakeClock::default()).await;
    let (ada, hers) = signed_in(&server, "ada").await;
    let (_, bobs) = signed_in(&server, "bob").await;
    let mut client = watched_as_joe(&server, &ada, &hers).await;
    sign_in(&mut client, &bobs).await;
    assert_eq!(client.next().await["code"], "results_hidden");
    delete(&server, &ada).await;
    sign_in(&mut client, &hers).await;
    client.hears_nothing().await;
}

/// Their access token is alive still; also on a connection that watches already.
async fn a_deleted_account_shows_nothing_to_whoever_signs_in_later(store: Store) {
    let server = Server::with_clock(store, FakeClock::default()).await;
    let (ada, hers) = signed_in(&server, "ada").await;
    let managers = NewPoll::single("?", ["a", "b"]).show_results(ShowResults::Managers);
    let managers = server.create(&ada, managers.published()).await;
    let voted = voted(&server, &ada).await;
    delete(&server, &ada).await;
    let mut client = server.client().await;
    for poll in [&managers, &voted] {
        let first = client.subscribe(poll.id).await;
        assert_eq!(first["code"], "results_hidden");
    }
    sign_in(&mut client, &hers).await;
    client.hears_nothing().await;
}
