//! Who votes.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::{PollId, UserId};

/// Who votes, as the caller says; whether they may say so depends on the poll and on who they are.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Voter {
    /// Nobody is named: the signed-in user, on polls of registered users.
    Caller,
    /// A text that a transport passed on: of the kind that the poll takes.
    Named(String),
    /// A client of a poll for `anyone`, under an id that it chose.
    Anyone(String),
    /// Somebody for whom a manager of a `vouched` poll vouches.
    Vouched(String),
    /// A registered user; only the application itself may name another than the caller.
    User(UserId),
}

impl Voter {
    /// A client of a poll for `anyone`, under an id of 1 to 200 bytes that it chose.
    pub fn anyone(id: impl Into<String>) -> Self {
        Voter::Anyone(id.into())
    }

    /// Somebody for whom a manager of a `vouched` poll vouches, under an id of 1 to 200 bytes.
    pub fn vouched(id: impl Into<String>) -> Self {
        Voter::Vouched(id.into())
    }

    /// A registered user.
    #[must_use]
    pub const fn user(id: UserId) -> Self {
        Voter::User(id)
    }

    /// What the `voter` of a request says.
    #[must_use]
    pub fn named(id: Option<String>) -> Self {
        id.map_or(Voter::Caller, Voter::Named)
    }

    /// The text, as it was sent.
    #[must_use]
    pub fn into_text(self) -> Option<String> {
        match self {
            Voter::Named(text) | Voter::Anyone(text) | Voter::Vouched(text) => Some(text),
            Voter::Caller | Voter::User(_) => None,
        }
    }

    /// The user who is named.
    pub(crate) fn user_id(&self) -> Option<UserId> {
        match self {
            Voter::User(user) => Some(*user),
            _ => None,
        }
    }

    /// The text, as it was sent, by reference.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Voter::Named(text) | Voter::Anyone(text) | Voter::Vouched(text) => Some(text),
            Voter::Caller | Voter::User(_) => None,
        }
    }
}

impl fmt::Debug for Voter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Who voted is nobody's business in a log; the kind is enough to find a mistake.
        f.write_str(match self {
            Voter::Caller => "Caller",
            Voter::Named(_) => "Named(…)",
            Voter::Anyone(_) => "Anyone(…)",
            Voter::Vouched(_) => "Vouched(…)",
            Voter::User(_) => "User(…)",
        })
    }
}

/// The voter as stores know them: with the poll, the primary key of a ballot.
///
/// A registered user's is the user's own id, so that votes join users; all others' is the first 16 bytes of the SHA-256
/// over the kind's tag, a zero byte, and the id; the id of a token's holder is the token and its poll's id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VoterKey([u8; 16]);

impl VoterKey {
    /// From its stored bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    pub(crate) fn of_user(user: UserId) -> Self {
        Self(*user.as_bytes())
    }

    pub(crate) fn of_text(tag: &str, id: &str) -> Self {
        Self::of_parts(tag, &[id.as_bytes()])
    }

    /// Of the token itself, and not of its hash: who reads the hashes in the store cannot tell which vote is whose.
    pub(crate) fn of_token(token: &str, poll: PollId) -> Self {
        Self::of_parts("token", &[token.as_bytes(), poll.as_bytes()])
    }

    fn of_parts(tag: &str, id: &[&[u8]]) -> Self {
        let mut digest = Sha256::new().chain_update(tag).chain_update([0]);
        for part in id {
            digest.update(part);
        }
        let mut key = [0; 16];
        key.copy_from_slice(&digest.finalize()[..16]);
        Self(key)
    }
}

impl fmt::Debug for VoterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Who voted is nobody's business in a log.
        f.write_str("VoterKey(…)")
    }
}
