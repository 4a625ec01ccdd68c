//! The port of the accounts, as a contract. `polling-conformance` tests each sentence of it.

use std::fmt;

use async_trait::async_trait;

use super::model::{Email, PasswordHash, User};
use crate::{StoreError, UserId};

/// The accounts of a store. Every method is one atomic step.
#[async_trait]
pub trait UserRepository: Send + Sync {
    /// Keeps a new user, unless the [key](Email::key) of the e-mail has an account: of several who sign up at once with
    /// the same one, exactly one is told `Done`. Durable on return.
    async fn insert(&self, user: &User, password: &PasswordHash) -> Result<Inserted, StoreError>;

    /// A user; `None` where there is none.
    async fn find(&self, id: UserId) -> Result<Option<User>, StoreError>;

    /// The user with this e-mail, without regard to case, and their password's hash; `None` where there is none.
    async fn find_by_email(
        &self,
        email: &Email,
    ) -> Result<Option<(User, PasswordHash)>, StoreError>;

    /// The key that signs access tokens. Keeps `candidate` if there is none yet; of several who ask at once all get the
    /// same one, which is then the key for ever.
    async fn signing_key(&self, candidate: SigningKey) -> Result<SigningKey, StoreError>;
}

/// What became of a new user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It is kept.
    Done,
    /// The e-mail has an account already; nothing was written.
    EmailTaken,
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
