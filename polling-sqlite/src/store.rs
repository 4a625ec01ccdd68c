//! The handle, and the two ways through it to the database.

use std::fmt;
use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use polling_core::polls::PollRepository;
use polling_core::results::ResultsRepository;
use polling_core::users::UserRepository;
use polling_core::vote_tokens::VoteTokenRepository;
use polling_core::votes::VoteRepository;
use polling_core::workspaces::WorkspaceRepository;
use polling_core::{Repository, StoreError};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::time::Instant;
use tracing::{Span, debug_span};

use crate::checkpointer::Checkpointer;
use crate::error::Failure;
use crate::gate::Gate;
use crate::lock::FileLock;
use crate::log::Log;
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
    pub(crate) log: Option<LogParts>,
    pub(crate) writer: Workers,
    /// How long a command waits for another process's lock.
    pub(crate) busy_timeout: Duration,
    /// After all connections: to close it gives up the locks that this process has on the file.
    pub(crate) _file: Option<Arc<File>>,
    pub(crate) _lock: Option<FileLock>,
}

/// What keeps the write-ahead log of a file short.
pub(crate) struct LogParts {
    pub(crate) log: Arc<Log>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) _checkpointer: Checkpointer,
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
        let gate = self.parts.log.as_ref().map(|log| Arc::clone(&log.gate));
        let patience = Patience::of(self.parts.busy_timeout);
        let read = move |connection: &mut Connection| {
            let _reading = gate.as_ref().map(|gate| gate.enter());
            patience.spend(connection)?;
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
        self.write_within(self.parts.busy_timeout, span, work).await
    }

    /// As [`write`](Self::write), for a caller who tries again by itself.
    pub(crate) async fn try_write<T: Send + 'static>(
        &self,
        span: Span,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        let patience = self.parts.busy_timeout.min(PATIENCE_OF_AN_ATTEMPT);
        self.write_within(patience, span, work).await
    }

    async fn write_within<T: Send + 'static>(
        &self,
        patience: Duration,
        span: Span,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        let log = self.parts.log.as_ref().map(|log| Arc::clone(&log.log));
        if log.as_ref().is_some_and(|log| log.is_full()) {
            return Err(Failure::LogFull);
        }
        let patience = Patience::of(patience);
        let write = move |connection: &mut Connection| {
            patience.spend(connection)?;
            let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = work(&tx)?;
            patience.spend(&tx)?;
            tx.commit()?;
            if let Some(log) = log {
                log.wrote(connection);
            }
            Ok(result)
        };
        self.parts.writer.run(span, write).await
    }
}

/// How long a command still waits for a lock that another process holds: from when it was sent, in the queue and over all
/// its statements together. So many commands that wait behind one another wait no longer than the first.
#[derive(Clone, Copy)]
struct Patience {
    until: Instant,
}

impl Patience {
    fn of(patience: Duration) -> Self {
        Self {
            until: Instant::now() + patience,
        }
    }

    /// SQLite waits from now on for what is left. A command whose time is over is tried all the same, without waiting.
    fn spend(self, connection: &Connection) -> rusqlite::Result<()> {
        connection.busy_timeout(self.until.saturating_duration_since(Instant::now()))
    }
}

/// The engine sends a batch again until its time is over, which only the engine knows: so it must hear soon.
const PATIENCE_OF_AN_ATTEMPT: Duration = Duration::from_millis(250);

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
