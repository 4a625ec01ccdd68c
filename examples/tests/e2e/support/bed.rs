//! A durable store of which servers can be started, killed and started again.

use std::sync::Arc;

use polling_core::{PollId, Repository};
use polling_sqlite::SqliteStore;
use serde_json::Value;
use tempfile::TempDir;

use super::process::ServerProcess;
use crate::store::Store;

/// A database that outlives its servers, and is gone with the test.
pub(crate) enum Bed {
    Sqlite(TempDir),
}

impl Bed {
    pub(crate) async fn on(store: Store) -> Self {
        match store {
            Store::Sqlite => Self::Sqlite(tempfile::tempdir().expect("a folder can be made")),
        }
    }

    /// What a server is started with.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite://{}/polls.db", folder.path().display()),
        }
    }

    /// A server of its own process.
    pub(crate) async fn start(&self) -> ServerProcess {
        ServerProcess::start_with(&self.url(), &[]).await
    }

    /// The store itself, for a look past every server.
    pub(crate) async fn open(&self) -> Arc<dyn Repository> {
        match self {
            Self::Sqlite(folder) => {
                let store = SqliteStore::open(folder.path().join("polls.db")).await;
                Arc::new(store.expect("no server uses the file now"))
            }
        }
    }

    /// Counts the ballots that are stored, when no server runs any more: as many as there should be, as many as the
    /// counters say, and none that belongs to nothing.
    pub(crate) async fn recount(&self, poll: &Value, ballots: usize) {
        let store = self.open().await;
        let id: PollId = poll["id"].as_str().unwrap().parse().unwrap();
        let recount = store.results().recount(id).await.unwrap().unwrap();
        assert!(recount.agrees(), "{recount:?}");
        assert_eq!(recount.ballots, ballots as u64);
        assert_eq!(store.results().orphans().await.unwrap(), 0);
    }
}
