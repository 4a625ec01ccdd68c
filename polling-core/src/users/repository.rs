//! The port of the accounts, as a contract. `polling-conformance` tests each sentence of it.

use std::fmt;

use async_trait::async_trait;

use super::model::{Account, Email, PasswordHash, User, UserName};
use super::sessions::SessionRepository;
use crate::votes::VoterKey;
use crate::{StoreError, Timestamp, UserId, WorkspaceId};

/// The accounts of a store. Every method is one atomic step, and what it wrote is durable on return.
///
/// A deleted account is gone for every method at once, whatever of it is still to be detached; only
/// [`is_deleted`](Self::is_deleted) and [`detach`](Self::detach) remember it.
#[async_trait]
pub trait UserRepository: Send + Sync {
    /// Keeps a new user, unless the [key](Email::key) of the e-mail has an account: of several who sign up at once with
    /// the same one, exactly one is told `Done`. Without a password nobody can sign in.
    async fn insert(
        &self,
        user: &User,
        password: Option<&PasswordHash>,
    ) -> Result<Inserted, StoreError>;

    /// Keeps many new accounts at once, as [`insert`](Self::insert) does each of them in their order, and says of each whose
    /// its address is then: its own id where it was kept, now or by an earlier call with the same accounts; else the id of
    /// the account that was there first. All are written, or none.
    async fn insert_many(&self, accounts: &[Account]) -> Result<Vec<UserId>, StoreError>;

    /// A user; `None` where there is none.
    async fn find(&self, id: UserId) -> Result<Option<User>, StoreError>;

    /// A user and their password; `None` where there is none.
    async fn account(&self, id: UserId) -> Result<Option<Account>, StoreError>;

    /// The account with this e-mail, without regard to case; `None` where there is none.
    async fn find_by_email(&self, email: &Email) -> Result<Option<Account>, StoreError>;

    /// Writes a new name, a new address, or both; nothing where the address has another account. A one-time link that was
    /// sent to the address before is no good from then on, also where the account gets that address back; an address with
    /// the same [key](Email::key) is the same one.
    async fn edit(&self, id: UserId, edit: &UserEdit) -> Result<UserEdited, StoreError>;

    /// Makes a user an administrator, or takes that away; the user as they are now, `None` where there is none.
    async fn set_admin(&self, id: UserId, is_admin: bool) -> Result<Option<User>, StoreError>;

    /// Makes the account with this e-mail, without regard to case, an administrator, while there is no administrator at
    /// all; the user as they are then. `None`, and nothing is written, where there is one, whoever it is, or no such
    /// account. Of several that are asked for at once, at most one becomes one.
    async fn appoint_first_admin(&self, email: &Email) -> Result<Option<User>, StoreError>;

    /// Writes the same password under better parameters, if it is still `old`; says whether it was. Nobody is signed out.
    async fn rehash(
        &self,
        id: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<bool, StoreError>;

    /// Writes another password, if it is still `old`; says whether it was. All sign-ins of the user end with it, also
    /// those that begin at the same moment with the old one, and one-time links are no good any more.
    async fn change_password(
        &self,
        id: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<bool, StoreError>;

    /// Deletes an account: its name, address and password are wiped, the address is free, all sign-ins and one-time links
    /// are gone, and so are its memberships and the invitations of its address. From then on this user joins no workspace,
    /// and creates none. The ballots stay as they are until they are [detached](Self::detach).
    ///
    /// `LastOwner`, and nothing is written, where a workspace would have no owner any more: of owners who go at once the
    /// last one stays.
    async fn delete(&self, id: UserId, now: Timestamp) -> Result<UserDeleted, StoreError>;

    /// Whether there was an account with this id that was deleted, and whose ballots are not all detached yet.
    async fn is_deleted(&self, id: UserId) -> Result<bool, StoreError>;

    /// Those of these accounts of which [`is_deleted`](Self::is_deleted) says so, in any order.
    async fn deleted(&self, ids: &[UserId]) -> Result<Vec<UserId>, StoreError>;

    /// Detaches ballots of one account that was deleted before `deleted_before`: goes through the next polls, at most as
    /// many as there are `voters`, and where the user has a ballot, counting or withdrawn, gives it and all that is known
    /// of it to the next of `voters`, who are nobody. Counters and revisions stay as they are. Progress is kept, so that
    /// the next call goes on from there, on whatever server; behind the last poll the account's row is removed. Returns
    /// whether more may be left; of two calls at once one may find nothing to do.
    async fn detach(
        &self,
        deleted_before: Timestamp,
        voters: &[VoterKey],
    ) -> Result<bool, StoreError>;

    /// The key that signs access tokens. Keeps `candidate` if there is none yet; of several who ask at once all get the
    /// same one, which is then the key for ever.
    async fn signing_key(&self, candidate: SigningKey) -> Result<SigningKey, StoreError>;

    /// The sign-ins of these accounts, and their one-time links.
    fn sessions(&self) -> &dyn SessionRepository;
}

/// What became of a new user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It is kept.
    Done,
    /// The e-mail has an account already; nothing was written.
    EmailTaken,
}

/// What is to be another one about a user; `None` leaves it as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserEdit {
    /// The new name.
    pub name: Option<UserName>,
    /// The new address.
    pub email: Option<Email>,
}

/// What became of an edit of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserEdited {
    /// Written; the user as they are now.
    Done(User),
    /// The e-mail has another account; nothing was written.
    EmailTaken,
    /// There is no such user.
    Missing,
}

/// What became of an account that was to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserDeleted {
    /// It is gone.
    Done,
    /// This workspace would have no owner any more; nothing was written.
    LastOwner(WorkspaceId),
    /// There is no such account.
    Missing,
}

/// The 256 random bits that sign access tokens.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey([u8; 32]);

impl SigningKey {
    /// From its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to store, in a place that only the server can read.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}
