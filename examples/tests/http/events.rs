//! Results as an event stream.

use std::time::Duration;

use http::Method;
use polling_core::FakeClock;
use polling_http::HttpSettings;
use serde_json::json;

use crate::event_stream::Events;
use crate::store::Store;
use crate::support::{Poll, Server, Start};
use crate::team::Team;
use crate::vote_tokens::{self, poll_with};

on_every_store! {
    a_viewer_gets_the_current_results_and_then_newer_ones
    a_viewer_that_comes_back_goes_on_where_it_was
    hidden_results_are_told_and_come_when_they_may_be_seen
    a_silent_stream_shows_that_it_is_alive
    streams_end_with_the_engine_and_then_the_server_leaves
    only_polls_that_are_there_can_be_watched
    who_loses_a_role_loses_the_stream_at_once
    an_access_token_that_ends_takes_its_stream_along
    a_revoked_vote_token_takes_its_stream_along
    who_deletes_their_account_loses_the_stream_at_once
}

async fn vote(server: &Server, poll: &Poll, voter: &str) -> u64 {
    let answer = server.post(poll.path("/votes"), &poll.vote(0, voter)).await;
    assert_eq!(answer.status, 201);
    answer.json()["revision"].as_u64().unwrap()
}

async fn a_viewer_gets_the_current_results_and_then_newer_ones(store: Store) {
    let server = Server::on(store).await;
    let poll = server.poll(json!({})).await;
    let mut events = Events::open(server.get(poll.path("/events"))).await;
    let first = events.results().await;
    assert_eq!(
        (&first["revision"], &first["ballots"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(first, server.get(poll.path("/results")).await.json());
    let voted = vote(&server, &poll, "ada").await;
    let second = events.results().await;
    assert_eq!(
        (&second["revision"], &second["ballots"]),
        (&json!(voted), &json!(1))
    );

    let close = server.request(Method::POST, poll.path("/close"));
    close.bearer(&poll.token).await;
    assert_eq!(events.results().await["final"], true);
    // The final result ends nothing: the poll may still be deleted.
    let delete = server.request(Method::DELETE, poll.path(""));
    delete.bearer(&poll.token).await;
    assert_eq!(
        events.named("poll_deleted").await,
        json!({"poll_id": poll.id})
    );
    assert_eq!(events.next().await, None);
}

async fn a_viewer_that_comes_back_goes_on_where_it_was(store: Store) {
    let server = Server::on(store).await;
    let poll = server.poll(json!({})).await;
    let revision = vote(&server, &poll, "ada").await;
    let asks = [
        server.get(poll.path(&format!("/events?after_revision={revision}"))),
        server
            .get(poll.path("/events"))
            .header("last-event-id", &revision.to_string()),
        // The address is the one that it began with: its id is newer.
        server
            .get(poll.path("/events?after_revision=1"))
            .header("last-event-id", &revision.to_string()),
    ];
    let mut streams = Vec::new();
    for ask in asks {
        let mut events = Events::open(ask).await;
        assert_eq!(events.comment().await, "unchanged");
        streams.push(events);
    }
    vote(&server, &poll, "bob").await;
    for events in &mut streams {
        assert_eq!(events.results().await["ballots"], 2);
    }
    for stale in ["/events?after_revision=1", "/events?after_revision=99"] {
        let mut events = Events::open(server.get(poll.path(stale))).await;
        assert_eq!(events.results().await["ballots"], 2);
    }
    let foreign = server
        .get(poll.path("/events"))
        .header("last-event-id", "what?");
    assert_eq!(Events::open(foreign).await.results().await["ballots"], 2);
    let bad = server.get(poll.path("/events?after_revision=x")).await;
    bad.refuses_field(422, "invalid", "/after_revision");
}

async fn hidden_results_are_told_and_come_when_they_may_be_seen(store: Store) {
    let server = Server::on(store).await;
    let poll = server.poll(json!({"show_results": "after_vote"})).await;
    let mut ada = Events::open(server.get(poll.path("/events?voter=ada"))).await;
    let mut bob = Events::open(server.get(poll.path("/events?voter=bob"))).await;
    for events in [&mut ada, &mut bob] {
        let error = events.named("error").await;
        assert_eq!(error["code"], "results_hidden");
        assert!(error["message"].is_string());
    }
    let mut manager = Events::open(server.get(poll.path("/events")).bearer(&poll.token)).await;
    assert_eq!(manager.results().await["ballots"], 0);
    vote(&server, &poll, "ada").await;
    assert_eq!(ada.results().await["ballots"], 1);

    let patch = |show: &str| {
        let ask = server.request(Method::PATCH, poll.path(""));
        ask.json(&json!({"show_results": show})).bearer(&poll.token)
    };
    assert_eq!(patch("managers").await.status, 200);
    assert_eq!(ada.named("error").await["code"], "results_hidden");
    assert_eq!(patch("always").await.status, 200);
    assert_eq!(ada.results().await["ballots"], 1);
    assert_eq!(bob.results().await["ballots"], 1);
}

async fn a_silent_stream_shows_that_it_is_alive(store: Store) {
    let mut http = HttpSettings::default();
    http.keep_alive_interval = Duration::from_millis(10);
    // A stream lives longer than any request may take.
    http.request_timeout = Duration::from_secs(5);
    let server = Start {
        http,
        ..Start::on(store)
    }
    .run()
    .await;
    let poll = server.poll(json!({})).await;
    let mut events = Events::open(server.get(poll.path("/events"))).await;
    events.results().await;
    for _ in 0..3 {
        assert_eq!(events.comment().await, "still here");
    }
}

async fn streams_end_with_the_engine_and_then_the_server_leaves(store: Store) {
    let server = Server::on(store).await;
    let poll = server.poll(json!({})).await;
    let mut events = Events::open(server.get(poll.path("/events"))).await;
    events.results().await;
    let engine = server.engine.clone();
    let stopped = server.begin_to_stop();
    engine.shutdown().await;
    assert_eq!(events.next().await, None);
    stopped.await;
}

async fn only_polls_that_are_there_can_be_watched(store: Store) {
    let server = Server::on(store).await;
    for id in ["x", "018f3c6e-0000-7000-8000-000000000001"] {
        let answer = server.get(format!("/api/v1/polls/{id}/events")).await;
        answer.refuses(404, "poll_not_found");
    }
}

async fn who_loses_a_role_loses_the_stream_at_once(store: Store) {
    let team = Team::on(store).await;
    let poll = team.poll(json!({"show_results": "managers", "publish": true}));
    let poll = poll.await;
    let open = team.server.get(poll.path("/events"));
    let mut events = Events::open(open.bearer(&team.cora.token)).await;
    assert_eq!(events.results().await["poll_id"], poll.id);
    let member = team.member(&team.cora);
    let patch = team.patches(&team.olga, &member, &json!({"role": "viewer"}));
    assert_eq!(patch.await.status, 200);
    assert_eq!(events.named("error").await["code"], "results_hidden");
    let patch = team.patches(&team.olga, &member, &json!({"role": "owner"}));
    assert_eq!(patch.await.status, 200);
    assert_eq!(events.results().await["poll_id"], poll.id);
    assert_eq!(team.deletes(&team.olga, &member).await.status, 204);
    assert_eq!(events.named("error").await["code"], "results_hidden");
}

/// A poll of the holder of this access token, whose results nobody else sees.
async fn own_poll(server: &Server, token: &str) -> Poll {
    let new = json!({
        "question": "Q", "options": ["A", "B"], "show_results": "managers", "publish": true,
    });
    let created = server.post("/api/v1/polls", &new).bearer(token).await;
    assert_eq!(created.status, 201, "{}", created.text());
    Poll::of(&created.json())
}

async fn an_access_token_that_ends_takes_its_stream_along(store: Store) {
    let clock = FakeClock::default();
    let start = Start {
        clock: Some(clock.clone()),
        ..Start::on(store)
    };
    let server = start.run().await;
    let (_, token) = server.user("ada").await;
    let hers = own_poll(&server, &token).await;
    let voted = json!({"voters": "registered", "show_results": "after_vote"});
    let voted = server.poll(voted).await;
    let ballot = json!({"option_id": voted.options[0]});
    let ballot = server.post(voted.path("/votes"), &ballot).bearer(&token);
    assert_eq!(ballot.await.status, 201);
    let mut streams = Vec::new();
    for poll in [&hers, &voted] {
        let open = server.get(poll.path("/events")).bearer(&token);
        let mut events = Events::open(open).await;
        assert_eq!(events.results().await["poll_id"], poll.id);
        streams.push(events);
    }
    clock.advance(Duration::from_secs(15 * 60));
    for events in &mut streams {
        assert_eq!(events.named("error").await["code"], "results_hidden");
    }
    let again = server.get(hers.path("/events")).bearer(&token).await;
    again.refuses(401, "unauthorized");
}

async fn a_revoked_vote_token_takes_its_stream_along(store: Store) {
    let server = Server::on(store).await;
    let fields = json!({"show_results": "after_vote"});
    let (poll, tokens) = poll_with(&server, 2, fields).await;
    let mut streams = Vec::new();
    for token in &tokens {
        let voted = vote_tokens::vote(&server, &poll, 0, token).await;
        assert_eq!(voted.status, 201, "{}", voted.text());
    }
    for token in &tokens {
        let open = server.get(poll.path("/events")).bearer(token);
        let mut events = Events::open(open).await;
        assert_eq!(events.results().await["ballots"], 2);
        streams.push(events);
    }
    let which = json!({"tokens": [tokens[0]]});
    let revoked = vote_tokens::revoke(&server, &poll, which).await;
    assert_eq!(revoked.json(), json!({"revoked": 1}));
    assert_eq!(streams[0].named("error").await["code"], "results_hidden");
    // The other one goes on.
    let close = server.request(Method::POST, poll.path("/close"));
    assert_eq!(close.bearer(&poll.token).await.status, 200);
    for events in &mut streams {
        assert_eq!(events.results().await["final"], true);
    }
}

async fn who_deletes_their_account_loses_the_stream_at_once(store: Store) {
    let server = Server::on(store).await;
    let (_, token) = server.user("ada").await;
    let poll = own_poll(&server, &token).await;
    let open = server.get(poll.path("/events")).bearer(&token);
    let mut events = Events::open(open).await;
    assert_eq!(events.results().await["poll_id"], poll.id);
    let deleted = server.request(Method::DELETE, "/api/v1/users/me");
    assert_eq!(deleted.bearer(&token).await.status, 204);
    assert_eq!(events.named("error").await["code"], "results_hidden");
}
