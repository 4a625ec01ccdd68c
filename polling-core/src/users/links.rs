//! One-time links: how somebody who cannot sign in sets a password.

use std::fmt;

use async_trait::async_trait;

use super::model::Email;
use crate::{Cause, Timestamp, TokenHash, UserId};

/// What is kept of a one-time link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Whose password it sets.
    pub user: UserId,
    /// The address that it is sent to: it is good while that is the account's.
    pub email: Email,
    /// Its token.
    pub token: TokenHash,
    /// When it was made.
    pub made_at: Timestamp,
    /// From when on it is not good any more.
    pub expires_at: Timestamp,
}

/// What a one-time link was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LinkPurpose {
    /// Somebody, perhaps not the owner of the address, said that the password is forgotten.
    PasswordReset,
    /// The account has no password yet, and somebody tried to sign in.
    FirstPassword,
}

/// A one-time link on its way: the only place where its token is.
#[derive(Clone)]
#[non_exhaustive]
pub struct OneTimeLink {
    /// What it was asked for.
    pub purpose: LinkPurpose,
    /// What `POST /auth/password-reset/confirm` takes: `pl_` and 43 letters, digits, dashes and underscores. Whoever has it
    /// can take over the account.
    pub token: String,
    /// From when on it is not good any more.
    pub expires_at: Timestamp,
}

impl OneTimeLink {
    /// A link with this token.
    #[cfg(feature = "accounts")]
    pub(super) fn new(purpose: LinkPurpose, token: String, expires_at: Timestamp) -> Self {
        Self {
            purpose,
            token,
            expires_at,
        }
    }
}

impl fmt::Debug for OneTimeLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneTimeLink")
            .field("purpose", &self.purpose)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Brings one-time links to the people whose accounts they open: by e-mail, as a rule.
#[async_trait]
pub trait LinkSender: Send + Sync + 'static {
    /// Sends the link. It is called in a task of its own, which nobody but a shutdown waits for; it is not called again
    /// where it fails.
    ///
    /// # Errors
    /// Why the link could not be sent, in words that hold neither the token nor the address: they are logged.
    async fn deliver(&self, to: &Email, link: OneTimeLink) -> Result<(), Cause>;
}
