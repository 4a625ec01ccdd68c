//! Bugs that were found in other systems, one test each, over HTTP.

use futures_util::future::{join, join_all};
use polling_core::{FakeClock, Settings};
use serde_json::json;
use std::time::Duration;

use crate::store::Store;
use crate::support::{Server, Start};

on_every_store! {
    bug_01_two_identical_posts_at_once_count_once
    bug_02_of_two_different_votes_at_once_one_counts
    bug_03_voting_again_never_works_however_much_the_caches_forget
    bug_07_a_vote_is_in_the_final_result_or_refused
    bug_07_votes_in_flight_at_the_close_are_counted_exactly_when_they_were_accepted
    bug_08_the_same_key_with_another_content_is_refused_aloud
    bug_09_an_option_of_another_poll_is_refused
    bug_10_a_vote_without_a_voter_is_refused
    bug_14_ten_thousand_voters_behind_one_address_get_through
    bug_19_ballots_are_counted_where_voters_are_meant
}

async fn bug_01_two_identical_posts_at_once_count_once(store: Store) {
    let server = Server::on(store).await;
    let poll = server.poll(json!({})).await;
    let posts =
        (0..20).map(|_| async { server.post(poll.path("/votes"), &poll.vote(0, "ada")).await });
    let answers = join_all(posts).await;
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(created, 1);
    assert!(answers.iter().all(|answer| answer.status.is_success()));
    let receipts = answers
        .iter()
        .map(|answer| answer.json()["ballot_id"].clone());
    assert_eq!(receipts.collect::<std::collections::HashSet<_>>().len(), 1);
    let results = server.get(poll.path("/results")).await.json();
    assert_eq!(
        (&results["ballots"], &results["options"][0]["votes"]),
        (&json!(1), &json!(1))
    );
}

async fn bug_02_of_two_different_votes_at_once_one_counts(store: Store) {
    let server = Server::on(store).await;
    let poll = server.poll(json!({})).await;
    let posts = (0..2).map(|position| {
        let poll = &poll;
        let server = &server;
        async move {
            server
                .post(poll.path("/votes"), &poll.vote(position, "ada"))
                .await
        }
    });
    let answers = join_all(posts).await;
    let mut statuses: Vec<u16> = answers
        .iter()
        .map(|answer| answer.status.as_u16())
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    let refused = answers.iter().find(|answer| answer.status == 409).unwrap();
    refused.refuses(409, "already_voted");
    let results = server.get(poll.path("/results")).await.json();
    assert_eq!(results["ballots"], 1);
}

async fn bug_03_voting_again_never_works_however_much_the_caches_forget(store: Store) {
    let mut core = Settings::default();
    core.cached_polls = 1;
    let server = Start {
        core,
        ..Start::on(store)
    }
    .run()
    .await;
    let poll = server.poll(json!({})).await;
    assert_eq!(
        server
            .post(poll.path("/votes"), &poll.vote(0, "ada"))
            .await
            .status,
        201
    );
    for _ in 0..5 {
        let other = server.poll(json!({})).await;
        assert_eq!(
            server
                .post(other.path("/votes"), &other.vote(0, "ada"))
                .await
                .status,
            201
        );
    }
    let again = server.post(poll.path("/votes"), &poll.vote(1, "ada")).await;
    again.refuses(409, "already_voted");
}

async fn bug_07_a_vote_is_in_the_final_result_or_refused(store: Store) {
    let clock = FakeClock::default();
    let server = Start {
        clock: Some(clock.clone()),
        ..Start::on(store)
    }
    .run()
    .await;
    let poll = server
        .poll(json!({"closes_at": "2026-01-01T12:01:00Z"}))
        .await;
    assert_eq!(
        server
            .post(poll.path("/votes"), &poll.vote(0, "ada"))
            .await
            .status,
        201
    );
    clock.advance(Duration::from_secs(60));
    let late = server.post(poll.path("/votes"), &poll.vote(0, "bob")).await;
    late.refuses(409, "poll_closed");
    let again = server.post(poll.path("/votes"), &poll.vote(0, "ada")).await;
    assert_eq!(
        again.status, 200,
        "a retry is recognised after the end, too"
    );
    let close = server.request(http::Method::POST, poll.path("/close"));
    let closed = close.bearer(&poll.token).await.json();
    assert_eq!(
        (&closed["results"]["final"], &closed["results"]["ballots"]),
        (&json!(true), &json!(1))
    );
}

