//! A store that takes every batch at once, and keeps no ballot: what is left is the engine's own work.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use polling_core::polls::{PollRepository, ShowResults, Status, Window};
use polling_core::results::{ResultsRepository, Tally};
use polling_core::votes::{
    BallotRecord, Change, Outcome, RecordError, Recorded, RecordedBallot, VoteRepository,
    VoteWriter, VoterKey, Withdrawal,
};
use polling_core::{BallotId, PollId, Repository, StoreError, Timestamp};
use polling_sqlite::SqliteStore;

/// Polls are kept, by SQLite in memory; ballots are not.
pub(crate) struct Taker(SqliteStore);

impl Taker {
    pub(crate) async fn open() -> Result<Self, Box<dyn std::error::Error>> {
        Ok(Self(SqliteStore::in_memory().await?))
    }
}

/// Of an open poll that nobody has voted in.
pub(crate) fn open_tally(poll_id: PollId, options: usize) -> Tally {
    Tally {
        poll_id,
        status: Status::Open,
        window: Window::default(),
        show_results: ShowResults::Always,
        revision: 1,
        ballots: 0,
        counts: vec![0; options],
    }
}

#[async_trait]
impl Repository for Taker {
    fn polls(&self) -> &dyn PollRepository {
        self.0.polls()
    }

    fn votes(&self) -> &dyn VoteRepository {
        self
    }

    fn results(&self) -> &dyn ResultsRepository {
        self.0.results()
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.0.ping().await
    }
}

#[async_trait]
impl VoteRepository for Taker {
    /// As PostgreSQL has them.
    fn lanes(&self) -> usize {
        2
    }

    async fn writer(&self) -> Result<Box<dyn VoteWriter>, StoreError> {
        Ok(Box::new(Counter::default()))
    }

    async fn find_all(
        &self,
        poll: PollId,
        voters: &[VoterKey],
    ) -> Result<Vec<Option<RecordedBallot>>, StoreError> {
        self.0.votes().find_all(poll, voters).await
    }

    async fn is_superseded(
        &self,
        poll: PollId,
        voter: &VoterKey,
        id: BallotId,
    ) -> Result<bool, StoreError> {
        self.0.votes().is_superseded(poll, voter, id).await
    }

    async fn change(&self, ballot: &BallotRecord) -> Result<Change, StoreError> {
        self.0.votes().change(ballot).await
    }

    async fn withdraw(
        &self,
        poll: PollId,
        voter: &VoterKey,
        at: Timestamp,
    ) -> Result<Withdrawal, StoreError> {
        self.0.votes().withdraw(poll, voter, at).await
    }
}

/// Counts, as a store does.
#[derive(Default)]
struct Counter(HashMap<PollId, Tally>);

#[async_trait]
impl VoteWriter for Counter {
    async fn record(&mut self, batch: Arc<[BallotRecord]>) -> Result<Recorded, RecordError> {
        for ballot in batch.iter() {
            let fresh = || open_tally(ballot.poll, 4);
            let tally = self.0.entry(ballot.poll).or_insert_with(fresh);
            tally.add(&ballot.selection);
        }
        let count = |tally: &mut Tally| {
            tally.revision += 1;
            tally.clone()
        };
        let tallies: Vec<Tally> = self.0.values_mut().map(count).collect();
        let outcome = |ballot: &BallotRecord| Outcome::Added(self.0[&ballot.poll].revision);
        Ok(Recorded {
            outcomes: batch.iter().map(outcome).collect(),
            tallies,
        })
    }
}
