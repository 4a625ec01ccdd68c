//! Why the server was not reached, in words for people.

use std::error::Error as _;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use polling_core::Cause;

/// Why there is no connection to PostgreSQL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The server knows another password.
    #[error("PostgreSQL at {target} refuses the password of the user \"{user}\"")]
    WrongPassword {
        /// Where.
        target: String,
        /// Whose.
        user: String,
    },
    /// The server asks for a password, and there is none.
    #[error(
        "PostgreSQL at {target} asks for a password of the user \"{user}\": put it in the database URL, or set PGPASSWORD"
    )]
    PasswordMissing {
        /// Where.
        target: String,
        /// Whose.
        user: String,
    },
    /// There is no such user.
    #[error(
        "PostgreSQL at {target} has no user \"{user}\": create it with CREATE ROLE \"{user}\" LOGIN, or name another in the database URL"
    )]
    NoSuchUser {
        /// Where.
        target: String,
        /// Who.
        user: String,
    },
    /// The server does not let this user in, or not from here, or not to this database.
    #[error("PostgreSQL at {target} does not let the user \"{user}\" in: {reason}")]
    NotAllowed {
        /// Where.
        target: String,
        /// Who.
        user: String,
        /// What the server says.
        reason: String,
    },
    /// There is no such database.
    #[error(
        "PostgreSQL at {target} has no database \"{database}\": create it with CREATE DATABASE \"{database}\", or name another in the database URL"
    )]
    NoSuchDatabase {
        /// Where.
        target: String,
        /// Which.
        database: String,
    },
    /// Nobody answers there, or the connection broke off.
    #[error("PostgreSQL at {target} cannot be reached")]
    Unreachable {
        /// Where.
        target: String,
        /// What the operating system says.
        #[source]
        source: Cause,
    },
    /// There was no answer in time.
    #[error("PostgreSQL at {target} did not answer within {after:?}")]
    TimedOut {
        /// Where.
        target: String,
        /// How long was waited.
        after: Duration,
    },
    /// The server is there, and takes no connection now: it starts, it ends, or it has too many.
    #[error("PostgreSQL at {target} takes no connection now: {reason}")]
    NotNow {
        /// Where.
        target: String,
        /// What the server says.
        reason: String,
    },
    /// The connection could not be encrypted, or the certificate is not one to trust.
    #[error(
        "the connection to PostgreSQL at {target} cannot be encrypted as sslmode asks: {reason}"
    )]
    Tls {
        /// Where.
        target: String,
        /// Why, and what can be done.
        reason: String,
    },
    /// What TLS needs from this machine is not there.
    #[error("TLS cannot be set up for PostgreSQL")]
    TlsSetup(#[source] Cause),
    /// A file of certificates, a key or a password file cannot be used.
    #[error("{} cannot be used", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: Cause,
    },
    /// The server is a standby, or takes no writes for another reason.
    #[error(
        "PostgreSQL at {target} takes no writes, as a standby does: name the primary server, or several hosts with target_session_attrs=read-write"
    )]
    ReadOnly {
        /// Where.
        target: String,
    },
    /// There is a pooler in between that gives each transaction another session.
    #[error(
        "a pooler such as PgBouncer at {target} gives every transaction another session, and notifications, prepared statements and locks need a session that stays: connect to PostgreSQL itself, or set pool_mode=session"
    )]
    TransactionPooling {
        /// Where.
        target: String,
    },
    /// The server is older than what was tried.
    #[error("PostgreSQL at {target} has version {found}; at least 14 is needed")]
    TooOld {
        /// Where.
        target: String,
        /// Its version, as it writes it.
        found: String,
    },
    /// Anything else.
    #[error("PostgreSQL at {target} refuses the connection")]
    Other {
        /// Where.
        target: String,
        /// What it says.
        #[source]
        source: Cause,
    },
}

impl ConnectError {
    /// Whether the same attempt may succeed later with nobody's help but the server's: it is not there yet, or busy.
    #[must_use]
    pub const fn heals(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::TimedOut { .. }
                | Self::NotNow { .. }
                | Self::ReadOnly { .. }
        )
    }

    pub(super) fn setup(source: impl Into<Cause>) -> Self {
        Self::TlsSetup(source.into())
    }

    pub(super) fn file(path: &Path, source: impl Into<Cause>) -> Self {
        Self::File {
            path: path.to_owned(),
            source: source.into(),
        }
    }
}

/// An error with all that it was caused by, on one line.
pub(super) struct Chain<'a>(pub(super) &'a ConnectError);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
