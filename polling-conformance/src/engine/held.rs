//! A store that can be held up, to look at what happens meanwhile.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use polling_core::polls::{
    Advanced, DueStep, Edited, ListQuery, Poll, PollEdit, PollRecord, PollRepository, Step,
};
use polling_core::results::{Recount, ResultsRepository, Revision, Tally};
use polling_core::users::UserRepository;
use polling_core::votes::{
    BallotRecord, Change, RecordError, Recorded, RecordedBallot, VoteRepository, VoteWriter,
    VoterKey, Withdrawal,
};
use polling_core::{BallotId, PollId, Repository, StoreError, Timestamp, TokenHash};
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

/// Counts what the store is asked.
#[derive(Default)]
pub(crate) struct Count {
    asked: AtomicUsize,
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Count {
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// The most that were asked at the same time.
    pub(crate) fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    async fn count<T>(&self, answer: impl Future<Output = T>) -> T {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        let answer = answer.await;
        self.now.fetch_sub(1, Ordering::SeqCst);
        answer
    }
}

/// The store under test, behind doors. It brings no notifier, so that nothing is asked but what a test has in mind.
pub(crate) struct Held {
    store: Arc<dyn Repository>,
    /// Whether the store cannot be read.
    pub(crate) is_lost: AtomicBool,
    /// The polls that are looked up.
    pub(crate) polls_asked: Count,
    /// The questions about ballots.
    pub(crate) ballots_asked: Count,
    /// The questions about revisions.
    pub(crate) revisions_asked: Count,
    /// After a poll was looked up, before it is told.
    pub(crate) poll_found: Arc<Door>,
    /// Before a batch is recorded.
    pub(crate) record: Arc<Door>,
    /// After a batch was recorded, before it is told.
    pub(crate) recorded: Arc<Door>,
    /// Whether the store is lost once, after a batch was recorded.
    pub(crate) lose_an_answer: Arc<AtomicBool>,
    /// After ballots were looked up, before they are told.
    pub(crate) found: Arc<Door>,
}

impl Held {
    pub(crate) fn new(store: Arc<dyn Repository>) -> Arc<Self> {
        Arc::new(Self {
            store,
            is_lost: AtomicBool::new(false),
            polls_asked: Count::default(),
            ballots_asked: Count::default(),
            revisions_asked: Count::default(),
            poll_found: Door::new(),
            record: Door::new(),
            recorded: Door::new(),
            lose_an_answer: Arc::default(),
            found: Door::new(),
        })
    }

    fn reach(&self) -> Result<(), StoreError> {
        if self.is_lost.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable("as the test wants"));
        }
        Ok(())
    }
}

#[async_trait]
impl Repository for Held {
    fn polls(&self) -> &dyn PollRepository {
        self
    }

    fn votes(&self) -> &dyn VoteRepository {
        self
    }

    fn results(&self) -> &dyn ResultsRepository {
        self
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }

    fn users(&self) -> Option<&dyn UserRepository> {
        self.store.users()
    }

    async fn now(&self) -> Result<Option<Timestamp>, StoreError> {
        self.store.now().await
    }
}

#[async_trait]
impl VoteRepository for Held {
    async fn writer(&self) -> Result<Box<dyn VoteWriter>, StoreError> {
        Ok(Box::new(HeldWriter {
            writer: self.store.votes().writer().await?,
            record: Arc::clone(&self.record),
            recorded: Arc::clone(&self.recorded),
            lose_an_answer: Arc::clone(&self.lose_an_answer),
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
    recorded: Arc<Door>,
    lose_an_answer: Arc<AtomicBool>,
}

#[async_trait]
impl VoteWriter for HeldWriter {
    async fn record(&mut self, batch: Arc<[BallotRecord]>) -> Result<Recorded, RecordError> {
        let voters: HashSet<_> = batch.iter().map(|b| (b.poll, b.voter)).collect();
        assert_eq!(voters.len(), batch.len(), "twins in one batch");
        self.record.pass().await;
        let recorded = self.writer.record(batch).await;
        self.recorded.pass().await;
        if self.lose_an_answer.swap(false, Ordering::SeqCst) {
            return Err(RecordError::Lost("as the test wants".into()));
        }
        recorded
    }
}

#[async_trait]
impl PollRepository for Held {
    async fn insert(&self, poll: &Poll, tally: &Tally) -> Result<(), StoreError> {
        self.store.polls().insert(poll, tally).await
    }

    async fn find(&self, id: PollId) -> Result<Option<PollRecord>, StoreError> {
        self.reach()?;
        let found = self.polls_asked.count(self.store.polls().find(id)).await;
        self.poll_found.pass().await;
        found
    }

    async fn list(&self, query: &ListQuery) -> Result<Vec<PollRecord>, StoreError> {
        self.store.polls().list(query).await
    }

    async fn edit(&self, edit: &PollEdit) -> Result<Edited, StoreError> {
        self.store.polls().edit(edit).await
    }

    async fn advance(
        &self,
        id: PollId,
        step: Step,
        now: Timestamp,
    ) -> Result<Advanced, StoreError> {
        self.store.polls().advance(id, step, now).await
    }

    async fn delete(&self, id: PollId, now: Timestamp) -> Result<Option<Revision>, StoreError> {
        self.store.polls().delete(id, now).await
    }

    async fn purge(&self, rows: usize) -> Result<bool, StoreError> {
        self.store.polls().purge(rows).await
    }

    async fn knows_manage_token(&self, token: TokenHash) -> Result<bool, StoreError> {
        self.store.polls().knows_manage_token(token).await
    }

    async fn upcoming(&self, grace: Duration, limit: usize) -> Result<Vec<DueStep>, StoreError> {
        self.store.polls().upcoming(grace, limit).await
    }
}

#[async_trait]
impl ResultsRepository for Held {
    async fn tally(&self, poll: PollId) -> Result<Option<Tally>, StoreError> {
        self.reach()?;
        self.store.results().tally(poll).await
    }

    async fn revisions(&self, polls: &[PollId]) -> Result<Vec<Option<Revision>>, StoreError> {
        self.reach()?;
        let ask = self.store.results().revisions(polls);
        self.revisions_asked.count(ask).await
    }

    async fn recount(&self, poll: PollId) -> Result<Option<Recount>, StoreError> {
        self.store.results().recount(poll).await
    }

    async fn orphans(&self) -> Result<u64, StoreError> {
        self.store.results().orphans().await
    }
}
