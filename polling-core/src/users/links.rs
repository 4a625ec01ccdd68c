//! One-time links: how somebody who cannot sign in sets a password; and who brings them, and invitations, to people.

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

/// Brings one-time links to the people whose accounts they open, and invitations to workspaces to those who are invited: by
/// e-mail, as a rule. What it brings shows that somebody reads the mail of an address, and nothing else does: addresses are
/// verified nowhere.
///
/// Each of its methods is called in a task of its own, which nobody but a shutdown waits for, and not again where it fails.
/// It has [`link_patience`](crate::Settings::link_patience), and of each kind
/// [`link_queue`](crate::Settings::link_queue) are on their way at most.
#[async_trait]
pub trait LinkSender: Send + Sync + 'static {
    /// Sends a one-time link.
    ///
    /// # Errors
    /// Why the link could not be sent, in words that hold neither the token nor the address: they are logged.
    async fn deliver(&self, to: &Email, link: OneTimeLink) -> Result<(), Cause>;

    /// Sends an invitation that was just made, for the first time or anew, to its address, whether or not that has an
    /// account. Its id is a secret between the workspace's owners and the address: whoever has both the id and an account
    /// with the address may accept it. It is not called for an address that was sent as many as it may be
    /// ([`Rule::InvitationMail`](crate::limits::Rule::InvitationMail)). By default nothing is sent, and the owner who was
    /// told the id passes it on.
    ///
    /// # Errors
    /// Why it could not be sent, in words that hold neither the id nor the address: they are logged.
    #[cfg(feature = "accounts")]
    async fn invite(
        &self,
        to: &Email,
        invitation: &crate::workspaces::InvitationView,
    ) -> Result<(), Cause> {
        let _ = (to, invitation);
        Ok(())
    }
}
