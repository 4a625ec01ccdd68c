//! Why the server was not reached, in words for people.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use polling_core::Cause;
use rustls::CertificateError;
use tokio_postgres::error::{DbError, SqlState};

use super::ConnectOptions;

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

    /// What the client's error means.
    pub(super) fn of(
        options: &ConnectOptions,
        target: String,
        error: tokio_postgres::Error,
    ) -> Self {
        if let Some(refusal) = error.as_db_error() {
            return match refused(options, &target, refusal) {
                Some(error) => error,
                None => other(target, error),
            };
        }
        // The client does not say of which kind its errors are, but in words.
        match (error.to_string().as_str(), reason(&error).as_str()) {
            ("invalid configuration", "password missing") => Self::PasswordMissing {
                target,
                user: options.user().to_owned(),
            },
            ("error performing TLS handshake", "server does not support TLS") => Self::Tls {
                target,
                reason: "the server does not offer TLS: set ssl = on there, or say sslmode=disable"
                    .to_owned(),
            },
            ("connection closed", _) => Self::Unreachable {
                target,
                source: "the server closed the connection".into(),
            },
            _ => transport(target, error),
        }
    }
}

/// What the innermost error says.
fn reason(error: &tokio_postgres::Error) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}

fn other(target: String, error: tokio_postgres::Error) -> ConnectError {
    ConnectError::Other {
        target,
        source: error.into(),
    }
}

/// What the network did, or TLS on it.
fn transport(target: String, error: tokio_postgres::Error) -> ConnectError {
    let Some(failure) = error.source().and_then(|e| e.downcast_ref::<io::Error>()) else {
        return other(target, error);
    };
    let inner = failure.get_ref();
    if let Some(refusal) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return ConnectError::Tls {
            target,
            reason: in_words(refusal),
        };
    }
    match failure.kind() {
        io::ErrorKind::TimedOut => ConnectError::Unreachable {
            target,
            source: "there was no answer in time".into(),
        },
        // The client's own words for a server that does not suit target_session_attrs.
        io::ErrorKind::PermissionDenied if failure.raw_os_error().is_none() => {
            ConnectError::ReadOnly { target }
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidData => other(target, error),
        _ => ConnectError::Unreachable {
            target,
            source: error.into_source().unwrap_or_else(|| "unknown".into()),
        },
    }
}

fn in_words(refusal: &rustls::Error) -> String {
    let hint = match refusal {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            ": the server's certificate does not come from a trusted root (name its root with sslrootcert)"
        }
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => ": the server's certificate is for another host, or names it in no subjectAltName",
        _ => "",
    };
    format!("{refusal}{hint}")
}

/// What the server, or a pooler before it, says no to. None where it is nothing that is known.
fn refused(options: &ConnectOptions, target: &str, refusal: &DbError) -> Option<ConnectError> {
    let target = target.to_owned();
    let user = options.user().to_owned();
    let database = options.database().to_owned();
    let reason = refusal.message().to_owned();
    let code = refusal.code();
    Some(match code {
        &SqlState::INVALID_PASSWORD => ConnectError::WrongPassword { target, user },
        &SqlState::INVALID_CATALOG_NAME => ConnectError::NoSuchDatabase { target, database },
        &SqlState::INVALID_AUTHORIZATION_SPECIFICATION if reason.ends_with("does not exist") => {
            ConnectError::NoSuchUser { target, user }
        }
        &SqlState::INVALID_AUTHORIZATION_SPECIFICATION | &SqlState::INSUFFICIENT_PRIVILEGE => {
            ConnectError::NotAllowed {
                target,
                user,
                reason,
            }
        }
        &SqlState::TOO_MANY_CONNECTIONS
        | &SqlState::CANNOT_CONNECT_NOW
        | &SqlState::ADMIN_SHUTDOWN
        | &SqlState::CRASH_SHUTDOWN => ConnectError::NotNow { target, reason },
        // PgBouncer's, for whatever it says itself or has heard from the server.
        &SqlState::PROTOCOL_VIOLATION => match reason.as_str() {
            text if text.contains("pooling mode") => ConnectError::TransactionPooling { target },
            text if text.starts_with("no such database")
                || text.starts_with("database ") && text.contains("does not exist") =>
            {
                ConnectError::NoSuchDatabase { target, database }
            }
            text if text.starts_with("no such user")
                || text.starts_with("role ") && text.contains("does not exist") =>
            {
                ConnectError::NoSuchUser { target, user }
            }
            text if text.contains("authentication failed") || text.contains("auth failed") => {
                ConnectError::WrongPassword { target, user }
            }
            text if text.starts_with("unsupported startup parameter") => ConnectError::Other {
                target,
                source: format!(
                    "{text} (PgBouncer takes it where ignore_startup_parameters names it)"
                )
                .into(),
            },
            _ => ConnectError::NotNow { target, reason },
        },
        _ => return None,
    })
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
