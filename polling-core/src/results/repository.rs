//! The port of the counters, as a contract.

use async_trait::async_trait;

use super::model::{Revision, Tally};
use crate::{PollId, StoreError};

/// The counters of a store.
#[async_trait]
pub trait ResultsRepository: Send + Sync {
    /// The tally of a poll, at a cost that does not grow with its ballots; `None` where there is no such poll.
    async fn tally(&self, poll: PollId) -> Result<Option<Tally>, StoreError>;

    /// The revision of each of these polls, in their order and from one moment; `None` where there is no such poll.
    async fn revisions(&self, polls: &[PollId]) -> Result<Vec<Option<Revision>>, StoreError>;

    /// Counts the ballots of a poll one by one and compares with its tally, both from one moment. `None` where there is
    /// no such poll. This reads every ballot: it proves the counters, and is not for answering requests.
    async fn recount(&self, poll: PollId) -> Result<Option<Recount>, StoreError>;

    /// Ballots, superseded ids and tallies that belong to no poll: always 0.
    async fn orphans(&self) -> Result<u64, StoreError>;
}

/// What counting one by one found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recount {
    /// The counters.
    pub tally: Tally,
    /// Ballots that count, one by one.
    pub ballots: u64,
    /// By position, one by one.
    pub counts: Vec<u64>,
}

impl Recount {
    /// What a store found.
    #[must_use]
    pub fn new(tally: Tally, ballots: u64, counts: Vec<u64>) -> Self {
        Self {
            tally,
            ballots,
            counts,
        }
    }

    /// Whether the counters are right.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.ballots == self.tally.ballots && self.counts == self.tally.counts
    }
}
