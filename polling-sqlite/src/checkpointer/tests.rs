//! The log under writers, under readers, and while one of them does not end.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use polling_core::StoreError;
use rusqlite::{Connection, Transaction};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Span, Subscriber};

use super::*;
use crate::SqliteStore;
use crate::error::Failure;
use crate::log::Bounds;

const MIB: u64 = 1 << 20;

/// Holds the log to one MiB.
async fn open(limit: u64) -> (TempDir, PathBuf, SqliteStore) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("polls.db");
    let options = SqliteStore::builder().log_bytes(MIB).log_limit_bytes(limit);
    let store = options.open(&path).await.unwrap();
    (folder, path, store)
}

/// Writes about `kib` into the log, over the same pages again and again.
async fn write(store: &SqliteStore, kib: u32) -> Result<(), Failure> {
    let write = move |tx: &Transaction<'_>| {
        tx.execute_batch("CREATE TABLE IF NOT EXISTS large (id INTEGER PRIMARY KEY, content)")?;
        let sql = "INSERT OR REPLACE INTO large VALUES (?1, randomblob(?2 << 10))";
        tx.execute(sql, [1, kib]).map(drop)
    };
    store.write(Span::none(), write).await
}

fn log_bytes(path: &Path) -> u64 {
    let log = PathBuf::from(format!("{}-wal", path.display()));
    std::fs::metadata(log).unwrap().len()
}

/// Reads from now on, until the connection is dropped.
fn reader(path: &Path) -> Connection {
    let reader = Connection::open(path).unwrap();
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM polls")
        .unwrap();
    reader
}

/// Looks again and again, for at most a minute.
async fn until<F: Future<Output = bool>>(mut seen: impl FnMut() -> F) {
    let look = async {
        while !seen().await {
            tokio::task::yield_now().await;
        }
    };
    let minute = Duration::from_secs(60);
    tokio::time::timeout(minute, look).await.unwrap();
}

#[tokio::test]
async fn the_log_is_copied_while_the_writer_does_something_else() {
    let (_folder, path, store) = open(u64::MAX).await;
    let other = Connection::open(&path).unwrap();
    let (busy, is_busy) = oneshot::channel();
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let hold = move |tx: &Transaction<'_>| {
        let _ = busy.send(());
        let _ = wait.recv();
        tx.pragma_update(None, "user_version", 1)
    };
    write(&store, 700).await.unwrap();
    let busy_writer = store.write(Span::none(), hold);
    let check = async {
        is_busy.await.unwrap();
        until(async || log::state(&other).unwrap().left() == 0).await;
        go_on.send(()).unwrap();
    };
    let (written, ()) = tokio::join!(busy_writer, check);
    written.unwrap();
}

#[tokio::test]
async fn no_commit_copies_the_log() {
    let (_folder, _path, store) = open(u64::MAX).await;
    let asked = |tx: &Transaction<'_>| {
        tx.pragma_query_value(None, "wal_autocheckpoint", |row| row.get::<_, u32>(0))
    };
    assert_eq!(store.write(Span::none(), asked).await.unwrap(), 0);
}

#[tokio::test]
async fn the_log_keeps_its_bound() {
    let (_folder, path, store) = open(u64::MAX).await;
    let mut largest = 0;
    for _ in 0..60 {
        write(&store, 300).await.unwrap();
        largest = largest.max(log_bytes(&path));
    }
    assert!(largest < 3 * MIB, "{largest} bytes");
}

/// There is always one that needs the log as it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reads_without_a_gap_do_not_let_the_log_grow() {
    let (_folder, path, store) = open(u64::MAX).await;
    let reads = (0..16).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            loop {
                let read = |tx: &Transaction<'_>| {
                    tx.query_row(
                        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100) \
                         SELECT sum(i), (SELECT count(*) FROM polls) FROM n",
                        [],
                        |_| Ok(()),
                    )
                };
                store.read(Span::none(), read).await.unwrap();
            }
        })
    });
    let reads: Vec<_> = reads.collect();
    let mut largest = 0;
    for _ in 0..200 {
        write(&store, 300).await.unwrap();
        largest = largest.max(log_bytes(&path));
    }
    for read in reads {
        read.abort();
    }
    assert!(
        largest < 30 * MIB,
        "{largest} bytes of 60 MiB that were written"
    );
}

#[tokio::test]
async fn a_log_that_a_reader_held_is_cut_back_once_it_has_ended() {
    let (_folder, path, store) = open(u64::MAX).await;
    let reader = reader(&path);
    for _ in 0..30 {
        write(&store, 300).await.unwrap();
    }
    assert!(log_bytes(&path) > 8 * MIB);
    drop(reader);
    // Nobody writes any more.
    until(async || log_bytes(&path) <= MIB).await;
    write(&store, 300).await.unwrap();
    assert!(log_bytes(&path) <= MIB);
}

#[tokio::test]
async fn writing_is_refused_where_a_reader_lets_the_log_grow_beyond_its_limit() {
    let (_folder, path, store) = open(4 * MIB).await;
    let reader = reader(&path);
    let refused = async {
        loop {
            if let Err(failure) = write(&store, 300).await {
                break failure;
            }
        }
    };
    let minute = Duration::from_secs(60);
    let refused = tokio::time::timeout(minute, refused).await.unwrap();
    assert!(matches!(refused, Failure::LogFull), "{refused:?}");
    assert!(matches!(
        StoreError::from(refused),
        StoreError::Unavailable(_)
    ));
    assert!(log_bytes(&path) >= 4 * MIB);
    // Reading goes on.
    let read = |tx: &Transaction<'_>| tx.query_row("SELECT 1", [], |_| Ok(()));
    store.read(Span::none(), read).await.unwrap();
    drop(reader);
    until(async || write(&store, 300).await.is_ok()).await;
    assert!(log_bytes(&path) <= 2 * MIB);
}

#[test]
fn a_log_that_is_held_is_told_once_a_minute() {
    let told = Told::default();
    let count = Arc::clone(&told.0);
    let log = Log::new(Bounds::new(4_096, MIB, u64::MAX));
    let mut last = None;
    let mut now = Instant::now();
    tracing::subscriber::with_default(told, || {
        tell(&log, &Held::InUse, &mut last, now);
        assert_eq!(count.load(Ordering::Relaxed), 0, "it is short");
        log.set_pages(1_000);
        for _ in 0..239 {
            tell(&log, &Held::InUse, &mut last, now);
            now += PAUSE;
        }
        assert_eq!(count.load(Ordering::Relaxed), 1);
        now += PAUSE;
        tell(
            &log,
            &Held::Failed("as the test wants".into()),
            &mut last,
            now,
        );
        assert_eq!(count.load(Ordering::Relaxed), 2);
    });
}

/// Counts what is logged.
#[derive(Default)]
struct Told(Arc<AtomicUsize>);

impl Subscriber for Told {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
