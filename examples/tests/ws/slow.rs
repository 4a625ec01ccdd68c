//! Clients that do not read what there is for them.

use std::time::Duration;

use futures_util::SinkExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use polling_core::{Actor, Ballot, NewPoll, PollView, Voter};
use polling_ws::WsSettings;
use serde_json::json;
use tokio::io::{AsyncReadExt, DuplexStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

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

/// A client at the other end of a pipe that holds so many bytes, and subscribed to the poll, which it has not read yet.
async fn piped(server: &Server, poll: &PollView, bytes: usize) -> WebSocketStream<DuplexStream> {
    let (near, far) = tokio::io::duplex(bytes);
    let service = TowerToHyperService::new(server.api.clone());
    tokio::spawn(async move {
        let server = auto::Builder::new(TokioExecutor::new());
        let served = server.serve_connection_with_upgrades(TokioIo::new(far), service);
        served.await.unwrap();
    });
    let handshake = tokio_tungstenite::client_async("ws://localhost/api/v1/ws", near);
    let (mut client, _) = soon(handshake).await.unwrap();
    let subscribe = json!({"type": "subscribe", "poll_id": poll.id}).to_string();
    soon(client.send(Message::text(subscribe))).await.unwrap();
    client
}

async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn who_takes_little_by_little_is_not_too_slow() {
    let settings = WsSettings::default();
    let most_of_the_timeout = settings.write_timeout * 2 / 3;
    let server = Server::with(settings).await;
    let poll = great_poll(&server).await;
    let mut client = piped(&server, &poll, 512).await;
    let mut some = [0; 512];
    for _ in 0..20 {
        soon(client.get_mut().read_exact(&mut some)).await.unwrap();
        pass(most_of_the_timeout).await;
    }
    assert_eq!(server.api.connections(), 1);
}

#[tokio::test]
async fn who_takes_nothing_gets_no_more_time_for_each_new_result() {
    let settings = WsSettings::default();
    let most_of_the_timeout = settings.write_timeout * 2 / 3;
    let server = Server::with(settings).await;
    let poll = server.poll().await;
    let _slow = piped(&server, &poll, 256).await;
    let mut fast = server.client().await;
    fast.subscribe(poll.id).await;
    // The first answers fill the pipe, far fewer than fill what is gathered.
    let mut first = 1;
    while server.api.connections() > 1 {
        assert!(first < 20, "it is still there");
        vote_until(&server, &poll, first, async |voted| {
            fast.results_with(voted).await;
            true
        })
        .await;
        first += 1;
        pass(most_of_the_timeout).await;
    }
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
