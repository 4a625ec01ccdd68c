//! What only the store itself can be asked: how much SQLite does, and what happens on a full disk.
#![cfg(test)]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use polling_core::polls::{
    Choice, OptionText, Poll, PollOption, Question, ShowResults, Status, Step, Voters, Window,
};
use polling_core::results::Tally;
use polling_core::votes::{BallotRecord, Outcome, RecordError, Recorded, Selection, VoterKey};
use polling_core::{
    BallotId, IdSource, OptionId, PollId, Repository, SeededIds, StoreError, Timestamp,
};
use rusqlite::StatementStatus;
use rusqlite::trace::{TraceEvent, TraceEventCodes};

use crate::SqliteStore;

struct Ids(SeededIds);

impl Ids {
    fn new() -> Self {
        Self(SeededIds::new(1))
    }

    fn bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.0.fill(&mut bytes);
        bytes
    }

    async fn poll(&self, store: &SqliteStore) -> PollId {
        let option = |text: &str| PollOption {
            id: OptionId::from_bytes(self.bytes()),
            text: OptionText::from_store(text.into()),
        };
        let poll = Poll {
            id: PollId::from_bytes(self.bytes()),
            question: Question::from_store("Tea or coffee?".into()),
            description: None,
            choice: Choice::Single,
            voters: Voters::Anyone,
            allow_change: true,
            listed: true,
            creator: None,
            project: None,
            manage_token: None,
            version: 1,
            created_at: Timestamp::EPOCH,
            updated_at: Timestamp::EPOCH,
            options: ["Tea", "Coffee"].map(option).into(),
        };
        let tally = Tally {
            status: Status::Open,
            ..Tally::new(&poll, Window::default(), ShowResults::Always)
        };
        store.polls().insert(&poll, &tally).await.unwrap();
        poll.id
    }

    fn batch(&self, poll: PollId, ballots: usize) -> Arc<[BallotRecord]> {
        (0..ballots)
            .map(|_| BallotRecord {
                poll,
                voter: VoterKey::from_bytes(self.bytes()),
                id: BallotId::from_bytes(self.bytes()),
                id_is_clients: true,
                selection: Selection::from_store(&[1]),
                received_at: Timestamp::EPOCH,
            })
            .collect()
    }
}

async fn record(store: &SqliteStore, batch: &Arc<[BallotRecord]>) -> Result<Recorded, RecordError> {
    let mut writer = store.votes().writer().await.unwrap();
    writer.record(Arc::clone(batch)).await
}

/// By statement: how often it ran, how many steps of SQLite's machine it took, how many rows of a full scan, and how often
/// it was planned anew.
type Work = HashMap<String, [i32; 4]>;

/// Counts what SQLite does until the next call of this.
async fn count(store: &SqliteStore) -> Arc<Mutex<Work>> {
    let work = Arc::new(Mutex::new(Work::new()));
    let counted = Arc::clone(&work);
    let trace = move |connection: &mut rusqlite::Connection| {
        // Each statement is prepared anew, with counters at zero.
        connection.flush_prepared_statement_cache();
        let profile = move |event: TraceEvent<'_>| {
            if let TraceEvent::Profile(statement, _) = event {
                use StatementStatus::{FullscanStep, RePrepare, Run, VmStep};
                let counters = [Run, VmStep, FullscanStep, RePrepare];
                let counters = counters.map(|it| statement.get_status(it));
                counted
                    .lock()
                    .unwrap()
                    .insert(statement.sql().into(), counters);
            }
        };
        connection.trace_v2(TraceEventCodes::SQLITE_TRACE_PROFILE, Some(profile))
    };
    store
        .parts()
        .writer
        .run(tracing::Span::none(), trace)
        .await
        .unwrap();
    work
}

