//! Opening a database.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tracing::{info, warn};

use crate::lock::{FileLock, private_file};
use crate::store::{Parts, SqliteStore};
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
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            migrate: true,
            readers: 4,
            write_queue: 4_096,
            read_queue: 16_384,
            busy_timeout: Duration::from_secs(2),
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

    /// How long a command waits for a lock that somebody outside holds, as a shell that writes into the file does; 2 s by
    /// default. After it the command is refused as unavailable.
    pub const fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.busy_timeout = timeout;
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
        let mut writer = self.writer(path)?;
        schema::prepare(&mut writer, path, self.migrate)?;
        let readers: Vec<Connection> = (0..self.readers)
            .map(|_| self.reader(path).map_err(sqlite))
            .collect::<Result<_, OpenError>>()?;
        let start = |name, connections, queue| {
            Workers::start(name, connections, queue).map_err(|error| OpenError::io(path, error))
        };
        let store = SqliteStore::new(Parts {
            readers: Some(start("polling-read", readers, self.read_queue)?),
            writer: start("polling-write", vec![writer], self.write_queue)?,
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
            writer: writer.map_err(|error| OpenError::io(path, error))?,
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

    fn writer(&self, path: &Path) -> Result<Connection, OpenError> {
        let sqlite = |error| OpenError::sqlite(path, error);
        // Without the flag for URIs: a path is a path.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(sqlite)?;
        self.set_up(&connection).map_err(sqlite)?;
        let journal: String = connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
            .map_err(sqlite)?;
        if journal != "wal" {
            warn!(
                journal,
                "the file system has no write-ahead log for SQLite: readers and the writer wait for each other"
            );
        }
        connection
            .pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)
            .map_err(sqlite)?;
        // A commit is on disk when it returns.
        connection
            .pragma_update(None, "synchronous", "FULL")
            .map_err(sqlite)?;
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

/// Pages that the write-ahead log holds before the writer copies them into the file: 64 MiB of 4 KiB each. Voters come in no
/// order, so that a batch writes about a page for each ballot, and many of them again in the next batches; each page is
/// copied once, whatever was written to it. With SQLite's own 1,000 pages the end of every larger batch is to copy all of
/// its pages, and to flush the file too. The log hardly grows beyond this, and is used again from its beginning.
const CHECKPOINT_PAGES: i64 = 16 * 1_024;

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
