//! What voters ask, and what they are told.

use polling_core::{BallotId, Code, Receipt};

/// What a voter asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Cast(Sent),
    Change(Sent),
    Withdraw,
    Read,
}

impl Asked {
    pub(super) fn cast(&self) -> Option<&Sent> {
        match self {
            Self::Cast(sent) => Some(sent),
            Self::Change(_) | Self::Withdraw | Self::Read => None,
        }
    }
}

/// A ballot on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    /// Where the voter chose one.
    pub(super) id: Option<BallotId>,
    pub(super) position: u8,
    /// Of all that the voter sent: with this it is told from others where nobody knows its id.
    pub(super) number: usize,
}

/// What a voter is told.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// Recorded.
    Receipt(Receipt),
    /// Withdrawn.
    Withdrawn,
    /// This is the vote, and it chooses this option.
    Vote(Receipt, u8),
    Refused(Code),
    /// Nothing was done, because the server or the store failed.
    Nothing(Code),
    /// Nobody knows whether it was done.
    Unknown,
}
