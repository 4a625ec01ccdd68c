//! A store that fails when it is told to: everything is the real store's but the writing of batches.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use polling_core::polls::PollRepository;
use polling_core::results::{ResultsNotifier, ResultsRepository};
use polling_core::users::UserRepository;
use polling_core::votes::{
    BallotRecord, Change, RecordError, Recorded, RecordedBallot, VoteRepository, VoteWriter,
    VoterKey, Withdrawal,
};
use polling_core::{BallotId, PollId, Repository, StoreError, Timestamp};
use tokio::sync::Semaphore;

/// What the next batch meets; after the last of these, everything goes well.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// The batch is written, and the connection is lost before the writer hears of it.
    LostAfterCommit,
    /// The connection is lost before anything is written.
    LostBeforeCommit,
}

/// A store around a real one.
#[derive(Clone)]
pub(crate) struct FaultyStore {
    inner: Arc<dyn Repository>,
    script: Arc<Script>,
}

struct Script {
    faults: Mutex<VecDeque<Fault>>,
    /// A batch with a ballot of this voter cannot be written.
    poison: Mutex<Option<VoterKey>>,
    /// Every batch waits for this before it is written.
    gate: Semaphore,
    /// Of whom each batch was that was written.
    batches: Mutex<Vec<Vec<VoterKey>>>,
}

impl FaultyStore {
    /// A store in which everything goes well, until it is told otherwise.
    pub(crate) fn new(inner: Arc<dyn Repository>) -> Self {
        let script = Script {
            faults: Mutex::default(),
            poison: Mutex::default(),
            gate: Semaphore::new(1),
            batches: Mutex::default(),
        };
        Self {
            inner,
            script: Arc::new(script),
        }
    }

    /// The next batches meet these.
    pub(crate) fn will(&self, faults: impl IntoIterator<Item = Fault>) {
        self.script.faults.lock().unwrap().extend(faults);
    }

    /// No batch with a ballot of this voter can be written from now on.
    pub(crate) fn poison(&self, voter: VoterKey) {
        *self.script.poison.lock().unwrap() = Some(voter);
    }

    /// Batches wait from now on.
    pub(crate) fn hold(&self) {
        self.script.gate.forget_permits(1);
    }

    /// Batches go on.
    pub(crate) fn release(&self) {
        self.script.gate.add_permits(1);
    }

    /// How many ballots each batch had that was written.
    pub(crate) fn batches(&self) -> Vec<usize> {
        self.script
            .batches
            .lock()
            .unwrap()
            .iter()
            .map(Vec::len)
            .collect()
    }

    /// How many batches were written before the one with a ballot of this voter.
    pub(crate) fn batches_before(&self, voter: VoterKey) -> usize {
        let batches = self.script.batches.lock().unwrap();
        let found = batches.iter().position(|batch| batch.contains(&voter));
        found.expect("a ballot of the voter was written")
    }
}

struct FaultyWriter {
    inner: Box<dyn VoteWriter>,
    script: Arc<Script>,
}

#[async_trait]
impl VoteWriter for FaultyWriter {
    async fn record(&mut self, batch: Arc<[BallotRecord]>) -> Result<Recorded, RecordError> {
        drop(
            self.script
                .gate
                .acquire()
                .await
                .expect("it is never closed"),
        );
        let poison = *self.script.poison.lock().unwrap();
        if batch.iter().any(|ballot| Some(ballot.voter) == poison) {
            return Err(RecordError::Poisoned(
                "a ballot that cannot be written".into(),
            ));
        }
        let fault = self.script.faults.lock().unwrap().pop_front();
        if let Some(Fault::LostBeforeCommit) = fault {
            return Err(RecordError::Lost("gone before the commit".into()));
        }
        let voters = batch.iter().map(|ballot| ballot.voter).collect();
        let recorded = self.inner.record(batch).await?;
        if let Some(Fault::LostAfterCommit) = fault {
            return Err(RecordError::Lost("gone after the commit".into()));
        }
        self.script.batches.lock().unwrap().push(voters);
        Ok(recorded)
    }
}

#[async_trait]
impl VoteRepository for FaultyStore {
    async fn writer(&self) -> Result<Box<dyn VoteWriter>, StoreError> {
        let inner = self.inner.votes().writer().await?;
        Ok(Box::new(FaultyWriter {
            inner,
            script: Arc::clone(&self.script),
        }))
    }

    async fn find_all(
        &self,
        poll: PollId,
        voters: &[VoterKey],
    ) -> Result<Vec<Option<RecordedBallot>>, StoreError> {
        self.inner.votes().find_all(poll, voters).await
    }

    async fn is_superseded(
        &self,
        poll: PollId,
        voter: &VoterKey,
        id: BallotId,
    ) -> Result<bool, StoreError> {
        self.inner.votes().is_superseded(poll, voter, id).await
    }

    async fn change(&self, ballot: &BallotRecord) -> Result<Change, StoreError> {
        self.inner.votes().change(ballot).await
    }

    async fn withdraw(
        &self,
        poll: PollId,
        voter: &VoterKey,
        at: Timestamp,
    ) -> Result<Withdrawal, StoreError> {
        self.inner.votes().withdraw(poll, voter, at).await
    }
}

#[async_trait]
impl Repository for FaultyStore {
    fn polls(&self) -> &dyn PollRepository {
        self.inner.polls()
    }

    fn votes(&self) -> &dyn VoteRepository {
        self
    }

    fn results(&self) -> &dyn ResultsRepository {
        self.inner.results()
    }

    fn users(&self) -> Option<&dyn UserRepository> {
        self.inner.users()
    }

    fn notifier(&self) -> Option<Arc<dyn ResultsNotifier>> {
        self.inner.notifier()
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }

    async fn now(&self) -> Result<Option<Timestamp>, StoreError> {
        self.inner.now().await
    }
}
