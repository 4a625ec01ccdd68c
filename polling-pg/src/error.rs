//! What can go wrong, in the words of the ports.

use std::error::Error;

use polling_core::votes::RecordError;
use polling_core::{Cause, StoreError};
use tokio_postgres::error::{DbError, Severity, SqlState};

use crate::connect::{ConnectError, ConnectOptionsError};
use crate::schema::InvalidSchemaName;

/// Why a store was not opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The database cannot be reached, or lets nobody in.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The URL is no good.
    #[error(transparent)]
    Options(#[from] ConnectOptionsError),
    /// The name of the schema is no good.
    #[error(transparent)]
    SchemaName(#[from] InvalidSchemaName),
    /// The schema is newer than this program.
    #[error(
        "the database was migrated by a newer version: its schema is {found}, and this program knows them up to {known}"
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
    /// The connections of a pool that was handed in are not what votes need.
    #[error("the connections of the pool have {setting} = {found}, and votes need {needed}")]
    Pool {
        /// Which setting of PostgreSQL.
        setting: &'static str,
        /// What it is.
        found: String,
        /// What would be right.
        needed: &'static str,
    },
    /// A bound of [`PgOptions`](crate::PgOptions) is no good.
    #[error("the option {name} {rule}")]
    Option {
        /// Which.
        name: &'static str,
        /// What would be right.
        rule: &'static str,
    },
    /// The store could not be asked.
    #[error("the database does not answer as it should")]
    Database(#[source] Cause),
}

impl OpenError {
    pub(crate) fn migration(error: impl Into<Cause>) -> Self {
        Self::Migration(error.into())
    }
}

/// Why a statement gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the database says: {}", said(.0))]
    Database(#[from] tokio_postgres::Error),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("a copy was not begun: {}", said(.0))]
    NotBegun(#[source] tokio_postgres::Error),
    #[error("no connection became free in time")]
    NoConnection,
    #[error("the database did not answer in time")]
    TimedOut,
    #[error("the rows of polls are held by somebody else")]
    Held,
    #[error("what was to be written changed again and again under the hand")]
    Restless,
    #[error("a row that cannot be read")]
    Row(#[source] Cause),
}

/// What PostgreSQL says, where it was PostgreSQL: its own text stands one level below the driver's.
fn said(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(said) => format!("{} ({})", said.message(), said.code().code()),
        None => match error.source() {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        },
    }
}

impl Failure {
    /// Whether the same statement may do better later, on this connection or on another one.
    pub(crate) fn passes(&self) -> bool {
        match self {
            Failure::Connect(_)
            | Failure::NotBegun(_)
            | Failure::NoConnection
            | Failure::TimedOut
            | Failure::Held
            | Failure::Restless => true,
            Failure::Row(_) => false,
            Failure::Database(error) if ends_with(error) => true,
            Failure::Database(error) => match error.code() {
                Some(code) => code_passes(code),
                // No word from the server: it may have done it.
                None => true,
            },
        }
    }

    /// Whether the connection is of no more use.
    pub(crate) fn ends_connection(&self) -> bool {
        match self {
            Failure::Database(error) if ends_with(error) => true,
            Failure::Database(error) => match error.code() {
                Some(code) => ends_session(code.code()),
                None => true,
            },
            Failure::Connect(_)
            | Failure::NotBegun(_)
            | Failure::NoConnection
            | Failure::TimedOut => true,
            Failure::Row(_) | Failure::Held | Failure::Restless => false,
        }
    }

    /// Whether the statement waited for too long for something that somebody else holds, or took too long by itself: nothing
    /// of it stands, and the connection is good.
    pub(crate) fn is_held_up(&self) -> bool {
        (self.has_state("55P03") || self.has_state("57014")) && !self.ends_connection()
    }

    /// Whether a constraint with this name refused the statement.
    pub(crate) fn breaks(&self, constraint: &str) -> bool {
        match self {
            Failure::Database(error) => {
                let said = error.as_db_error().and_then(DbError::constraint);
                said == Some(constraint)
            }
            _ => false,
        }
    }

    /// Whether a copy is refused for good, where an insert may not be: by a policy for rows, or for want of a right.
    pub(crate) fn refuses_copies(&self) -> bool {
        let for_good = |code: &SqlState| code.code() == "0A000" || !code_passes(code);
        matches!(self, Failure::NotBegun(error) if error.code().is_some_and(for_good))
    }

    /// Whether PostgreSQL ended the statement with this SQLSTATE.
    pub(crate) fn has_state(&self, state: &str) -> bool {
        match self {
            Failure::Database(error) => error.code().is_some_and(|code| code.code() == state),
            _ => false,
        }
    }
}

/// What time or another connection heals.
fn code_passes(code: &SqlState) -> bool {
    let code = code.code();
    // Connections (08), deadlocks and serialisation (40), resources such as disk and connections (53), operators (57:
    // shutdown, cancel, starting up), the system (58).
    matches!(&code[..2], "08" | "40" | "53" | "57" | "58") || code == "55P03" || ends_session(code)
}

/// Whether these were the last words of a session, whatever they were. One that panics at its commit, because its log cannot
/// be written, does not know itself what became of it.
fn ends_with(error: &tokio_postgres::Error) -> bool {
    let severity = error.as_db_error().and_then(DbError::parsed_severity);
    matches!(severity, Some(Severity::Fatal | Severity::Panic))
}

/// What says that this session was ended, or is of no more use.
fn ends_session(code: &str) -> bool {
    code.starts_with("08")
        || matches!(
            code,
            // A server that shuts down, has crashed, starts up, was dropped; a session that was idle for too long.
            "57P01" | "57P02" | "57P03" | "57P04" | "57P05"
            // A transaction that was idle, or took too long.
            | "25P03" | "25P04"
            // A server that takes no writes any more.
            | "25006"
            // What was prepared is gone, or the table is another one now: a newer server has migrated it.
            | "26000" | "0A000"
        )
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

impl From<Failure> for OpenError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Connect(error) => OpenError::Connect(error),
            other => OpenError::Database(other.into()),
        }
    }
}
