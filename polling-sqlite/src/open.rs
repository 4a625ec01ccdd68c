//! Opening a database.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tracing::{info, warn};

use crate::checkpointer::{Checkpointer, Tools};
use crate::gate::Gate;
use crate::lock::{FileLock, private_file};
use crate::log::{Bounds, Log};
use crate::store::{LogParts, Parts, SqliteStore};
use crate::workers::Workers;
use crate::{OpenError, schema};

/// How a database is opened, and the bounds that the store works in.
#[derive(Clone, Debug)]
#[must_use]
pub struct SqliteOptions {
    migrate: bool,
    readers: usize,
    write_queue: usize,
    read_queue: usize,
    busy_timeout: Duration,
    log_bytes: u64,
    log_limit_bytes: u64,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            migrate: true,
            readers: 4,
            write_queue: 4_096,
            read_queue: 16_384,
            busy_timeout: Duration::from_secs(2),
            log_bytes: 128 << 20,
            log_limit_bytes: 4 << 30,
        }
    }
}

impl SqliteOptions {
    /// Whether the schema is brought up to date by itself; it is by default. Else a database whose schema is not current
    /// is refused, and [`SqliteStore::migrate`] is to be called first.
    pub const fn migrate_on_open(mut self, migrate: bool) -> Self {
        self.migrate = migrate;
        self
    }

    /// Connections that read side by side, 4 by default. In memory there are none of their own.
    pub const fn readers(mut self, connections: usize) -> Self {
        self.readers = connections;
        self
    }

    /// Commands that may wait for the writer, 4,096 by default; one more is refused as unavailable. A batch of ballots
    /// is one command.
    pub const fn write_queue(mut self, commands: usize) -> Self {
        self.write_queue = commands;
        self
    }

    /// Reads that may wait for a reader, 16,384 by default; one more is refused as unavailable.
    pub const fn read_queue(mut self, reads: usize) -> Self {
        self.read_queue = reads;
        self
    }

    /// How long a command waits for a lock that another process holds, as a shell that writes into the file does; 2 s by
    /// default, from when the command was sent, the time in the queue included. After it the command is refused as
    /// unavailable. A batch of ballots waits a quarter of a second at most, because the engine sends it again.
    pub const fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
        self
    }

    /// Bytes that the write-ahead log (`FILE-wal`) is kept to, 128 MiB by default. From half of it on it is copied into the
    /// database file, beside the writer; where that cannot keep up the log grows to twice as much, and the writer waits.
    /// While another process holds a read transaction the log grows beyond it, and is cut back afterwards.
    pub const fn log_bytes(mut self, bytes: u64) -> Self {
        self.log_bytes = bytes;
        self
    }

    /// Bytes that the write-ahead log may grow to while a read transaction keeps it from starting over, 4 GiB by default.
    /// Beyond it everything that writes is refused as unavailable, until that transaction has ended. `u64::MAX` leaves it
    /// to the disk.
    pub const fn log_limit_bytes(mut self, bytes: u64) -> Self {
        self.log_limit_bytes = bytes;
        self
    }

    /// Opens the database file at `path`, as it stands, and makes it where there is none. Must be called within a tokio
    /// runtime.
    ///
    /// # Errors
    /// [`OpenError`] says why not, in words for people.
    pub async fn open(self, path: impl AsRef<Path>) -> Result<SqliteStore, OpenError> {
        let path = path.as_ref().to_owned();
        off_the_async_threads(move || self.open_file(&path)).await
    }

    /// Opens a database in memory: a new one with each call, gone with its last handle.
    ///
    /// # Errors
    /// `Sqlite`, where there is no memory, and `Option`.
    pub async fn in_memory(self) -> Result<SqliteStore, OpenError> {
        off_the_async_threads(move || self.open_memory()).await
    }

    fn open_file(&self, path: &Path) -> Result<SqliteStore, OpenError> {
        self.check()?;
        let path = &resolved(path)?;
        // Held before the first look into the file, and so over the migrations.
        let lock = FileLock::take(path)?;
        private_file(path).map_err(|error| OpenError::io(path, error))?;
        let sqlite = |error| OpenError::sqlite(path, error);
        let (mut writer, has_log) = self.writer(path)?;
        schema::prepare(&mut writer, path, self.migrate)?;
        let readers: Vec<Connection> = (0..self.readers)
            .map(|_| self.reader(path).map_err(sqlite))
            .collect::<Result<_, OpenError>>()?;
        let io = |error| OpenError::io(path, error);
        let log = if has_log {
            let page_size: u32 = writer
                .pragma_query_value(None, "page_size", |row| row.get(0))
                .map_err(sqlite)?;
            let bounds = Bounds::new(page_size, self.log_bytes, self.log_limit_bytes);
            let log = Arc::new(Log::new(bounds));
            log.wrote(&writer);
            Some(log)
        } else {
            None
        };
        let readers = Workers::start("polling-read", readers, self.read_queue).map_err(io)?;
        let writer = Workers::start("polling-write", vec![writer], self.write_queue).map_err(io)?;
        let file = Arc::new(private_file(path).map_err(io)?);
        let log = match log.zip(writer.commands()) {
            None => None,
            Some((log, writer)) => {
                let gate = Arc::new(Gate::default());
                let checkpointer = Checkpointer::start(Tools {
                    log: Arc::clone(&log),
                    connection: self.read_write(path).map_err(sqlite)?,
                    file: Arc::clone(&file),
                    gate: Arc::clone(&gate),
                    writer,
                });
                Some(LogParts {
                    log,
                    gate,
                    _checkpointer: checkpointer.map_err(io)?,
                })
            }
        };
        let store = SqliteStore::new(Parts {
            readers: Some(readers),
            log,
            writer,
            busy_timeout: self.busy_timeout,
            _file: Some(file),
            _lock: Some(lock),
        });
        info!(path = %path.display(), readers = self.readers, "the database is open");
        Ok(store)
    }

    fn open_memory(&self) -> Result<SqliteStore, OpenError> {
        self.check()?;
        let path = Path::new(":memory:");
        let sqlite = |error| OpenError::sqlite(path, error);
        let mut connection = Connection::open_in_memory().map_err(sqlite)?;
        self.set_up(&connection).map_err(sqlite)?;
        schema::prepare(&mut connection, path, true)?;
        let queue = self.write_queue.saturating_add(self.read_queue);
        let writer = Workers::start("polling-memory", vec![connection], queue);
        Ok(SqliteStore::new(Parts {
            readers: None,
            log: None,
            writer: writer.map_err(|error| OpenError::io(path, error))?,
            busy_timeout: self.busy_timeout,
            _file: None,
            _lock: None,
        }))
    }

    fn check(&self) -> Result<(), OpenError> {
        let options = [
            ("readers", self.readers),
            ("write_queue", self.write_queue),
            ("read_queue", self.read_queue),
        ];
        match options.into_iter().find(|(_, value)| *value == 0) {
            Some((name, _)) => Err(OpenError::Option { name }),
            None => Ok(()),
        }
    }

    /// The connection that writes, and whether there is a write-ahead log.
    fn writer(&self, path: &Path) -> Result<(Connection, bool), OpenError> {
        let sqlite = |error| OpenError::sqlite(path, error);
        let connection = self.read_write(path).map_err(sqlite)?;
        let journal: String = connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
            .map_err(sqlite)?;
        let has_log = journal == "wal";
        if !has_log {
            warn!(
                journal,
                "the file system has no write-ahead log for SQLite: readers and the writer wait for each other"
            );
        }
        // What a log has grown beyond is cut off when it starts over.
        let limit = i64::try_from(self.log_bytes).unwrap_or(i64::MAX);
        connection
            .pragma_update_and_check(None, "journal_size_limit", limit, |_| Ok(()))
            .map_err(sqlite)?;
        Ok((connection, has_log))
    }

    /// A connection that may write.
    fn read_write(&self, path: &Path) -> rusqlite::Result<Connection> {
        // Without the flag for URIs: a path is a path.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        self.set_up(&connection)?;
        // No commit copies the log: the checkpointer does.
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        // A commit is on disk when it returns.
        connection.pragma_update(None, "synchronous", "FULL")?;
        Ok(connection)
    }

    fn reader(&self, path: &Path) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        self.set_up(&connection)?;
        Ok(connection)
    }

    fn set_up(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.busy_timeout(self.busy_timeout)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // Plans do not depend on what is bound: else SQLite plans a statement anew whenever it comes out of the cache, which
        // took most of the time of a batch over many polls.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "cache_size", -CACHE_KIB)
    }
}

