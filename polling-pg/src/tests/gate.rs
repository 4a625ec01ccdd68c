//! Many writers at once, on two servers, at the gates of the same polls.

use super::*;

const WRITERS: usize = 16;

/// Numbers that share no factor with 48: steps of this width visit all of 48 places.
const STRIDES: [usize; WRITERS] = [1, 5, 7, 11, 13, 17, 19, 23, 25, 29, 31, 35, 37, 41, 43, 47];

/// The rule of the core and the words of the statement are the same rule.
#[tokio::test]
async fn the_gate_takes_what_the_rule_takes() {
    let bed = bed().await;
    let windows = [
        (None, None),
        (Some(100), Some(200)),
        (None, Some(200)),
        (Some(100), None),
    ];
    let mut writer = writer(&bed.store).await;
    for status in Status::ALL {
        for (opens, closes) in windows {
            for (received, position) in [(99, 0), (100, 1), (199, 2), (200, 0), (150, 3)] {
                let window = Window {
                    opens_at: opens.map(at),
                    closes_at: closes.map(at),
                };
                let poll = bed.poll_with(status, window, 3).await;
                let ballot = BallotRecord {
                    received_at: at(received),
                    selection: Selection::from_store(&[position]),
                    ..bed.ballot(poll, 1)
                };
                let before = bed.tally(poll).await;
                let recorded = writer.record([ballot.clone()].into()).await.unwrap();
                let after = bed.tally(poll).await;
                let case = format!("{status:?} {window:?} at {received}, option {position}");
                match takes(&before, &ballot) {
                    Ok(opens) => {
                        let revision = before.revision + 1 + u64::from(opens);
                        assert_eq!(recorded.outcomes, [Outcome::Added(revision)], "{case}");
                        assert_eq!(recorded.tallies, std::slice::from_ref(&after), "{case}");
                        assert_eq!((after.revision, after.ballots), (revision, 1), "{case}");
                    }
                    Err(refusal) => {
                        assert_eq!(recorded.outcomes, [Outcome::Refused(refusal)], "{case}");
                        assert_eq!(after, before, "{case}");
                    }
                }
            }
        }
    }
}

/// Batches over the same polls and voters in any order, changes and withdrawals among them: each waits for the others, and
/// none in a circle.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bug_21_writers_of_the_same_polls_and_voters_never_deadlock() {
    let bed = Arc::new(bed().await);
    let mut polls = Vec::new();
    for _ in 0..8 {
        polls.push(bed.poll().await);
    }
    let polls: Arc<[PollId]> = polls.into();
    let servers = [bed.store.clone(), bed.another_server().await];
    let mut writers = JoinSet::new();
    for number in 0..WRITERS {
        let (bed, polls, store) = (
            Arc::clone(&bed),
            Arc::clone(&polls),
            servers[number % 2].clone(),
        );
        writers.spawn(async move {
            let mut writer = writer(&store).await;
            for round in 0..20 {
                // All writers have the same voters, each in an order of its own.
                let mut batch = Vec::new();
                for step in 0..48_usize {
                    let place = (step * STRIDES[number] + round) % 48;
                    let voter = (round * 6 + place / 8) as u64;
                    batch.push(bed.ballot(polls[place % 8], voter));
                }
                writer.record(batch.into()).await.unwrap();
                let changed = bed.ballot(polls[round % 8], (round * 6) as u64);
                store.votes().change(&changed).await.unwrap();
                let voter = voter_key((round * 6 + 1) as u64);
                store
                    .votes()
                    .withdraw(polls[number % 8], &voter, at(1))
                    .await
                    .unwrap();
            }
        });
    }
    writers.join_all().await;
    for &poll in polls.iter() {
        bed.proven(poll).await;
    }
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(bed.number(deadlocks).await, 0);
}

/// Of all who vote as the same voter at once, on two servers, one is counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bugs_01_and_02_identical_and_different_votes_at_once_on_two_servers_count_once() {
    let bed = Arc::new(bed().await);
    let poll = bed.poll().await;
    let servers = [bed.store.clone(), bed.another_server().await];
    let mut writers = JoinSet::new();
    for number in 0..WRITERS {
        let (bed, store) = (Arc::clone(&bed), servers[number % 2].clone());
        writers.spawn(async move {
            let mut writer = writer(&store).await;
            let mut counted = 0;
            for voter in 0..200 {
                let selection = Selection::from_store(&[(number % 3) as u8]);
                let ballot = BallotRecord {
                    selection,
                    ..bed.ballot(poll, voter)
                };
                counted += added(&writer.record([ballot].into()).await.unwrap());
            }
            counted
        });
    }
    let counted: u64 = writers.join_all().await.into_iter().sum();
    assert_eq!(counted, 200);
    assert_eq!(bed.proven(poll).await, 200);
}

