//! The port of the sign-ins and one-time links, as a contract. `polling-conformance` tests each sentence of it.

use async_trait::async_trait;

use super::links::Link;
use super::model::{PasswordHash, User};
use super::session::{Renewal, Session};
use crate::{SessionId, StoreError, Timestamp, TokenHash, UserId};

/// The sign-ins and one-time links of a store. Every method is one atomic step, and what it wrote is durable on return.
///
/// Both end with their account, and with its password. A one-time link also ends with the address that it was sent to, for
/// good; its case makes no difference.
#[async_trait]
pub trait SessionRepository: Send + Sync {
    /// Keeps a new sign-in, if the account is there and its password still is the one that was proved; says whether it is.
    async fn begin(&self, session: &Session, proved: &PasswordHash) -> Result<bool, StoreError>;

    /// Spends a refresh token, as [`Session::plan`] says. Of several who spend the same one at once, one gets the next
    /// token, and the others are judged after it.
    async fn renew(&self, renewal: &Renewal) -> Result<Renewed, StoreError>;

    /// Ends one sign-in; nothing happens where it is over.
    async fn end(&self, id: SessionId) -> Result<(), StoreError>;

    /// Ends all sign-ins of a user, and the one-time link.
    async fn end_all(&self, user: UserId) -> Result<(), StoreError>;

    /// Keeps a one-time link in place of the user's earlier one, if there is an account with its user and address, and no
    /// earlier one that has not ended with something was made after `unless_after`; says whether it is kept.
    async fn keep_link(
        &self,
        link: &Link,
        unless_after: Option<Timestamp>,
    ) -> Result<bool, StoreError>;

    /// Ends the one-time link with this token; nothing happens where there is none.
    async fn drop_link(&self, token: TokenHash) -> Result<(), StoreError>;

    /// Whose password the one-time link with this token may set at this time; `None` where it is not good.
    async fn linked(&self, token: TokenHash, now: Timestamp) -> Result<Option<User>, StoreError>;

    /// Sets the password of the account whose one-time link this is, if it is good at this time; says whether it was.
    /// The link is used up, and all sign-ins of the user end with it. Of several who use one at once, one is told `true`.
    async fn redeem(
        &self,
        token: TokenHash,
        password: &PasswordHash,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Removes at most `rows` sign-ins, and as many one-time links, that are over at this time. Returns whether more may be
    /// left.
    async fn sweep(&self, now: Timestamp, rows: usize) -> Result<bool, StoreError>;
}

/// What became of a refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Renewed {
    /// It was spent; the sign-in as it is now.
    Done(Session),
    /// It had been spent before: the sign-in of this user is revoked.
    Revoked(UserId),
    /// There is no such sign-in, or not any more.
    Missing,
}
