//! What an error of the client means.

use std::error::Error as _;
use std::io;

use rustls::{CertificateError, OtherError};
use tokio_postgres::error::{DbError, SqlState};

use super::{ConnectError, ConnectOptions};

impl ConnectError {
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
    let rustls::Error::InvalidCertificate(wrong) = refusal else {
        return refusal.to_string();
    };
    let inner = match wrong {
        CertificateError::Other(OtherError(reason)) => reason.to_string(),
        _ => String::new(),
    };
    match (wrong, inner.as_str()) {
        (CertificateError::UnknownIssuer, _) | (_, "CaUsedAsEndEntity") => {
            "the server's certificate does not come from a trusted root: name its root with sslrootcert, or the \
             certificate itself where it is its own root"
                .to_owned()
        }
        (_, "UnsupportedCertVersion") => {
            "the server's certificate is of X.509 version 1: make it again with a subjectAltName, which makes it of \
             version 3"
                .to_owned()
        }
        (CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }, _) => {
            format!("the server's certificate is for another host, or names it in no subjectAltName ({wrong})")
        }
        _ => refusal.to_string(),
    }
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
