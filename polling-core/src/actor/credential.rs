//! Credentials, and who turns them into actors.

use std::fmt;

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use super::Actor;
use crate::{Code, Fault, StoreError};

/// The SHA-256 of a bearer token of at least 128 random bits: all that is ever stored of one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of `token`.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// From its stored bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// The token of a header `Authorization: Bearer <token>`; `None` where the header says anything else, which is a bad
/// credential then and never none at all.
#[must_use]
pub fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && !token.contains(' '))
        .then_some(token)
}

/// Turns a credential into an actor: the one place where an application plugs in its own sign-in.
#[async_trait]
pub trait Authenticator: Send + Sync + 'static {
    /// What the holder of `bearer` (the token of `Authorization: Bearer`, or of a WebSocket `authenticate` frame) has
    /// proved. A token that is not good is [`AuthError::Rejected`], never the anonymous actor.
    async fn authenticate(&self, bearer: &str) -> Result<Actor, AuthError>;
}

/// Why a credential gives no actor.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The credential is unknown, malformed, forged or over.
    #[error("the credential is not valid, or not any more")]
    Rejected,
    /// The store could not be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AuthError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        Fault::code(self)
    }
}

impl Fault for AuthError {
    fn code(&self) -> Code {
        match self {
            AuthError::Rejected => Code::Unauthorized,
            AuthError::Store(error) => error.code(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bearer_credentials_have_a_token() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bEARER   abc "), Some("abc"));
        for bad in ["", "Bearer", "Bearer ", "Basic abc", "Bearer a b", "abc"] {
            assert_eq!(bearer(bad), None, "{bad}");
        }
    }
}
