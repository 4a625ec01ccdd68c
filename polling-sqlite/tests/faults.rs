//! What happens when the database refuses something in the middle of it.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use polling_core::polls::Status;
use polling_core::results::Update;
use polling_core::votes::{BallotRecord, Outcome, RecordError, Selection, VoteError, VoterKey};
use polling_core::{
    Actor, Ballot, BallotId, Clock, Code, Engine, FakeClock, NewPoll, PollId, Repository, Settings,
    Voter,
};
use polling_sqlite::SqliteStore;
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::task::JoinSet;

struct Lab {
    store: SqliteStore,
    engine: Engine,
    clock: FakeClock,
    path: PathBuf,
    _folder: TempDir,
}

impl Lab {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("polls.db");
        let options = SqliteStore::builder().busy_timeout(Duration::from_millis(1));
        let store = options.open(&path).await.unwrap();
        let clock = FakeClock::default();
        let mut settings = Settings::default();
        settings.push_interval = Duration::ZERO;
        let engine = Engine::builder(store.clone())
            .clock(clock.clone())
            .settings(settings)
            .build()
            .await
            .unwrap();
        Self {
            store,
            engine,
            clock,
            path,
            _folder: folder,
        }
    }

    /// Somebody else's connection to the file.
    fn raw(&self) -> Connection {
        Connection::open(&self.path).unwrap()
    }

    /// The database refuses to insert what chooses the third option.
    fn poison(&self) {
        let trigger = "CREATE TRIGGER poison BEFORE INSERT ON votes WHEN new.content = x'02' \
                       BEGIN SELECT RAISE(ABORT, 'as the test wants'); END";
        self.raw().execute_batch(trigger).unwrap();
    }

    async fn poll(&self) -> PollId {
        let new = NewPoll::single("Tea or coffee?", ["Tea", "Coffee", "Poison"]).published();
        self.engine
            .polls()
            .create(&Actor::System, new)
            .await
            .unwrap()
            .id
    }

    fn ballot(&self, poll: PollId, voter: u8, position: u8) -> BallotRecord {
        BallotRecord {
            poll,
            voter: VoterKey::from_bytes([voter; 16]),
            id: BallotId::from_bytes([voter; 16]),
            id_is_clients: false,
            selection: Selection::from_store(&[position]),
            received_at: self.clock.now(),
        }
    }

    async fn ballots(&self, poll: PollId) -> u64 {
        let recount = self.store.results().recount(poll).await.unwrap().unwrap();
        assert!(recount.agrees(), "{recount:?}");
        recount.ballots
    }
}

#[tokio::test]
async fn a_failing_statement_leaves_nothing_of_the_batch() {
    let lab = Lab::new().await;
    let (poll, other) = (lab.poll().await, lab.poll().await);
    lab.poison();
    let mut writer = lab.store.votes().writer().await.unwrap();
    for poisoned in [0, 5, 9] {
        let batch: Arc<[_]> = (0..10_u8)
            .map(|n| {
                let poll = if n % 2 == 0 { poll } else { other };
                lab.ballot(poll, n, if n == poisoned { 2 } else { 0 })
            })
            .collect();
        let failed = writer.record(batch).await;
        assert!(
            matches!(failed, Err(RecordError::Poisoned(_))),
            "{failed:?}"
        );
        for poll in [poll, other] {
            assert_eq!(lab.ballots(poll).await, 0);
            let tally = lab.store.results().tally(poll).await.unwrap().unwrap();
            assert_eq!(tally.revision, 1);
        }
    }
    let batch = [lab.ballot(poll, 1, 0)];
    let recorded = writer.record(batch.into()).await.unwrap();
    assert_eq!(recorded.outcomes, [Outcome::Added(2)]);
}

#[tokio::test]
async fn a_poisoned_ballot_is_answered_alone_and_all_others_truly() {
    let lab = Lab::new().await;
    let poll = lab.poll().await;
    lab.poison();
    let poisoned = |n: usize| matches!(n, 0 | 7 | 8 | 41 | 99);
    let ballots = (0..100).map(|n| {
        let position = if poisoned(n) { 2 } else { 1 };
        // One voter in ten votes twice, which is one of the others' true answers.
        let voter = if n % 10 == 5 { n - 1 } else { n };
        Ok(Ballot::of(
            poll,
            Voter::vouched(voter.to_string()),
            [position],
        ))
    });
    let votes = lab.engine.votes();
    let outcomes = votes
        .cast_all(&Actor::System, poll, ballots.collect())
        .await
        .unwrap();
    for (n, outcome) in outcomes.into_iter().enumerate() {
        match outcome {
            Ok(receipt) => {
                assert!(!poisoned(n));
                assert_eq!(receipt.created, n % 10 != 5, "ballot {n}");
            }
            Err(error) => assert!(
                error.code() == Code::Internal && poisoned(n),
                "ballot {n}: {error}"
            ),
        }
    }
    assert_eq!(lab.ballots(poll).await, 85);
}