/// What each thing costs that somebody waits for, in a poll that runs already.
async fn cost(store: &SqliteStore, ids: &Ids, poll: PollId, voted: &BallotRecord) -> Vec<Work> {
    let (polls, votes, results) = (store.polls(), store.votes(), store.results());
    let batch = ids.batch(poll, 20);
    let again = Arc::clone(&batch);
    let other = BallotRecord {
        id: BallotId::from_bytes(ids.bytes()),
        selection: Selection::from_store(&[0]),
        ..voted.clone()
    };
    let mut costs = Vec::new();
    macro_rules! costs {
        ($($work:expr),+ $(,)?) => {$(
            let work = count(store).await;
            $work.await.unwrap();
            costs.push(work.lock().unwrap().clone());
        )+};
    }
    costs!(
        polls.find(poll),
        results.tally(poll),
        results.revisions(&[poll]),
        votes.find(poll, &voted.voter),
        votes.is_superseded(poll, &voted.voter, voted.id),
        record(store, &batch),
        record(store, &again),
        votes.change(&other),
        votes.withdraw(poll, &voted.voter, Timestamp::EPOCH),
        polls.upcoming(std::time::Duration::ZERO, 100),
        polls.advance(poll, Step::Close, Timestamp::EPOCH),
        polls.delete(poll, Timestamp::EPOCH),
        polls.purge(10),
    );
    costs
}

#[tokio::test]
async fn bug_20_latency_does_not_grow_with_the_votes() {
    let store = SqliteStore::in_memory().await.unwrap();
    let ids = Ids::new();
    let mut costs = Vec::new();
    for ballots in [100, 20_000] {
        let poll = ids.poll(&store).await;
        let batch = ids.batch(poll, ballots);
        record(&store, &batch).await.unwrap();
        costs.push(cost(&store, &ids, poll, &batch[0]).await);
        while store.polls().purge(100_000).await.unwrap() {}
    }
    let [few, many] = costs.try_into().unwrap();
    for (few, many) in few.iter().zip(&many) {
        assert!(few.len() >= 3, "a transaction and a statement: {few:?}");
        assert_eq!(few, many);
    }
}

#[tokio::test]
async fn no_statement_of_the_vote_path_scans_a_table() {
    let store = SqliteStore::in_memory().await.unwrap();
    let ids = Ids::new();
    let poll = ids.poll(&store).await;
    for _ in 0..50 {
        ids.poll(&store).await;
    }
    let batch = ids.batch(poll, 100);
    record(&store, &batch).await.unwrap();
    for work in cost(&store, &ids, poll, &batch[0]).await {
        for (sql, [_, _, scanned, _]) in work {
            assert_eq!(scanned, 0, "scans:\n{sql}");
        }
    }
}

/// SQLite plans again what depends on the values that are bound, and took two thirds of a batch over 1,000 polls for it.
#[tokio::test]
async fn no_statement_of_a_batch_is_planned_twice() {
    let store = SqliteStore::in_memory().await.unwrap();
    let ids = Ids::new();
    let mut ballots = Vec::new();
    for _ in 0..10 {
        let poll = ids.poll(&store).await;
        ballots.extend(ids.batch(poll, 10).iter().cloned());
    }
    let batch: Arc<[BallotRecord]> = ballots.into();
    let work = count(&store).await;
    for _ in 0..2 {
        record(&store, &batch).await.unwrap();
    }
    let work = work.lock().unwrap();
    let most = work.values().map(|[runs, ..]| *runs).max();
    assert_eq!(most, Some(200), "each ballot was inserted twice: {work:?}");
    for (sql, [runs, _, _, planned_again]) in &*work {
        assert_eq!(*planned_again, 0, "in {runs} runs:\n{sql}");
    }
}