/// A busy gate is a queue: who closes gets through, with the final result, after which nothing is added.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bug_07_who_closes_gets_through_sixteen_busy_writers_with_the_final_result() {
    let bed = Arc::new(bed().await);
    let poll = bed.poll().await;
    let servers = [bed.store.clone(), bed.another_server().await];
    let mut writers = JoinSet::new();
    let (counts, mut counted) = tokio::sync::mpsc::unbounded_channel();
    for number in 0..WRITERS {
        let (bed, store, counts) = (
            Arc::clone(&bed),
            servers[number % 2].clone(),
            counts.clone(),
        );
        writers.spawn(async move {
            let mut writer = writer(&store).await;
            let mut answered = 0;
            for voter in 0.. {
                let ballot = bed.ballot(poll, (number + voter * WRITERS) as u64);
                match &writer.record([ballot].into()).await.unwrap().outcomes[0] {
                    Outcome::Added(_) => answered += 1,
                    Outcome::Refused(Refusal::Closed) => break,
                    other => panic!("{other:?}"),
                }
                counts.send(()).unwrap();
            }
            answered
        });
    }
    for _ in 0..10 * WRITERS {
        counted.recv().await.unwrap();
    }
    let closed = servers[1]
        .polls()
        .advance(poll, Step::Close, at(1))
        .await
        .unwrap();
    let Advanced::Taken(closed) = closed else {
        panic!("{closed:?}")
    };
    // The writers end only because it got through.
    let answered: u64 = writers.join_all().await.into_iter().sum();
    assert_eq!(closed.tally.ballots, answered);
    assert_eq!(bed.tally(poll).await, closed.tally);
    assert_eq!(bed.proven(poll).await, answered);
}

/// Ballots for polls that close, are deleted and do not take them spoil none of the others in their batch.
#[tokio::test]
async fn what_a_gate_refuses_leaves_the_rest_of_the_batch_as_it_is() {
    let bed = bed().await;
    let window = |closes| Window {
        opens_at: None,
        closes_at: Some(at(closes)),
    };
    let open = bed.poll().await;
    let closed = bed.poll_with(Status::Closed, Window::default(), 3).await;
    let ended = bed.poll_with(Status::Closing, window(100), 3).await;
    let missing = PollId::from_bytes(bed.bytes());
    let late = BallotRecord {
        received_at: at(100),
        ..bed.ballot(ended, 2)
    };
    let unknown = BallotRecord {
        selection: Selection::from_store(&[3]),
        ..bed.ballot(open, 2)
    };
    let batch: Arc<[BallotRecord]> = [
        bed.ballot(closed, 1),
        bed.ballot(ended, 1),
        late,
        bed.ballot(missing, 1),
        unknown,
        bed.ballot(open, 1),
    ]
    .into();
    let recorded = writer(&bed.store).await.record(batch).await.unwrap();
    assert_eq!(
        recorded.outcomes,
        [
            Outcome::Refused(Refusal::Closed),
            Outcome::Added(1),
            Outcome::Refused(Refusal::Closed),
            Outcome::Refused(Refusal::Missing),
            Outcome::Refused(Refusal::OptionUnknown),
            Outcome::Added(1),
        ]
    );
    assert_eq!(recorded.tallies.len(), 2);
    assert_eq!((bed.proven(open).await, bed.proven(ended).await), (1, 1));
}

/// A name that one server gives to a ballot, and a change to that same name on the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_and_changes_at_once_keep_one_ballot_for_each_id() {
    let bed = Arc::new(bed().await);
    let poll = bed.poll().await;
    let servers = [bed.store.clone(), bed.another_server().await];
    for voter in 0..40 {
        let first = bed.ballot(poll, voter);
        servers[0].votes().change(&first).await.unwrap();
        let other = Selection::from_store(&[((voter + 1) % 3) as u8]);
        let same = bed.ballot(poll, voter);
        let changed = BallotRecord {
            selection: other,
            ..same.clone()
        };
        let (named, replaced) = tokio::join!(
            servers[0].votes().change(&same),
            servers[1].votes().change(&changed),
        );
        // Whichever came first, the id stands for one content only.
        match (named.unwrap(), replaced.unwrap()) {
            (Change::Unchanged(_), Change::IdReused) | (Change::IdReused, Change::Changed(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(bed.proven(poll).await, 40);
}

/// Servers that remove the same deleted polls at once leave nothing of them behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_purge_at_once_leave_nothing_behind() {
    let bed = Arc::new(bed().await);
    let polls = [bed.poll().await, bed.poll().await];
    for poll in polls {
        let batch = (0..500).map(|voter| bed.ballot(poll, voter));
        writer(&bed.store)
            .await
            .record(batch.collect())
            .await
            .unwrap();
        bed.store.polls().delete(poll, at(1)).await.unwrap();
    }
    let mut purging = JoinSet::new();
    for _ in 0..4 {
        let store = bed.another_server().await;
        purging.spawn(async move { while store.polls().purge(7).await.unwrap() {} });
    }
    purging.join_all().await;
    let left = "SELECT (SELECT count(*) FROM polling.votes) + (SELECT count(*) FROM polling.poll_options) \
        + (SELECT count(*) FROM polling.polls)";
    assert_eq!(bed.number(left).await, 0);
}
