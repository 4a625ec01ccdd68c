//! The port of the ballots: the gate of a poll, which decides over each.

use std::sync::Arc;

use polling_core::Repository;
use polling_core::polls::{Status, Step};
use polling_core::votes::{Outcome, Refusal};

use crate::fixtures::{Ports, added, existing, noon, window};

/// A scheduled poll whose time has come need not wait for its timer.
pub async fn a_batch_that_opens_a_poll_is_two_revisions(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let id = ports
        .keep(ports.poll_with(Status::Scheduled, window(Some(0), None)))
        .await;
    let early = |voter| {
        let mut ballot = ports.ballot(id, voter, &[0]);
        ballot.received_at = noon(-1);
        ballot
    };
    let recorded = ports.record(&[early(1)]).await;
    assert_eq!(recorded.outcomes, [Outcome::Refused(Refusal::NotOpen)]);
    assert_eq!(ports.tally(id).await.status, Status::Scheduled);
    let batch = [
        early(1),
        ports.ballot(id, 2, &[0]),
        ports.ballot(id, 3, &[1]),
    ];
    let recorded = ports.record(&batch).await;
    assert_eq!(
        recorded.outcomes,
        [
            Outcome::Refused(Refusal::NotOpen),
            Outcome::Added(3),
            Outcome::Added(3)
        ]
    );
    let tally = ports.proven(id).await;
    assert_eq!((tally.status, tally.revision), (Status::Open, 3));
    assert_eq!(recorded.tallies, [tally]);
    assert_eq!(added(&ports.cast(&ports.ballot(id, 4, &[0])).await), 4);
}

/// By [`admit`](polling_core::votes::admit): the whole table, on the gate as it is kept.
pub async fn a_ballot_counts_by_when_it_was_received(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    for status in Status::ALL {
        for (opens, closes) in [
            (None, None),
            (Some(10), None),
            (None, Some(20)),
            (Some(10), Some(20)),
        ] {
            for seconds in [9, 10, 19, 20] {
                let (poll, tally) = ports.poll_with(status, window(opens, closes));
                let mut ballot = ports.ballot(poll.id, 1, &[0]);
                ballot.received_at = noon(seconds);
                let id = ports.keep((poll, tally.clone())).await;
                let outcome = ports.cast(&ballot).await;
                match polling_core::votes::admit(&tally, ballot.received_at) {
                    Ok(opens) => assert_eq!(added(&outcome), 2 + u64::from(opens)),
                    Err(refusal) => assert_eq!(outcome, Outcome::Refused(refusal)),
                }
                ports.proven(id).await;
            }
        }
    }
}

/// So that a retry is recognised while the poll is closing, and after it is closed.
pub async fn a_recorded_ballot_is_recognised_whatever_the_gate_says(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let id = ports
        .keep(ports.poll_with(Status::Open, window(None, Some(10))))
        .await;
    let ballot = ports.named_ballot(id, 1, &[0]);
    ports.cast(&ballot).await;
    let mut late = ballot.clone();
    late.received_at = noon(11);
    let steps = [(Step::BeginClosing, noon(10)), (Step::Finish, noon(11))];
    for (step, now) in steps {
        let found = existing(&ports.cast(&late).await).clone();
        assert_eq!((found.id, found.cast_at), (ballot.id, ballot.received_at));
        let mut unknown_option = ports.named_ballot(id, 1, &[200]);
        unknown_option.received_at = noon(11);
        assert_eq!(existing(&ports.cast(&unknown_option).await).id, ballot.id);
        ports.store.polls().advance(id, step, now).await.unwrap();
    }
    assert_eq!(existing(&ports.cast(&late).await).revision, 4);
    let mut newcomer = ports.ballot(id, 2, &[0]);
    newcomer.received_at = noon(1);
    assert_eq!(
        ports.cast(&newcomer).await,
        Outcome::Refused(Refusal::Closed)
    );
    assert_eq!(ports.proven(id).await.ballots, 1);
}

/// Whoever was received in time is recorded while the poll is closing.
pub async fn a_ballot_received_in_time_is_added_while_closing(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let id = ports
        .keep(ports.poll_with(Status::Open, window(None, Some(10))))
        .await;
    ports
        .store
        .polls()
        .advance(id, Step::BeginClosing, noon(10))
        .await
        .unwrap();
    let mut late = ports.ballot(id, 2, &[0]);
    late.received_at = noon(10);
    let outcomes = ports
        .record(&[ports.ballot(id, 1, &[0]), late])
        .await
        .outcomes;
    assert_eq!(
        outcomes,
        [Outcome::Added(3), Outcome::Refused(Refusal::Closed)]
    );
    let tally = ports.proven(id).await;
    assert_eq!((tally.status, tally.ballots), (Status::Closing, 1));
}

/// Not even one that was received in time, and not even out of a batch with others.
pub async fn no_ballot_is_added_after_a_close_has_returned(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let (id, other) = (
        ports.kept(Status::Open).await,
        ports.kept(Status::Open).await,
    );
    ports
        .store
        .polls()
        .advance(id, Step::Close, noon(0))
        .await
        .unwrap();
    let mut ballot = ports.ballot(id, 1, &[0]);
    ballot.received_at = noon(-60);
    let outcomes = ports
        .record(&[ballot, ports.ballot(other, 1, &[0])])
        .await
        .outcomes;
    assert_eq!(
        outcomes,
        [Outcome::Refused(Refusal::Closed), Outcome::Added(2)]
    );
    assert_eq!(ports.proven(id).await.ballots, 0);
}

/// Also a retry of what was recorded before the poll was deleted.
pub async fn a_ballot_of_a_deleted_poll_finds_no_poll(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let id = ports.kept(Status::Open).await;
    let ballot = ports.named_ballot(id, 1, &[0]);
    ports.cast(&ballot).await;
    ports.store.polls().delete(id, noon(0)).await.unwrap();
    for _ in 0..2 {
        let batch = [ballot.clone(), ports.ballot(id, 2, &[0])];
        let recorded = ports.record(&batch).await;
        let missing = Outcome::Refused(Refusal::Missing);
        assert_eq!(recorded.outcomes, [missing.clone(), missing]);
        while ports.store.polls().purge(10).await.unwrap() {}
    }
    assert_eq!(ports.store.results().orphans().await.unwrap(), 0);
}
