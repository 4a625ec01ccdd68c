//! What can go wrong, in the words of the ports.

use std::io;
use std::path::{Path, PathBuf};

use polling_core::votes::RecordError;
use polling_core::{Cause, StoreError};
use rusqlite::ErrorCode;

/// Why a database was not opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Somebody has it open already.
    #[error(
        "{} is open already, in another process or in this one: a database file belongs to one process at a time", path.display()
    )]
    InUse {
        /// The database.
        path: PathBuf,
    },
    /// The folder that the file should be in is not there.
    #[error("there is no directory {} to keep the database in", directory.display())]
    DirectoryMissing {
        /// The folder.
        directory: PathBuf,
    },
    /// The file is something else.
    #[error("{} is not a database", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The file is a database, but not of polls.
    #[error("{} is the database of another program", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The schema is newer than this program.
    #[error(
        "the database was written by a newer version: its schema is {found}, and this program knows them up to {known}"
    )]
    NewerSchema {
        /// The version of the schema in the database.
        found: u32,
        /// The newest one that this program knows.
        known: u32,
    },
    /// The schema is older than this program, which was told not to migrate by itself.
    #[error("the database has schema {found}, and this program needs {needed}: migrate it first")]
    OldSchema {
        /// The version of the schema in the database; 0 where there is none.
        found: u32,
        /// The one that this program needs.
        needed: u32,
    },
    /// The schema could not be brought up to date. What a migration had begun was undone.
    #[error("the database could not be migrated")]
    Migration(#[source] Cause),
    /// A bound of [`SqliteOptions`](crate::SqliteOptions) is no good.
    #[error("the option {name} must be at least 1")]
    Option {
        /// Which.
        name: &'static str,
    },
    /// The operating system refused something.
    #[error("{} cannot be opened", path.display())]
    Io {
        /// What was to be opened.
        path: PathBuf,
        /// Why it cannot.
        #[source]
        source: io::Error,
    },
    /// SQLite refused something.
    #[error("the database cannot be opened")]
    Sqlite(#[source] Cause),
}

impl OpenError {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn sqlite(path: &Path, error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotADatabase {
                path: path.to_owned(),
            },
            _ => Self::Sqlite(error.into()),
        }
    }
}

/// Why a command gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("too many commands are waiting for the database")]
    QueueFull,
    #[error("the write-ahead log may not grow any more: something keeps it from starting over")]
    LogFull,
    #[error("the store has ended")]
    Ended,
    #[error("a command panicked; its transaction was rolled back")]
    Panicked,
}

impl Failure {
    /// Whether the same command may do better later: a full disk, a lost file, a lock that somebody holds.
    fn passes(&self) -> bool {
        match self {
            Failure::QueueFull | Failure::LogFull | Failure::Ended => true,
            Failure::Panicked => false,
            Failure::Sqlite(error) => matches!(
                error.sqlite_error_code(),
                Some(
                    ErrorCode::DiskFull
                        | ErrorCode::SystemIoFailure
                        | ErrorCode::DatabaseBusy
                        | ErrorCode::ReadOnly
                        | ErrorCode::CannotOpen
                )
            ),
        }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        if failure.passes() {
            StoreError::unavailable(failure)
        } else {
            StoreError::internal(failure)
        }
    }
}

impl From<Failure> for RecordError {
    fn from(failure: Failure) -> Self {
        if failure.passes() {
            RecordError::Lost(failure.into())
        } else {
            RecordError::Poisoned(failure.into())
        }
    }
}
