//! The ballots: batches of them, and changes and withdrawals one by one, all through the poll's gate.

mod change;
mod record;
mod rows;

use std::sync::Arc;

use async_trait::async_trait;
use polling_core::votes::{
    BallotRecord, Change, Name, RecordError, Recorded, RecordedBallot, VoteRepository, VoteWriter,
    VoterKey, Withdrawal,
};
use polling_core::{BallotId, PollId, StoreError, Timestamp};
use rusqlite::Transaction;
use tracing::debug_span;

use self::rows::LookUp;
use crate::SqliteStore;
use crate::results::rows::gate;

/// What the writer records in about 4 ms. With twice as many a single vote beside large batches had a p99 of 66 ms.
const TURN_BALLOTS: usize = 512;

#[async_trait]
impl VoteRepository for SqliteStore {
    fn turn_ballots(&self) -> usize {
        TURN_BALLOTS
    }

    async fn writer(&self) -> Result<Box<dyn VoteWriter>, StoreError> {
        Ok(Box::new(Writer {
            store: self.clone(),
        }))
    }

    async fn find_all(
        &self,
        poll: PollId,
        voters: &[VoterKey],
    ) -> Result<Vec<Option<RecordedBallot>>, StoreError> {
        let voters = voters.to_vec();
        let span = debug_span!("db.votes.find_all", voters = voters.len());
        // A query for each costs nothing more here: there is no way to go.
        let find = move |tx: &Transaction<'_>| {
            let Some(gate) = gate(tx, poll)? else {
                return Ok(vec![None; voters.len()]);
            };
            let mut look_up = LookUp::of(tx)?;
            let find = |voter| {
                let row = look_up.find(gate.key, voter)?.filter(|row| row.counts);
                Ok(row.map(|row| row.recorded(gate.tally.revision)))
            };
            voters.iter().map(find).collect()
        };
        self.read(span, find).await
    }

    async fn is_superseded(
        &self,
        poll: PollId,
        voter: &VoterKey,
        id: BallotId,
    ) -> Result<bool, StoreError> {
        let voter = *voter;
        let superseded = move |tx: &Transaction<'_>| match gate(tx, poll)? {
            Some(gate) => {
                let name = LookUp::of(tx)?.find_name(gate.key, &voter, id)?;
                Ok(name == Name::Superseded)
            }
            None => Ok(false),
        };
        self.read(debug_span!("db.votes.is_superseded"), superseded)
            .await
    }

    async fn change(&self, ballot: &BallotRecord) -> Result<Change, StoreError> {
        let ballot = ballot.clone();
        let change = move |tx: &Transaction<'_>| change::change(tx, &ballot);
        Ok(self.write(debug_span!("db.votes.change"), change).await?)
    }

    async fn withdraw(
        &self,
        poll: PollId,
        voter: &VoterKey,
        at: Timestamp,
    ) -> Result<Withdrawal, StoreError> {
        let voter = *voter;
        let withdraw = move |tx: &Transaction<'_>| change::withdraw(tx, poll, &voter, at);
        Ok(self
            .write(debug_span!("db.votes.withdraw"), withdraw)
            .await?)
    }
}

/// A lane's way to the one thread that writes.
struct Writer {
    store: SqliteStore,
}

#[async_trait]
impl VoteWriter for Writer {
    async fn record(&mut self, batch: Arc<[BallotRecord]>) -> Result<Recorded, RecordError> {
        let span = debug_span!("db.votes.record", ballots = batch.len());
        let record = move |tx: &Transaction<'_>| record::record(tx, &batch);
        Ok(self.store.try_write(span, record).await?)
    }
}