/// Prepared statements that a connection keeps: more than there are.
const STATEMENTS: usize = 128;

/// Pages that a connection keeps, in KiB. Voters come in no order, so that every page of a poll's ballots is written again
/// and again while it runs: this holds some 250,000 ballots.
const CACHE_KIB: i64 = 16 * 1_024;

impl SqliteStore {
    /// Opens the database file at `path`, and makes it where there is none, with the default options. Must be called
    /// within a tokio runtime.
    ///
    /// # Errors
    /// [`OpenError`] says why not, in words for people.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::builder().open(path).await
    }

    /// Opens a database in memory: a new one with each call, gone with its last handle.
    ///
    /// # Errors
    /// `Sqlite`, where there is no memory.
    pub async fn in_memory() -> Result<Self, OpenError> {
        Self::builder().in_memory().await
    }

    /// Options to open a database with.
    pub fn builder() -> SqliteOptions {
        SqliteOptions::default()
    }

    /// Brings the schema of the database file at `path` up to date, and makes the file where there is none.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn migrate(path: impl AsRef<Path>) -> Result<(), OpenError> {
        Self::open(path).await.map(drop)
    }
}

async fn off_the_async_threads<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, OpenError> + Send + 'static,
) -> Result<T, OpenError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(opened) => opened,
        Err(error) => Err(OpenError::Sqlite(error.into())),
    }
}

/// The same file has one name here, so that it has one lock.
fn resolved(path: &Path) -> Result<PathBuf, OpenError> {
    let not_a_database = || OpenError::NotADatabase {
        path: path.to_owned(),
    };
    if let Ok(path) = path.canonicalize() {
        // Before a lock is laid beside it, that nobody would ever look for.
        return if path.is_dir() {
            Err(not_a_database())
        } else {
            Ok(path)
        };
    }
    let Some(name) = path.file_name() else {
        return Err(not_a_database());
    };
    let directory = match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    };
    match directory.canonicalize() {
        Ok(directory) => Ok(directory.join(name)),
        Err(_) => Err(OpenError::DirectoryMissing {
            directory: directory.to_owned(),
        }),
    }
}
