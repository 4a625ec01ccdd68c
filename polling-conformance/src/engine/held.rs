//! A store that can be held up, to look at what happens meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use polling_core::polls::PollRepository;
use polling_core::results::ResultsRepository;
use polling_core::users::UserRepository;
use polling_core::votes::{
    BallotRecord, Change, RecordError, Recorded, RecordedBallot, VoteRepository, VoteWriter,
    VoterKey, Withdrawal,
};
use polling_core::{BallotId, PollId, Repository, StoreError, Timestamp};
use tokio::sync::Semaphore;

/// Lets everybody through, or nobody.
pub(crate) struct Door {
    shut: AtomicBool,
    waiting: Semaphore,
    released: Semaphore,
}

impl Door {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            shut: AtomicBool::new(false),
            waiting: Semaphore::new(0),
            released: Semaphore::new(0),
        })
    }

    pub(crate) fn shut(&self) {
        self.shut.store(true, Ordering::SeqCst);
    }

    /// Returns when somebody new waits at the door.
    pub(crate) async fn somebody_waits(&self) {
        self.waiting.acquire().await.unwrap().forget();
    }

    /// Lets through whoever waits, and whoever comes.
    pub(crate) fn open(&self) {
        self.shut.store(false, Ordering::SeqCst);
        self.released.add_permits(1_000);
    }

    async fn pass(&self) {
        if self.shut.load(Ordering::SeqCst) {
            self.waiting.add_permits(1);
            self.released.acquire().await.unwrap().forget();
        }
    }
}

/// The store under test, behind doors.
pub(crate) struct Held {
    store: Arc<dyn Repository>,
    /// Before a batch is recorded.
    pub(crate) record: Arc<Door>,
    /// After a ballot was looked up, before it is told.
    pub(crate) found: Arc<Door>,
}

impl Held {
    pub(crate) fn new(store: Arc<dyn Repository>) -> Arc<Self> {
        Arc::new(Self {
            store,
            record: Door::new(),
            found: Door::new(),
        })
    }
}

#[async_trait]
impl Repository for Held {
    fn polls(&self) -> &dyn PollRepository {
        self.store.polls()
    }

    fn votes(&self) -> &dyn VoteRepository {
        self
    }

    fn results(&self) -> &dyn ResultsRepository {
        self.store.results()
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }

    fn users(&self) -> Option<&dyn UserRepository> {
        self.store.users()
    }
}

#[async_trait]
impl VoteRepository for Held {
    async fn writer(&self) -> Result<Box<dyn VoteWriter>, StoreError> {
        Ok(Box::new(HeldWriter {
            writer: self.store.votes().writer().await?,
            record: Arc::clone(&self.record),
        }))
    }

    async fn find(
        &self,
        poll: PollId,
        voter: &VoterKey,
    ) -> Result<Option<RecordedBallot>, StoreError> {
        let found = self.store.votes().find(poll, voter).await;
        self.found.pass().await;
        found
    }

    async fn is_superseded(
        &self,
        poll: PollId,
        voter: &VoterKey,
        id: BallotId,
    ) -> Result<bool, StoreError> {
        self.store.votes().is_superseded(poll, voter, id).await
    }

    async fn change(&self, ballot: &BallotRecord) -> Result<Change, StoreError> {
        self.store.votes().change(ballot).await
    }

    async fn withdraw(
        &self,
        poll: PollId,
        voter: &VoterKey,
        at: Timestamp,
    ) -> Result<Withdrawal, StoreError> {
        self.store.votes().withdraw(poll, voter, at).await
    }
}

struct HeldWriter {
    writer: Box<dyn VoteWriter>,
    record: Arc<Door>,
}

#[async_trait]
impl VoteWriter for HeldWriter {
    async fn record(&mut self, batch: Arc<[BallotRecord]>) -> Result<Recorded, RecordError> {
        self.record.pass().await;
        self.writer.record(batch).await
    }
}