async fn bug_07_votes_in_flight_at_the_close_are_counted_exactly_when_they_were_accepted(
    store: Store,
) {
    let server = Server::on(store).await;
    let poll = server.poll(json!({})).await;
    let votes = (0..60).map(|n| {
        let (server, poll) = (&server, &poll);
        async move {
            let vote = poll.vote(n % 2, &format!("voter {n}"));
            let answer = server.post(poll.path("/votes"), &vote).await;
            if answer.status != 201 {
                answer.refuses(409, "poll_closed");
            }
            u64::from(answer.status == 201)
        }
    });
    let close = async {
        // Somebody is in before it, so that there is something to race.
        server.post(poll.path("/votes"), &poll.vote(0, "ada")).await;
        let close = server.request(http::Method::POST, poll.path("/close"));
        close.bearer(&poll.token).await.json()
    };
    let (accepted, closed) = join(join_all(votes), close).await;
    let accepted = accepted.iter().sum::<u64>() + 1;
    assert_eq!(closed["results"]["final"], true);
    assert_eq!(closed["results"]["ballots"], accepted);
    let results = server.get(poll.path("/results")).await.json();
    assert_eq!(results, closed["results"]);
}

async fn bug_08_the_same_key_with_another_content_is_refused_aloud(store: Store) {
    let server = Server::on(store).await;
    let poll = server.poll(json!({})).await;
    let post = |position| {
        let ask = server.post(poll.path("/votes"), &poll.vote(position, "ada"));
        ask.header("idempotency-key", "018f3c6e-0000-7000-8000-000000000001")
    };
    assert_eq!(post(0).await.status, 201);
    post(1).await.refuses(409, "ballot_id_reused");
    assert_eq!(post(0).await.status, 200);
}

async fn bug_09_an_option_of_another_poll_is_refused(store: Store) {
    let server = Server::on(store).await;
    let (poll, other) = (server.poll(json!({})).await, server.poll(json!({})).await);
    let answer = server
        .post(poll.path("/votes"), &other.vote(0, "ada"))
        .await;
    answer.refuses_field(422, "option_unknown", "/option_id");
    let results = server.get(poll.path("/results")).await.json();
    assert_eq!(results["ballots"], 0);
}

async fn bug_10_a_vote_without_a_voter_is_refused(store: Store) {
    let server = Server::on(store).await;
    let poll = server.poll(json!({})).await;
    for body in [
        json!({"option_id": poll.options[0]}),
        json!({"option_id": poll.options[0], "voter": null}),
    ] {
        let answer = server.post(poll.path("/votes"), &body).await;
        answer.refuses(422, "voter_required");
        let alias = server.post(format!("/polls/{}/vote", poll.id), &body).await;
        alias.refuses(422, "voter_required");
    }
    let results = server.get(poll.path("/results")).await.json();
    assert_eq!(results["ballots"], 0);
}

/// All come through one proxy from one address, in batches because that is ten thousand sockets less; and some one by one,
/// as users who signed in there.
async fn bug_14_ten_thousand_voters_behind_one_address_get_through(store: Store) {
    const EACH: usize = 500;
    let mut core = Settings::default();
    core.limits.loopback = true;
    let server = Start {
        core,
        clock: Some(FakeClock::default()),
        ..Start::on(store)
    }
    .run()
    .await;
    let poll = server.poll(json!({})).await;
    let batches = (0..20).map(|batch| {
        let voters = (0..EACH).map(|voter| poll.vote(0, &format!("{batch} {voter}")));
        let body = json!({"ballots": voters.collect::<Vec<_>>()});
        let ask = server.post(poll.path("/votes/batch"), &body);
        async move { ask.await.json() }
    });
    for answer in join_all(batches).await {
        let outcomes = answer["outcomes"].as_array().unwrap();
        assert!(outcomes.iter().all(|outcome| outcome["status"] == 201));
        assert_eq!(outcomes.len(), EACH);
    }
    let results = server.get(poll.path("/results")).await.json();
    assert_eq!(results["ballots"], 10_000);

    // More than the limit of wrong passwords sign in from there, and vote as themselves.
    let registered = server.poll(json!({"voters": "registered"})).await;
    for name in 0..12 {
        let (_, token) = server.user(&format!("user{name}")).await;
        let vote = json!({"option_id": registered.options[0]});
        let vote = server.post(registered.path("/votes"), &vote);
        assert_eq!(vote.bearer(&token).await.status, 201);
    }
}

async fn bug_19_ballots_are_counted_where_voters_are_meant(store: Store) {
    let server = Server::on(store).await;
    let choice = json!({"choice": {"type": "multiple", "min": 1, "max": 2}});
    let poll = server.poll(choice).await;
    for voter in ["ada", "bob"] {
        let body = json!({"option_ids": poll.options, "voter": voter});
        assert_eq!(server.post(poll.path("/votes"), &body).await.status, 201);
    }
    let results = server.get(poll.path("/results")).await.json();
    assert_eq!(results["ballots"], 2);
    assert_eq!(
        (
            &results["options"][0]["votes"],
            &results["options"][1]["votes"]
        ),
        (&json!(2), &json!(2))
    );
}
