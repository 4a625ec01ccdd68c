//! The port of the ballots: what a writer records.

use std::sync::Arc;

use polling_core::polls::{Poll, Status};
use polling_core::results::Tally;
use polling_core::votes::{Outcome, Refusal, Withdrawal};
use polling_core::{PollId, Repository};

use crate::fixtures::{Ports, added, existing, noon, voter_key};

/// Durable, counted, and found with a revision that contains it.
pub async fn a_recorded_ballot_is_found_and_counted(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let id = ports.kept(Status::Open).await;
    let ballot = ports.ballot(id, 1, &[0, 2]);
    let recorded = ports.record(std::slice::from_ref(&ballot)).await;
    assert_eq!(recorded.outcomes, [Outcome::Added(2)]);
    let tally = ports.proven(id).await;
    assert_eq!(recorded.tallies, std::slice::from_ref(&tally));
    assert_eq!((tally.revision, tally.ballots), (2, 1));
    assert_eq!(tally.counts, [1, 0, 1]);
    let votes = ports.store.votes();
    let found = votes.find(id, &ballot.voter).await.unwrap().unwrap();
    assert_eq!((found.id, found.cast_at), (ballot.id, ballot.received_at));
    assert_eq!((found.selection, found.revision), (ballot.selection, 2));
    assert!(votes.find(id, &voter_key(2)).await.unwrap().is_none());
}

/// One ballot per voter and poll: the first one stays as it is.
pub async fn a_second_ballot_of_the_same_voter_is_refused(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let id = ports.kept(Status::Open).await;
    let first = ports.ballot(id, 1, &[0]);
    ports.cast(&first).await;
    for second in [
        ports.ballot(id, 1, &[1]),
        ports.ballot(id, 1, &[0]),
        ports.named_ballot(id, 1, &[1]),
    ] {
        let recorded = ports.record(std::slice::from_ref(&second)).await;
        let found = existing(&recorded.outcomes[0]);
        assert_eq!((found.id, &found.selection), (first.id, &first.selection));
        assert_eq!(found.revision, 2);
        assert!(recorded.tallies.is_empty());
    }
    let tally = ports.proven(id).await;
    assert_eq!((tally.revision, tally.counts), (2, vec![1, 0, 0]));
}

/// The same batch may be sent again, to the same writer, with the same ids.
pub async fn a_batch_that_is_sent_again_adds_nothing(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let id = ports.kept(Status::Open).await;
    let batch: Arc<[_]> = (0..50)
        .map(|voter| ports.ballot(id, voter, &[1]))
        .collect::<Vec<_>>()
        .into();
    let mut writer = ports.store.votes().writer().await.unwrap();
    let first = writer.record(Arc::clone(&batch)).await.unwrap();
    assert!(first.outcomes.iter().all(|outcome| added(outcome) == 2));
    for _ in 0..2 {
        let again = writer.record(Arc::clone(&batch)).await.unwrap();
        assert!(again.tallies.is_empty());
        for (ballot, outcome) in batch.iter().zip(&again.outcomes) {
            let found = existing(outcome);
            assert_eq!((found.id, found.cast_at), (ballot.id, ballot.received_at));
            assert_eq!(found.revision, 2);
        }
    }
    let tally = ports.proven(id).await;
    assert_eq!((tally.revision, tally.ballots), (2, 50));
}

/// In a storm of retries, new voters, those who had withdrawn, and what a poll refuses are decided as ever: batch after batch,
/// however a writer has come to expect repeats.
pub async fn a_storm_of_retries_hides_nobody(store: Arc<dyn Repository>) {
    const VOTERS: u64 = 100;
    let ports = Ports::new(store);
    let (id, closed) = (
        ports.kept(Status::Open).await,
        ports.kept(Status::Closed).await,
    );
    let first: Vec<_> = (0..VOTERS).map(|n| ports.ballot(id, n, &[0])).collect();
    let mut writer = ports.store.votes().writer().await.unwrap();
    writer.record(first.clone().into()).await.unwrap();
    for storm in 1..4 {
        let gone = voter_key(storm);
        let withdrawal = ports.store.votes().withdraw(id, &gone, noon(0)).await;
        assert!(matches!(withdrawal, Ok(Withdrawal::Withdrawn(_))));
        let mut batch = first.clone();
        batch[usize::try_from(storm).unwrap()] = ports.ballot(id, storm, &[1]);
        batch.push(ports.ballot(closed, 1, &[0]));
        batch.push(ports.ballot(id, VOTERS + storm, &[2]));
        let recorded = writer.record(batch.clone().into()).await.unwrap();
        let tally = ports.proven(id).await;
        assert_eq!(tally.ballots, VOTERS + storm);
        assert_eq!(tally.counts, [VOTERS - storm, storm, storm]);
        for (n, (ballot, outcome)) in (0..).zip(batch.iter().zip(&recorded.outcomes)) {
            match n {
                n if n == storm || n == VOTERS + 1 => assert!(added(outcome) <= tally.revision),
                VOTERS => assert_eq!(*outcome, Outcome::Refused(Refusal::Closed)),
                // Who withdrew in an earlier storm has another ballot than the first since.
                n if (1..storm).contains(&n) => assert_ne!(existing(outcome).id, ballot.id),
                _ => assert_eq!(existing(outcome).id, ballot.id),
            }
        }
    }
}

