//! Live results: the newest, never an older one, and no gap after a drop.

use polling_core::{Actor, Ballot, PollId, Voter};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::store::Store;
use crate::support::{Client, Server, manager};

on_every_store! {
    the_current_results_come_first_and_then_only_newer_ones
    a_voter_sees_their_own_vote_in_the_first_results
    bug_12_a_viewer_that_was_away_misses_nothing_and_gets_nothing_twice
    bug_13_an_older_count_that_arrives_last_is_not_shown
    subscribing_again_answers_again_and_replaces_the_subscription
    after_an_unsubscribe_nothing_more_comes
    one_connection_watches_many_polls
    a_viewer_that_leaves_takes_nobody_along
}

fn subscribe(poll: PollId, after: Option<u64>) -> Value {
    json!({"type": "subscribe", "ref": "s", "poll_id": poll, "after_revision": after})
}

async fn the_current_results_come_first_and_then_only_newer_ones(store: Store) {
    let server = Server::on(store).await;
    let (mut viewer, poll) = (server.client().await, server.poll().await);
    let first = viewer.ask(subscribe(poll.id, None)).await;
    assert_eq!(
        first,
        json!({
            "type": "results", "ref": "s", "poll_id": poll.id, "revision": 1, "ballots": 0,
            "status": "open", "final": false,
            "options": [
                {"id": poll.options[0].id, "position": 0, "votes": 0},
                {"id": poll.options[1].id, "position": 1, "votes": 0},
            ],
        })
    );
    server.client().await.vote(&poll, "ada").await;
    let next = viewer.next().await;
    assert!(next.get("ref").is_none());
    assert_eq!(
        (&next["revision"], &next["ballots"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(next["options"][0]["votes"], 1);

    // The final result is no end: the subscription stays.
    let closer = manager(&server.engine, &poll).await;
    server.engine.polls().close(&closer, poll.id).await.unwrap();
    let mut last = viewer.next().await;
    while last["final"] != true {
        last = viewer.next().await;
    }
    assert_eq!(
        (&last["status"], &last["ballots"]),
        (&json!("closed"), &json!(1))
    );
    server
        .engine
        .polls()
        .delete(&closer, poll.id)
        .await
        .unwrap();
    assert_eq!(
        viewer.next().await,
        json!({"type": "poll_deleted", "poll_id": poll.id})
    );
    let gone = viewer.ask(subscribe(poll.id, None)).await;
    assert_eq!(
        (&gone["code"], &gone["ref"]),
        (&json!("poll_not_found"), &json!("s"))
    );
    assert_eq!(gone["poll_id"], json!(poll.id));
}

async fn a_voter_sees_their_own_vote_in_the_first_results(store: Store) {
    let server = Server::on(store).await;
    let (mut client, poll) = (server.client().await, server.poll().await);
    for voter in 1..20 {
        let ack = client.vote(&poll, &voter.to_string()).await;
        let first = server.client().await.subscribe(poll.id).await;
        assert!(first["revision"].as_u64() >= ack["receipt"]["revision"].as_u64());
        assert_eq!(first["ballots"], voter);
    }
}

async fn bug_12_a_viewer_that_was_away_misses_nothing_and_gets_nothing_twice(store: Store) {
    let server = Server::on(store).await;
    let (mut voter, poll) = (server.client().await, server.poll().await);
    let mut viewer = server.client().await;
    let held = viewer.subscribe(poll.id).await["revision"].as_u64();
    drop(viewer);

    // Nothing happened meanwhile: what the viewer holds is current.
    let mut viewer = server.client().await;
    assert_eq!(
        viewer.ask(subscribe(poll.id, held)).await,
        json!({"type": "unchanged", "ref": "s", "poll_id": poll.id, "revision": held})
    );
    drop(viewer);

    for name in ["a", "b", "c"] {
        voter.vote(&poll, name).await;
    }
    let mut viewer = server.client().await;
    let caught_up = viewer.ask(subscribe(poll.id, held)).await;
    assert_eq!(
        (&caught_up["type"], &caught_up["ballots"]),
        (&json!("results"), &json!(3))
    );
    // What it holds now does not come again; the next vote does.
    viewer.hears_nothing().await;
    voter.vote(&poll, "d").await;
    assert_eq!(viewer.next().await["ballots"], 4);

    // A revision that this poll never had is worth nothing.
    let from_elsewhere = server
        .client()
        .await
        .ask(subscribe(poll.id, Some(1_000_000)))
        .await;
    assert_eq!(from_elsewhere["ballots"], 4);
}

async fn bug_13_an_older_count_that_arrives_last_is_not_shown(store: Store) {
    let server = Server::on(store).await;
    let poll = server.poll().await;
    let mut viewers = Vec::new();
    for _ in 0..3 {
        let mut viewer = server.client().await;
        viewer.subscribe(poll.id).await;
        viewers.push(viewer);
    }
    // Votes of many at once commit in one order, and are announced in any.
    let mut voters = JoinSet::new();
    for voter in 0..200 {
        let (engine, poll) = (server.engine.clone(), poll.id);
        voters.spawn(async move {
            let ballot = Ballot::of(poll, Voter::anyone(voter.to_string()), [voter % 2]);
            engine
                .votes()
                .cast(&Actor::anonymous(), ballot)
                .await
                .unwrap();
        });
    }
    for viewer in &mut viewers {
        let mut seen = (1, 0);
        while seen.1 < 200 {
            let frame = viewer.next().await;
            let now = (
                frame["revision"].as_u64().unwrap(),
                frame["ballots"].as_u64().unwrap(),
            );
            assert!(now.0 > seen.0 && now.1 > seen.1, "{now:?} after {seen:?}");
            seen = now;
        }
        viewer.hears_nothing().await;
    }
    voters.join_all().await;
}

async fn subscribing_again_answers_again_and_replaces_the_subscription(store: Store) {
    let server = Server::on(store).await;
    let (mut viewer, poll) = (server.client().await, server.poll().await);
    for _ in 0..3 {
        let first = viewer.ask(subscribe(poll.id, None)).await;
        assert_eq!(
            (&first["type"], &first["ref"]),
            (&json!("results"), &json!("s"))
        );
    }
    assert_eq!(
        viewer.ask(subscribe(poll.id, Some(1))).await["type"],
        "unchanged"
    );
    server.client().await.vote(&poll, "ada").await;
    // Once, not four times.
    assert_eq!(viewer.next().await["ballots"], 1);
    viewer.hears_nothing().await;
}

async fn after_an_unsubscribe_nothing_more_comes(store: Store) {
    let server = Server::on(store).await;
    let (mut viewer, poll) = (server.client().await, server.poll().await);
    let unsubscribe = json!({"type": "unsubscribe", "ref": 1, "poll_id": poll.id});
    // Not subscribed at all: it is so already.
    let ok = json!({"type": "ok", "ref": 1});
    assert_eq!(viewer.ask(unsubscribe.clone()).await, ok);
    viewer.subscribe(poll.id).await;
    assert_eq!(viewer.ask(unsubscribe).await, ok);

    let mut other = server.client().await;
    other.subscribe(poll.id).await;
    server.client().await.vote(&poll, "ada").await;
    other.results_with(1).await;
    viewer.hears_nothing().await;
}

async fn one_connection_watches_many_polls(store: Store) {
    let server = Server::on(store).await;
    let mut viewer = server.client().await;
    let mut polls = Vec::new();
    for _ in 0..100 {
        let poll = server.poll().await;
        assert_eq!(viewer.subscribe(poll.id).await["poll_id"], json!(poll.id));
        polls.push(poll);
    }
    let one_more = server.poll().await;
    let refused = viewer.ask(subscribe(one_more.id, None)).await;
    assert_eq!(refused["code"], "overloaded");
    assert_eq!(
        (&refused["ref"], &refused["poll_id"]),
        (&json!("s"), &json!(one_more.id))
    );

    let mut voter = server.client().await;
    for poll in [&polls[99], &polls[0], &polls[50]] {
        voter.vote(poll, "ada").await;
        let frame = viewer.next().await;
        assert_eq!(
            (&frame["poll_id"], &frame["ballots"]),
            (&json!(poll.id), &json!(1))
        );
    }
}

async fn a_viewer_that_leaves_takes_nobody_along(store: Store) {
    let server = Server::on(store).await;
    let poll = server.poll().await;
    let mut viewers: Vec<Client> = Vec::new();
    for _ in 0..4 {
        let mut viewer = server.client().await;
        viewer.subscribe(poll.id).await;
        viewers.push(viewer);
    }
    drop(viewers.split_off(2));
    server.client().await.vote(&poll, "ada").await;
    for viewer in &mut viewers {
        assert_eq!(viewer.next().await["ballots"], 1);
    }
}
