//! Published polls, kept in memory in front of the intake.
//!
//! Options, choice and voters of a published poll never change, so that what is here can never be wrong about them. It
//! may let a ballot through to the gate, which decides; only `closed`, which is for good, may refuse from here. All else
//! is confirmed at the store first, because another server may have deleted the poll.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use quick_cache::sync::Cache;

use super::model::{Poll, PollRecord, Status};
use crate::{Clock, PollId, Repository, StoreError, Timestamp};

/// How long an unknown id is remembered as such.
const UNKNOWN_FOR: Duration = Duration::from_secs(1);

/// A poll as the door knows it.
#[derive(Debug)]
pub(crate) struct KnownPoll {
    pub(crate) poll: Arc<Poll>,
    pub(crate) is_draft: bool,
    closed: AtomicBool,
}

impl KnownPoll {
    fn new(record: &PollRecord) -> Self {
        Self {
            poll: Arc::clone(&record.poll),
            is_draft: record.tally.status == Status::Draft,
            closed: AtomicBool::new(record.tally.is_final()),
        }
    }

    /// Closed for good. Where this is false the poll may be closed all the same.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

pub(crate) struct PollCache {
    store: Arc<dyn Repository>,
    clock: Arc<dyn Clock>,
    published: Cache<PollId, Arc<KnownPoll>>,
    unknown: Cache<PollId, Timestamp>,
}

/// Why a poll that was looked up is not kept.
enum NotKept {
    Draft(Arc<KnownPoll>),
    Unknown,
    Failed(StoreError),
}

impl PollCache {
    pub(crate) fn new(store: Arc<dyn Repository>, clock: Arc<dyn Clock>, polls: usize) -> Self {
        Self {
            store,
            clock,
            published: Cache::new(polls),
            unknown: Cache::new(polls),
        }
    }

    /// A published poll, where it is in memory.
    pub(crate) fn known(&self, id: PollId) -> Option<Arc<KnownPoll>> {
        self.published.get(&id)
    }

    /// A poll, from memory or else from the store, which is asked once for all who wait for the same poll.
    pub(crate) async fn find(&self, id: PollId) -> Result<Option<Arc<KnownPoll>>, StoreError> {
        if let Some(asked_at) = self.unknown.get(&id) {
            let now = self.clock.now();
            // A clock that was set back must not make it last.
            if now >= asked_at && now.since(asked_at) < UNKNOWN_FOR {
                return Ok(None);
            }
            self.unknown.remove(&id);
        }
        match self
            .published
            .get_or_insert_async(&id, self.look_up(id))
            .await
        {
            Ok(known) => Ok(Some(known)),
            Err(NotKept::Draft(known)) => Ok(Some(known)),
            Err(NotKept::Unknown) => Ok(None),
            Err(NotKept::Failed(error)) => Err(error),
        }
    }

    async fn look_up(&self, id: PollId) -> Result<Arc<KnownPoll>, NotKept> {
        let asked_at = self.clock.now();
        match self.store.polls().find(id).await {
            Ok(Some(record)) => {
                let known = Arc::new(KnownPoll::new(&record));
                if known.is_draft {
                    Err(NotKept::Draft(known))
                } else {
                    Ok(known)
                }
            }
            Ok(None) => {
                self.unknown.insert(id, asked_at);
                Err(NotKept::Unknown)
            }
            Err(error) => Err(NotKept::Failed(error)),
        }
    }

    /// A poll was created, edited or took a step here.
    pub(crate) fn note(&self, record: &PollRecord) {
        self.unknown.remove(&record.poll.id);
        if record.tally.is_final()
            && let Some(known) = self.published.get(&record.poll.id)
        {
            known.closed.store(true, Ordering::Release);
        }
    }

    /// The next to ask for this poll asks the store, unless somebody has asked it since.
    pub(crate) fn doubt(&self, known: &Arc<KnownPoll>) {
        self.published
            .remove_if(&known.poll.id, |kept| Arc::ptr_eq(kept, known));
    }

    /// A poll is gone.
    pub(crate) fn forget(&self, id: PollId) {
        self.published.remove(&id);
    }
}