/// Each outcome belongs to the ballot in its place, whatever order the store likes to work in.
pub async fn the_outcomes_come_in_the_order_of_the_batch(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let (open, other) = (
        ports.kept(Status::Open).await,
        ports.kept(Status::Open).await,
    );
    let closed = ports.kept(Status::Closed).await;
    let draft = ports.kept(Status::Draft).await;
    let missing = ports.poll_id();
    let old = ports.ballot(other, 7, &[2]);
    ports.cast(&old).await;
    let batch = [
        ports.ballot(other, 9, &[0]),
        ports.ballot(closed, 7, &[0]),
        ports.ballot(other, 7, &[0]),
        ports.ballot(open, 7, &[3]),
        ports.ballot(missing, 7, &[0]),
        ports.ballot(open, 3, &[0]),
        ports.ballot(draft, 7, &[0]),
        ports.ballot(other, 1, &[1, 2]),
        ports.ballot(open, 1, &[0, 1, 2]),
    ];
    let recorded = ports.record(&batch).await;
    let outcomes = &recorded.outcomes;
    assert_eq!(added(&outcomes[0]), 3);
    assert_eq!(outcomes[1], Outcome::Refused(Refusal::Closed));
    assert_eq!(existing(&outcomes[2]).id, old.id);
    assert_eq!(outcomes[3], Outcome::Refused(Refusal::OptionUnknown));
    assert_eq!(outcomes[4], Outcome::Refused(Refusal::Missing));
    assert_eq!(added(&outcomes[5]), 2);
    assert_eq!(outcomes[6], Outcome::Refused(Refusal::NotOpen));
    assert_eq!(added(&outcomes[7]), 3);
    assert_eq!(added(&outcomes[8]), 2);
    let mut changed: Vec<PollId> = recorded.tallies.iter().map(|tally| tally.poll_id).collect();
    changed.sort();
    assert_eq!(changed, [open, other]);
    assert_eq!(ports.proven(open).await.counts, [2, 1, 1]);
    assert_eq!(ports.proven(other).await.counts, [1, 1, 2]);
    for untouched in [closed, draft] {
        assert_eq!(ports.proven(untouched).await.revision, 1);
    }
}

/// However many of its ballots were added.
pub async fn a_batch_is_one_revision_of_each_poll_it_adds_to(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let polls = [
        ports.kept(Status::Open).await,
        ports.kept(Status::Open).await,
    ];
    let batch: Vec<_> = (0..40)
        .map(|voter| ports.ballot(polls[usize::from(voter % 4 == 0)], voter, &[0]))
        .collect();
    let recorded = ports.record(&batch).await;
    assert!(recorded.outcomes.iter().all(|outcome| added(outcome) == 2));
    assert_eq!(recorded.tallies.len(), 2);
    for tally in recorded.tallies {
        assert_eq!(tally, ports.proven(tally.poll_id).await);
        assert_eq!(tally.revision, 2);
    }
}

/// A batch with nothing in it is fine, too.
pub async fn a_batch_that_adds_nothing_moves_no_revision(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let id = ports.kept(Status::Open).await;
    assert!(ports.record(&[]).await.tallies.is_empty());
    let recorded = ports.record(&[ports.ballot(id, 1, &[9])]).await;
    assert_eq!(
        recorded.outcomes,
        [Outcome::Refused(Refusal::OptionUnknown)]
    );
    assert!(recorded.tallies.is_empty());
    assert_eq!(ports.proven(id).await.revision, 1);
}

/// Every position that a poll can have, and no other.
pub async fn a_ballot_selects_from_the_first_to_the_255th_option(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let (poll, tally) = ports.poll(Status::Open);
    let poll = Poll {
        options: ports.options(255),
        ..poll
    };
    let tally = Tally {
        counts: vec![0; 255],
        ..tally
    };
    let id = ports.keep((poll, tally)).await;
    let all: Vec<u8> = (0..255).collect();
    let edges = [0, 1, 127, 128, 253, 254];
    for (voter, positions) in [(1, &all[..]), (2, &edges)] {
        let ballot = ports.ballot(id, voter, positions);
        added(&ports.cast(&ballot).await);
        let found = ports
            .store
            .votes()
            .find(id, &ballot.voter)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found.selection.positions(), positions);
    }
    let outcome = ports.cast(&ports.ballot(id, 3, &[255])).await;
    assert_eq!(outcome, Outcome::Refused(Refusal::OptionUnknown));
    let tally = ports.proven(id).await;
    for (position, &count) in (0..=u8::MAX).zip(&tally.counts) {
        assert_eq!(count, 1 + u64::from(edges.contains(&position)));
    }
}

