//! Clients that do not read what there is for them.

use polling_core::{Actor, Ballot, NewPoll, PollView, Voter};
use polling_ws::WsSettings;
use serde_json::json;

use crate::support::{Server, soon, vote};

/// A poll whose results are long.
async fn great_poll(server: &Server) -> PollView {
    let options = (0..255).map(|at| format!("option {at}"));
    let new = NewPoll::single("Which?", options).published();
    server.create(&Actor::anonymous(), new).await
}

/// Votes one by one, each of which is shown, until `done` says so.
async fn vote_until(
    server: &Server,
    poll: &PollView,
    first: u64,
    mut done: impl AsyncFnMut(u64) -> bool,
) {
    for voter in first.. {
        let ballot = Ballot::of(poll.id, Voter::anyone(voter.to_string()), [0]);
        let votes = server.engine.votes();
        soon(votes.cast(&Actor::anonymous(), ballot)).await.unwrap();
        if done(voter).await {
            return;
        }
    }
}

#[tokio::test]
async fn bug_15_one_slow_viewer_does_not_delay_the_others() {
    let server = Server::with_small_buffers(WsSettings::default()).await;
    let poll = great_poll(&server).await;
    let (mut slow, mut fast) = (server.client().await, server.client().await);
    slow.subscribe(poll.id).await;
    fast.subscribe(poll.id).await;

    // The one reads every result as it comes, the other none.
    let all = 60;
    vote_until(&server, &poll, 1, async |voted| {
        fast.results_with(voted).await;
        voted == all
    })
    .await;

    // What did not fit on its way was never queued: it skips to the newest.
    let mut frames = 0;
    while slow.next().await["ballots"] != all {
        frames += 1;
    }
    assert!(frames < all, "{frames} frames before the newest");
    slow.hears_nothing().await;
}

#[tokio::test]
async fn who_takes_nothing_at_all_is_closed_with_1013() {
    let settings = WsSettings::default();
    let write_timeout = settings.write_timeout;
    let server = Server::with_small_buffers(settings).await;
    let poll = great_poll(&server).await;
    let (mut slow, mut fast) = (server.client().await, server.client().await);
    slow.subscribe(poll.id).await;
    fast.subscribe(poll.id).await;
    // When the system's own buffers are full, and whether the client's reading below comes before the server looks at
    // the time, is not the test's to say: it goes on until the client was too slow.
    let mut all = 0;
    let code = loop {
        let first = all + 1;
        all += 60;
        vote_until(&server, &poll, first, async |voted| {
            fast.results_with(voted).await;
            voted == all
        })
        .await;
        tokio::time::pause();
        tokio::time::advance(write_timeout).await;
        tokio::time::resume();
        if let Some(code) = slow.closed_before(|frame| frame["ballots"] == all).await {
            break code;
        }
    };
    assert_eq!(code, 1013);
    fast.hears_nothing().await;
}

#[tokio::test]
async fn who_votes_faster_than_it_reads_is_not_read_any_more_and_loses_nothing() {
    let mut settings = WsSettings::default();
    settings.votes_in_flight = 2;
    let server = Server::with_small_buffers(settings).await;
    let (mut client, poll) = (server.client().await, server.poll().await);
    for voter in 0..300 {
        client.send(&vote(&poll, &voter.to_string())).await;
    }
    for _ in 0..300 {
        assert_eq!(client.next().await["type"], "ack");
    }
    assert_eq!(
        client.ask(json!({"type": "ping"})).await,
        json!({"type": "pong"})
    );
}
