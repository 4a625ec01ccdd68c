//! The port of the vote tokens, as a contract. `polling-conformance` tests each sentence of it.

use async_trait::async_trait;

use crate::{PollId, StoreError, TokenHash};

/// The vote tokens of a store: their hashes alone. Every method is one atomic step.
///
/// The tokens of a deleted poll are gone at once for every method, whatever rows of them are still to be purged; purging
/// the poll removes them too, in its bounded steps.
#[async_trait]
pub trait VoteTokenRepository: Send + Sync {
    /// Begins a making: counts this many new tokens as made for a poll, before any of them is inserted, so that they can be
    /// inserted in steps. Where the poll would have more than `most`, of all that were ever made for it, nothing is counted.
    /// Of several who ask at once nobody is let over that bound. `tokens` is at least 1. Durable on return.
    async fn begin(&self, poll: PollId, tokens: u64, most: u64) -> Result<NewMaking, StoreError>;

    /// Inserts these tokens of a making that was begun for them: all of them, or none where this returns `false`, because
    /// there is no such poll (any more). From then on they are good, unless all tokens of the poll were revoked after the
    /// making was begun. Durable on return.
    async fn insert(
        &self,
        poll: PollId,
        making: Making,
        tokens: &[TokenHash],
    ) -> Result<bool, StoreError>;

    /// Takes back these tokens of a making: those that were inserted are removed, and none of them counts as made any more.
    /// Each token of a making can be taken back once. Does nothing where there is no such poll. Durable on return.
    async fn take_back(
        &self,
        poll: PollId,
        making: Making,
        tokens: &[TokenHash],
    ) -> Result<(), StoreError>;

    /// The poll that this token is good for; `None` where there is no such token, or it was revoked. What another server
    /// has revoked before is seen at once.
    async fn poll_of(&self, token: TokenHash) -> Result<Option<PollId>, StoreError>;

    /// Those of these tokens of which [`poll_of`](Self::poll_of) says that they are good for this poll, in any order. One
    /// question, however many they are.
    async fn good_for(
        &self,
        poll: PollId,
        tokens: &[TokenHash],
    ) -> Result<Vec<TokenHash>, StoreError>;

    /// How many tokens a poll has; none where there is no such poll.
    async fn count(&self, poll: PollId) -> Result<TokensInStore, StoreError>;

    /// Makes tokens of this poll good no more, for ever, and returns how many of them were good. What is no token of this
    /// poll is passed over. Tokens that are made later are not touched. Durable on return.
    async fn revoke(&self, poll: PollId, which: WhichTokens<'_>) -> Result<u64, StoreError>;
}

/// The number of a making among those of its poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Making(u32);

impl Making {
    /// The making with this number, as the store counts them.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// Whether a making has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewMaking {
    /// The tokens are counted, and can be inserted under this number.
    Begun(Making),
    /// The poll would have too many: none is counted.
    TooMany,
    /// There is no such poll.
    Missing,
}

/// The tokens of a poll as the store knows them: it does not know which were used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokensInStore {
    /// Ever made, revoked ones included, and those of makings that are still going on.
    pub made: u64,
    /// Good no more.
    pub revoked: u64,
}

/// Which tokens of a poll are revoked.
#[derive(Clone, Copy, Debug)]
pub enum WhichTokens<'a> {
    /// These.
    These(&'a [TokenHash]),
    /// Every one that was made until now. What it costs does not grow with them.
    All,
}