/// What is written is in the log before it is in the file, and must not pile up there.
#[tokio::test]
async fn the_write_ahead_log_keeps_its_bound() {
    const MIB: u64 = 1 << 20;
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteStore::builder().log_bytes(32 * MIB);
    let store = options.open(folder.path().join("polls.db")).await.unwrap();
    let log = folder.path().join("polls.db-wal");
    let mut largest = 0;
    for version in 0..24 {
        let write = move |tx: &rusqlite::Transaction<'_>| {
            tx.execute_batch(
                "DROP TABLE IF EXISTS large; CREATE TABLE large (content); \
                 INSERT INTO large VALUES (zeroblob(8 << 20))",
            )?;
            tx.pragma_update(None, "user_version", version)
        };
        store.write(tracing::Span::none(), write).await.unwrap();
        largest = largest.max(std::fs::metadata(&log).unwrap().len());
    }
    assert!(largest < 80 * MIB, "{} MiB", largest / MIB);
}

/// Lets the file grow by so many pages, or as it likes.
async fn limit_pages(store: &SqliteStore, more: Option<i64>) {
    let limit = move |connection: &mut rusqlite::Connection| {
        let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
        let most = more.map_or(i64::from(u32::MAX) - 1, |more| pages + more);
        connection.pragma_update_and_check(None, "max_page_count", most, |_| Ok(()))
    };
    store
        .parts()
        .writer
        .run(tracing::Span::none(), limit)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_full_disk_is_told_as_unavailable_and_heals() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("polls.db"))
        .await
        .unwrap();
    let ids = Ids::new();
    let poll = ids.poll(&store).await;
    let before = ids.batch(poll, 10);
    record(&store, &before).await.unwrap();
    limit_pages(&store, Some(2)).await;
    let batch = ids.batch(poll, 1_000);
    let lost = record(&store, &batch).await;
    assert!(matches!(lost, Err(RecordError::Lost(_))), "{lost:?}");
    let tally = store.results().tally(poll).await.unwrap().unwrap();
    assert_eq!((tally.ballots, tally.revision), (10, 1));
    // What needs no more room is still recorded.
    let recorded = record(&store, &before).await.unwrap();
    assert!(matches!(recorded.outcomes[0], Outcome::Existing(_)));
    let unavailable = loop {
        let option = |n: u64| PollOption {
            id: OptionId::from_bytes(ids.bytes()),
            text: OptionText::from_store(format!("{n}").repeat(40)),
        };
        let record = store.polls().find(poll).await.unwrap().unwrap();
        let large = Poll {
            id: PollId::from_bytes(ids.bytes()),
            options: (0..255).map(option).collect(),
            ..(*record.poll).clone()
        };
        if let Err(error) = store.polls().insert(&large, &record.tally).await {
            break error;
        }
    };
    assert!(
        matches!(unavailable, StoreError::Unavailable(_)),
        "{unavailable:?}"
    );
    limit_pages(&store, None).await;
    let recorded = record(&store, &batch).await.unwrap();
    let added = |outcome: &Outcome| matches!(outcome, Outcome::Added(2));
    assert!(recorded.outcomes.iter().all(added));
    let recount = store.results().recount(poll).await.unwrap().unwrap();
    assert!(recount.agrees() && recount.ballots == 1_010);
}

#[tokio::test]
async fn a_panic_is_internal_and_nothing_of_it_stands() {
    let store = SqliteStore::in_memory().await.unwrap();
    let ids = Ids::new();
    let poll = ids.poll(&store).await;
    let panics = |tx: &rusqlite::Transaction<'_>| -> rusqlite::Result<()> {
        tx.pragma_update(None, "user_version", 7)?;
        panic!("as the test wants");
    };
    let failed = store.write(tracing::Span::none(), panics).await;
    assert!(matches!(
        failed.map_err(StoreError::from),
        Err(StoreError::Internal(_))
    ));
    let version = |tx: &rusqlite::Transaction<'_>| {
        tx.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0))
    };
    assert_eq!(store.read(tracing::Span::none(), version).await.unwrap(), 0);
    record(&store, &ids.batch(poll, 1)).await.unwrap();
}
