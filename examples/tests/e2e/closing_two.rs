//! Closing decides every race also when two servers take the votes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use polling_core::votes::{BallotRecord, Outcome, Refusal, Selection, VoteWriter, VoterKey};
use polling_core::{BallotId, Clock, PollId, SystemClock};
use serde_json::json;
use tokio::task::JoinSet;

use crate::crash::open_poll;
use crate::store::Store;
use crate::support::bed::Bed;
use crate::support::client::Client;
use crate::support::events::Viewer;
use crate::support::soon;
use crate::support::storm::{Storm, assert_decided, recorded};
use crate::support::voter::{Answer, vote};
use crate::two_servers::close;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bug_07_a_vote_on_any_server_while_the_poll_is_closed_is_in_the_result_or_refused() {
    let bed = Bed::on(Store::Postgres).await;
    let servers = bed.start_two().await;
    let addresses = servers.each_ref().map(|server| server.address);
    let mut clients = [
        Client::connect(addresses[0]).await.unwrap(),
        Client::connect(addresses[1]).await.unwrap(),
    ];
    let poll = open_poll(&mut clients[0]).await;
    let mut viewer = Viewer::watch(addresses[0], &poll).await;
    let storm = Storm::insisting(&addresses, &poll, 32);
    storm.reaches(500).await;
    let closed = close(addresses[1], &poll).await;

    let answers = storm.over().await;
    assert_decided(&answers);
    let answered = recorded(&answers);
    assert_eq!(
        closed["ballots"],
        answered.len(),
        "the answer to the close is the final result"
    );
    let late = Answer::Refused {
        code: "poll_closed".into(),
    };
    for client in &mut clients {
        assert_eq!(vote(client, &poll, "late").await, late);
    }
    assert_eq!(viewer.until_final().await, closed);
    let path = format!("/polls/{}/results", poll["id"].as_str().unwrap());
    for client in &mut clients {
        assert_eq!(
            client.get(&path).await.1,
            closed,
            "a final result never changes"
        );
    }
    bed.recount(&poll, answered.len()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bug_07_a_vote_on_any_server_when_the_end_comes_is_in_the_result_or_refused() {
    let bed = Bed::on(Store::Postgres).await;
    let servers = bed.start_two().await;
    let addresses = servers.each_ref().map(|server| server.address);
    let closes_at = SystemClock.now().after(Duration::from_millis(1_500));
    let new = json!({"question": "Tea or coffee?", "options": ["Tea", "Coffee"], "publish": true, "closes_at": closes_at});
    let mut client = Client::connect(addresses[0]).await.unwrap();
    let (_, poll) = client.post("/polls", &new).await;
    let mut viewers = [
        Viewer::watch(addresses[0], &poll).await,
        Viewer::watch(addresses[1], &poll).await,
    ];
    // Each goes on until it is told that the poll is closed.
    let answers = Storm::insisting(&addresses, &poll, 32).over().await;
    assert_decided(&answers);
    let answered = recorded(&answers).len();
    assert!(answered > 0);
    for viewer in &mut viewers {
        let last = viewer.until_final().await;
        assert_eq!(
            last["ballots"], answered,
            "what was answered is in the result"
        );
    }
    assert_eq!(viewers[0].last, viewers[1].last);
    bed.recount(&poll, answered).await;
}

/// Sixteen writers, in two pools, write one batch after the other into a poll, and somebody closes it. How long that takes
/// is counted in batches, for each of which the gate was taken once: from the request on, which is a few for each writer,
/// as the queue for the gate is fair.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bug_07_a_closer_gets_through_sixteen_busy_writers() {
    const WRITERS: usize = 16;
    let bed = Bed::on(Store::Postgres).await;
    let server = bed.start().await;
    let poll = open_poll(&mut Client::connect(server.address).await.unwrap()).await;
    let id: PollId = poll["id"].as_str().unwrap().parse().unwrap();
    let committed = Arc::new(AtomicUsize::new(0));
    let stores = [bed.open().await, bed.open().await];
    let mut writing = JoinSet::new();
    for number in 0..WRITERS {
        let writer = stores[number % 2].votes().writer().await.unwrap();
        writing.spawn(write_until_closed(
            writer,
            id,
            number,
            Arc::clone(&committed),
        ));
    }
    let busy = async {
        while committed.load(Ordering::SeqCst) < 5 * WRITERS {
            tokio::task::yield_now().await;
        }
    };
    soon(busy).await;
    let before = committed.load(Ordering::SeqCst);
    let closed = close(server.address, &poll).await;
    let meanwhile = committed.load(Ordering::SeqCst) - before;

    let added: usize = soon(writing.join_all()).await.into_iter().sum();
    assert_eq!(closed["ballots"], added, "nothing is added after the close");
    bed.recount(&poll, added).await;
    assert!(
        meanwhile <= 20 * WRITERS,
        "the closer waited for {meanwhile} batches"
    );
}

/// Writes batches until the poll is closed, and returns how many ballots were added.
async fn write_until_closed(
    mut writer: Box<dyn VoteWriter>,
    poll: PollId,
    number: usize,
    committed: Arc<AtomicUsize>,
) -> usize {
    const BATCH: usize = 50;
    for batch in 0.. {
        let ballots = (0..BATCH).map(|at| ballot(poll, [number, batch, at]));
        let recorded = writer.record(ballots.collect()).await.unwrap();
        if recorded.tallies.is_empty() {
            let refused = Outcome::Refused(Refusal::Closed);
            assert!(recorded.outcomes.iter().all(|outcome| *outcome == refused));
            return batch * BATCH;
        }
        let added = |outcome: &Outcome| matches!(outcome, Outcome::Added(_));
        assert!(
            recorded.outcomes.iter().all(added),
            "a batch is added whole"
        );
        committed.fetch_add(1, Ordering::SeqCst);
    }
    unreachable!("it writes for ever")
}

/// The ballot of a voter with this number, in three parts.
fn ballot(poll: PollId, number: [usize; 3]) -> BallotRecord {
    let mut key = [0; 16];
    for (part, bytes) in number.iter().zip(key.chunks_mut(4)) {
        bytes.copy_from_slice(&u32::try_from(*part).unwrap().to_be_bytes());
    }
    BallotRecord {
        poll,
        voter: VoterKey::from_bytes(key),
        id: BallotId::from_bytes(key),
        id_is_clients: false,
        selection: Selection::from_store(&[0]),
        received_at: SystemClock.now(),
    }
}
