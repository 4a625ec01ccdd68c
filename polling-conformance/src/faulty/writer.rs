//! How ballots meet the faults.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use polling_core::votes::{
    BallotRecord, Change, RecordError, Recorded, RecordedBallot, VoteRepository, VoteWriter,
    VoterKey, Withdrawal,
};
use polling_core::{BallotId, PollId, StoreError, Timestamp};

use super::{Door, Fault, FaultyStore, Script};

const WANTED: &str = "as the test wants";

struct FaultyWriter {
    writer: Box<dyn VoteWriter>,
    record: Arc<Door>,
    recorded: Arc<Door>,
    script: Arc<Script>,
}

#[async_trait]
impl VoteWriter for FaultyWriter {
    async fn record(&mut self, batch: Arc<[BallotRecord]>) -> Result<Recorded, RecordError> {
        let keys: HashSet<_> = batch.iter().map(|b| (b.poll, b.voter)).collect();
        assert_eq!(keys.len(), batch.len(), "twins in one batch");
        self.record.pass().await;
        if batch.iter().any(|ballot| self.script.spoils(&ballot.voter)) {
            return Err(RecordError::Poisoned(WANTED.into()));
        }
        if let Some(polls) = self.script.blocks(&batch) {
            let source = WANTED.into();
            return Err(RecordError::Blocked { polls, source });
        }
        let fault = self.script.next();
        match fault {
            Some(Fault::LostBeforeCommit) => return Err(RecordError::Lost(WANTED.into())),
            Some(Fault::PanicsBeforeCommit) => panic!("{WANTED}"),
            Some(Fault::LostAfterCommit | Fault::PanicsAfterCommit) | None => {}
        }
        let recorded = self.writer.record(Arc::clone(&batch)).await?;
        self.script.wrote(batch);
        self.recorded.pass().await;
        match fault {
            Some(Fault::PanicsAfterCommit) => panic!("{WANTED}"),
            Some(_) => Err(RecordError::Lost(WANTED.into())),
            None => Ok(recorded),
        }
    }
}

impl FaultyStore {
    /// A step past the lanes: a change, or a withdrawal.
    async fn meet<T>(
        &self,
        step: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let fault = self.script.next();
        if fault == Some(Fault::LostBeforeCommit) {
            return Err(StoreError::unavailable(WANTED));
        }
        let done = step.await?;
        if fault == Some(Fault::LostAfterCommit) {
            return Err(StoreError::unavailable(WANTED));
        }
        Ok(done)
    }
}

#[async_trait]
impl VoteRepository for FaultyStore {
    async fn writer(&self) -> Result<Box<dyn VoteWriter>, StoreError> {
        Ok(Box::new(FaultyWriter {
            writer: self.store.votes().writer().await?,
            record: Arc::clone(&self.record),
            recorded: Arc::clone(&self.recorded),
            script: Arc::clone(&self.script),
        }))
    }

    async fn find_all(
        &self,
        poll: PollId,
        voters: &[VoterKey],
    ) -> Result<Vec<Option<RecordedBallot>>, StoreError> {
        self.reach()?;
        let find = self.store.votes().find_all(poll, voters);
        let found = self.ballots_asked.count(find).await;
        self.found.pass().await;
        found
    }

    async fn is_superseded(
        &self,
        poll: PollId,
        voter: &VoterKey,
        id: BallotId,
    ) -> Result<bool, StoreError> {
        let ask = self.store.votes().is_superseded(poll, voter, id);
        self.ballots_asked.count(ask).await
    }

    async fn change(&self, ballot: &BallotRecord) -> Result<Change, StoreError> {
        if self.script.spoils(&ballot.voter) {
            return Err(StoreError::internal(WANTED));
        }
        self.meet(self.store.votes().change(ballot)).await
    }

    async fn withdraw(
        &self,
        poll: PollId,
        voter: &VoterKey,
        at: Timestamp,
    ) -> Result<Withdrawal, StoreError> {
        self.meet(self.store.votes().withdraw(poll, voter, at))
            .await
    }
}
