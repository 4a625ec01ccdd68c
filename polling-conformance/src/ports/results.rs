//! The port of the counters.

use std::sync::Arc;

use polling_core::Repository;
use polling_core::polls::Status;

use crate::fixtures::Ports;

/// Whoever has no poll gets nothing; all others get their own, in the order of the question.
pub async fn revisions_come_in_the_order_of_the_question(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let (first, second) = (
        ports.kept(Status::Open).await,
        ports.kept(Status::Open).await,
    );
    ports.cast(&ports.ballot(second, 1, &[0])).await;
    let missing = ports.poll_id();
    let results = ports.store.results();
    let question = [second, missing, first, second];
    let revisions = results.revisions(&question).await.unwrap();
    assert_eq!(revisions, [Some(2), None, Some(1), Some(2)]);
    assert_eq!(results.revisions(&[]).await.unwrap(), []);
    assert!(results.tally(missing).await.unwrap().is_none());
    assert!(results.recount(missing).await.unwrap().is_none());
}

/// One question for all that a server watches.
pub async fn the_revisions_of_a_thousand_polls_come_at_once(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let kept = ports.kept(Status::Open).await;
    let mut question: Vec<_> = (0..1_000).map(|_| ports.poll_id()).collect();
    question.push(kept);
    let revisions = ports.store.results().revisions(&question).await.unwrap();
    assert_eq!(revisions.len(), 1_001);
    assert!(revisions[..1_000].iter().all(Option::is_none));
    assert_eq!(revisions[1_000], Some(1));
}

/// While ballots come in, nobody ever reads half a batch: neither in one row, nor in one beside the other.
pub async fn what_is_read_together_is_of_one_moment(store: Arc<dyn Repository>) {
    let ports = Arc::new(Ports::new(store));
    let id = ports.kept(Status::Open).await;
    let writer = tokio::spawn({
        let ports = Arc::clone(&ports);
        async move {
            for batch in 0..60_u64 {
                let ballots: Vec<_> = (0..7)
                    .map(|n| ports.ballot(id, batch * 7 + n, &[0, 2]))
                    .collect();
                ports.record(&ballots).await;
            }
        }
    });
    let mut reads = 0;
    let mut last = 0;
    while reads == 0 || !writer.is_finished() {
        let tally = ports.proven(id).await;
        assert_eq!(tally.ballots % 7, 0);
        assert_eq!(tally.counts, [tally.ballots, 0, tally.ballots]);
        assert_eq!(tally.revision, 1 + tally.ballots / 7);
        assert!(
            tally.revision >= last,
            "an older revision after a newer one"
        );
        last = tally.revision;
        let record = ports.store.polls().find(id).await.unwrap().unwrap();
        assert_eq!(record.tally.revision, 1 + record.tally.ballots / 7);
        reads += 1;
    }
    writer.await.unwrap();
    assert_eq!(ports.proven(id).await.ballots, 420);
    assert_eq!(ports.store.results().orphans().await.unwrap(), 0);
}

/// A read that begins after a commit has returned sees it.
pub async fn what_was_acknowledged_is_read_at_once(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let id = ports.kept(Status::Open).await;
    let results = ports.store.results();
    for voter in 0..50 {
        let ballot = ports.ballot(id, voter, &[1]);
        ports.cast(&ballot).await;
        let revision = voter + 2;
        let revisions = results.revisions(&[id]).await.unwrap();
        assert_eq!(revisions, [Some(revision)]);
        assert_eq!(ports.tally(id).await.revision, revision);
        let found = ports.store.votes().find(id, &ballot.voter).await.unwrap();
        assert_eq!(found.unwrap().revision, revision);
    }
}

/// It answers.
pub async fn a_store_that_is_there_says_so(store: Arc<dyn Repository>) {
    store.ping().await.unwrap();
}

/// Where the store has a clock of its own, it does not go back.
pub async fn a_clock_of_the_store_goes_on(store: Arc<dyn Repository>) {
    let first = store.now().await.unwrap();
    store.ping().await.unwrap();
    let second = store.now().await.unwrap();
    assert_eq!(first.is_some(), second.is_some());
    assert!(first <= second, "{first:?} was before {second:?}");
}