/// The engine tries for a while, and then says that nobody knows; what was sent again later is recorded once.
#[tokio::test]
async fn a_database_that_somebody_holds_is_unavailable_for_a_while() {
    let lab = Lab::new().await;
    let poll = lab.poll().await;
    let held = lab.raw();
    held.execute_batch("BEGIN IMMEDIATE").unwrap();
    let ballot = || {
        let ballot = Ballot::of(poll, Voter::vouched("ada"), [0]);
        ballot.with_id(BallotId::from_bytes([1; 16]))
    };
    let votes = lab.engine.votes();
    let mut cast = Box::pin(votes.cast(&Actor::System, ballot()));
    let refused = loop {
        tokio::select! {
            biased;
            answer = &mut cast => break answer.unwrap_err(),
            () = tokio::task::yield_now() => lab.clock.advance(Duration::from_millis(10)),
        }
    };
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(matches!(refused, VoteError::Store(_)));
    // Reading goes on meanwhile.
    assert_eq!(lab.ballots(poll).await, 0);
    held.execute_batch("ROLLBACK").unwrap();
    for created in [true, false] {
        let receipt = votes.cast(&Actor::System, ballot()).await.unwrap();
        assert_eq!(receipt.created, created);
    }
    assert_eq!(lab.ballots(poll).await, 1);
}

/// Each waits from when it was sent, and not from when the one before it gave up.
#[tokio::test]
async fn commands_that_wait_behind_one_another_for_a_lock_wait_no_longer_than_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("polls.db");
    let options = SqliteStore::builder().busy_timeout(Duration::from_secs(1));
    let engine = Engine::builder(options.open(&path).await.unwrap());
    let engine = engine.build().await.unwrap();
    let held = Connection::open(&path).unwrap();
    held.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut all = JoinSet::new();
    for _ in 0..30 {
        let engine = engine.clone();
        all.spawn(async move {
            let new = NewPoll::single("Q?", ["A", "B"]);
            let created = engine.polls().create(&Actor::System, new).await;
            assert_eq!(created.unwrap_err().code(), Code::Unavailable);
        });
    }
    tokio::time::timeout(Duration::from_secs(15), all.join_all())
        .await
        .unwrap();
}

/// However long the store would wait for the lock.
#[tokio::test]
async fn votes_are_answered_within_their_time_while_somebody_holds_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("polls.db");
    let options = SqliteStore::builder().busy_timeout(Duration::from_secs(60));
    let engine = Engine::builder(options.open(&path).await.unwrap());
    let engine = engine.build().await.unwrap();
    let new = NewPoll::single("Q?", ["A", "B"]).published();
    let poll = engine.polls().create(&Actor::System, new).await.unwrap().id;
    let held = Connection::open(&path).unwrap();
    held.execute_batch("BEGIN IMMEDIATE").unwrap();
    let cast = |voter: &str| {
        let ballot = Ballot::of(poll, Voter::vouched(voter), [0]);
        engine.votes().cast(&Actor::System, ballot)
    };
    // The second comes while the first is tried.
    let first = async { cast("ada").await };
    let second = async {
        tokio::task::yield_now().await;
        cast("ben").await
    };
    let both = async { tokio::join!(first, second) };
    let (first, second) = tokio::time::timeout(Duration::from_secs(20), both)
        .await
        .unwrap();
    for answer in [first, second] {
        assert_eq!(answer.unwrap_err().code(), Code::Unavailable);
    }
}

/// The steps of all other polls are taken in time.
#[tokio::test]
async fn a_poll_that_cannot_be_moved_holds_up_no_other() {
    let lab = Lab::new().await;
    let ends = |seconds| lab.clock.now().after(Duration::from_secs(seconds));
    let create = async |closes_at| {
        let new = NewPoll::single("Q?", ["A", "B"])
            .published()
            .closes_at(closes_at);
        lab.engine
            .polls()
            .create(&Actor::System, new)
            .await
            .unwrap()
            .id
    };
    let stuck = create(ends(10)).await;
    let others = [create(ends(10)).await, create(ends(11)).await];
    let key = "SELECT key FROM polls WHERE id = ?1";
    let raw = lab.raw();
    let key: i64 = raw
        .query_row(key, [stuck.as_bytes()], |row| row.get(0))
        .unwrap();
    let trigger = format!(
        "CREATE TRIGGER stuck BEFORE UPDATE ON poll_tallies WHEN new.poll = {key} \
         BEGIN SELECT RAISE(ABORT, 'as the test wants'); END"
    );
    raw.execute_batch(&trigger).unwrap();
    drop(raw);
    let mut viewers = Vec::new();
    for poll in others {
        let viewer = polling_core::results::Viewer::default();
        let results = lab.engine.results();
        viewers.push(
            results
                .subscribe(&Actor::System, poll, viewer)
                .await
                .unwrap(),
        );
    }
    lab.clock.advance(Duration::from_secs(11));
    for viewer in &mut viewers {
        loop {
            match viewer.update().await {
                Update::Results(told) if told.results().status == Status::Closing => break,
                Update::Results(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    let record = lab.store.polls().find(stuck).await.unwrap().unwrap();
    assert_eq!(record.tally.status, Status::Open);
}
