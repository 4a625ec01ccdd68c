//! The handle, and the two ways through it to the database.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use polling_core::polls::PollRepository;
use polling_core::results::ResultsRepository;
use polling_core::users::UserRepository;
use polling_core::vote_tokens::VoteTokenRepository;
use polling_core::votes::VoteRepository;
use polling_core::workspaces::WorkspaceRepository;
use polling_core::{Repository, StoreError};
use rusqlite::{Transaction, TransactionBehavior};
use tracing::{Span, debug_span};

use crate::error::Failure;
use crate::lock::FileLock;
use crate::workers::Workers;

/// A SQLite database: a handle that is cheap to clone. When the last one is dropped, what was accepted is done, and the
/// file is closed and free for another process.
#[derive(Clone)]
pub struct SqliteStore {
    parts: Arc<Parts>,
}

/// Dropped in this order: the last connection to close tidies the file up, and the lock comes after it.
pub(crate) struct Parts {
    /// `None` in memory, where the writer reads too.
    pub(crate) readers: Option<Workers>,
    pub(crate) writer: Workers,
    pub(crate) _lock: Option<FileLock>,
}

impl SqliteStore {
    pub(crate) fn new(parts: Parts) -> Self {
        Self {
            parts: Arc::new(parts),
        }
    }

    #[cfg(test)]
    pub(crate) fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Reads, all from one moment.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        span: Span,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let workers = self.parts.readers.as_ref().unwrap_or(&self.parts.writer);
        let read = move |connection: &mut rusqlite::Connection| {
            let tx = connection.transaction()?;
            let result = work(&tx)?;
            tx.finish()?;
            Ok(result)
        };
        Ok(workers.run(span, read).await?)
    }

    /// Writes, as one transaction that has the database for itself from its beginning; it is durable on return, or nothing
    /// of it happened.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        span: Span,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        let write = move |connection: &mut rusqlite::Connection| {
            let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = work(&tx)?;
            tx.commit()?;
            Ok(result)
        };
        self.parts.writer.run(span, write).await
    }
}

const PING: &str = "\
-- store.ping
SELECT count(*) FROM (SELECT 1 FROM polls LIMIT 1)";

#[async_trait]
impl Repository for SqliteStore {
    fn polls(&self) -> &dyn PollRepository {
        self
    }

    fn votes(&self) -> &dyn VoteRepository {
        self
    }

    fn results(&self) -> &dyn ResultsRepository {
        self
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let ping = |tx: &Transaction<'_>| tx.prepare_cached(PING)?.query_row([], |_| Ok(()));
        self.read(debug_span!("db.store.ping"), ping).await
    }

    fn users(&self) -> Option<&dyn UserRepository> {
        Some(self)
    }

    fn vote_tokens(&self) -> Option<&dyn VoteTokenRepository> {
        Some(self)
    }

    fn workspaces(&self) -> Option<&dyn WorkspaceRepository> {
        Some(self)
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}