/// A ballot id is compared within one poll and voter.
pub async fn the_same_ballot_id_elsewhere_is_another_ballot(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let (id, other) = (
        ports.kept(Status::Open).await,
        ports.kept(Status::Open).await,
    );
    let first = ports.named_ballot(id, 1, &[0]);
    ports.cast(&first).await;
    for (poll, voter) in [(id, 2), (other, 1)] {
        let mut second = ports.named_ballot(poll, voter, &[1]);
        second.id = first.id;
        added(&ports.cast(&second).await);
    }
    assert_eq!(ports.proven(id).await.ballots, 2);
}

/// Sixteen writers, and the same sixteen voters in each of their batches.
pub async fn of_many_writers_at_once_one_adds_a_voters_ballot(store: Arc<dyn Repository>) {
    let ports = Arc::new(Ports::new(store));
    let polls = [
        ports.kept(Status::Open).await,
        ports.kept(Status::Open).await,
    ];
    let writers = (0..16_u64).map(|writer| {
        let ports = Arc::clone(&ports);
        tokio::spawn(async move {
            let position = u8::try_from(writer % 3).unwrap();
            // Each in an order of its own, which must not stop anybody.
            let batch: Vec<_> = (0..32)
                .map(|n| (n + writer * 5) % 32)
                .map(|n| ports.ballot(polls[(n % 2) as usize], n / 2, &[position]))
                .collect();
            ports.record(&batch).await.outcomes
        })
    });
    let mut ballots = 0;
    for writer in writers.collect::<Vec<_>>() {
        for outcome in writer.await.unwrap() {
            ballots += u64::from(matches!(outcome, Outcome::Added(_)));
        }
    }
    assert_eq!(ballots, 32);
    for poll in polls {
        assert_eq!(ports.proven(poll).await.ballots, 16);
    }
}

/// The same revision is the same content: no two batches give the same one, and none is left out.
pub async fn writers_at_once_give_each_revision_once(store: Arc<dyn Repository>) {
    let ports = Arc::new(Ports::new(store));
    let id = ports.kept(Status::Open).await;
    let writers = (0..8_u64).map(|writer| {
        let ports = Arc::clone(&ports);
        tokio::spawn(async move {
            let mut tallies = Vec::new();
            for n in 0..8 {
                let recorded = ports
                    .record(&[ports.ballot(id, writer * 8 + n, &[0])])
                    .await;
                assert_eq!(added(&recorded.outcomes[0]), recorded.tallies[0].revision);
                tallies.extend(recorded.tallies);
            }
            tallies
        })
    });
    let mut tallies = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        tallies.extend(writer.await.unwrap());
    }
    tallies.sort_by_key(|tally| tally.revision);
    for (revision, tally) in (2..).zip(&tallies) {
        assert_eq!((tally.revision, tally.ballots), (revision, revision - 1));
    }
    assert_eq!(ports.proven(id).await.revision, 65);
}

/// One for each voter who is asked about, from one moment, with a revision that contains it.
pub async fn ballots_come_in_the_order_of_the_question(store: Arc<dyn Repository>) {
    let ports = Ports::new(store);
    let (id, other) = (
        ports.kept(Status::Open).await,
        ports.kept(Status::Open).await,
    );
    let batch: Vec<_> = (0..1_000)
        .map(|n| ports.ballot(id, n + 1, [&[0][..], &[1], &[0, 2]][(n % 3) as usize]))
        .collect();
    ports.record(&batch).await;
    ports.cast(&ports.ballot(other, 1_001, &[0])).await;
    let votes = ports.store.votes();
    votes.withdraw(id, &voter_key(7), noon(1)).await.unwrap();
    // Backwards, with somebody of another poll, somebody unknown, somebody who has withdrawn, and somebody twice.
    let asked: Vec<u64> = (1..=1_002).rev().chain([5]).collect();
    let keys: Vec<_> = asked.iter().map(|&voter| voter_key(voter)).collect();
    let found = votes.find_all(id, &keys).await.unwrap();
    assert_eq!(found.len(), keys.len());
    for (voter, found) in asked.into_iter().zip(found) {
        let counts = (1..=1_000).contains(&voter) && voter != 7;
        assert_eq!(found.is_some(), counts, "{voter}");
        if let (Some(found), Some(cast)) =
            (found, batch.iter().find(|b| b.voter == voter_key(voter)))
        {
            assert_eq!((found.id, found.cast_at), (cast.id, cast.received_at));
            assert_eq!((&found.selection, found.revision), (&cast.selection, 3));
        }
    }
    assert!(votes.find_all(id, &[]).await.unwrap().is_empty());
    let nowhere = votes.find_all(ports.poll_id(), &keys[..2]).await.unwrap();
    assert_eq!(nowhere, [None, None]);
}
