//! The contract of the ports, on a file and in memory.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot make its store has failed"
)]

use polling_sqlite::SqliteStore;
use tempfile::TempDir;

async fn on_a_file() -> (SqliteStore, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("polls.db")).await;
    (store.unwrap(), folder)
}

async fn in_memory() -> (SqliteStore, ()) {
    (SqliteStore::in_memory().await.unwrap(), ())
}

polling_conformance::suite!(file, crate::on_a_file);
polling_conformance::suite!(memory, crate::in_memory);
