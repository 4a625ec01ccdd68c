//! Published polls, kept in memory in front of the intake.
//!
//! Options, choice and voters of a published poll never change, so that what is here can never be wrong about them. It
//! may let a ballot through to the gate, which decides; only `closed`, which is for good, may refuse from here. All else
//! is confirmed at the store first, because another server may have deleted the poll.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use super::model::{Poll, PollRecord, Status};
use crate::{Clock, PollId, PollLimits, Repository, Settings, StoreError, Timestamp};

/// How long an unknown id is remembered as such.
const UNKNOWN_FOR: Duration = Duration::from_secs(1);

/// A poll as the door knows it.
#[derive(Debug)]
pub(crate) struct KnownPoll {
    pub(crate) poll: Arc<Poll>,
    pub(crate) is_draft: bool,
    closed: AtomicBool,
    /// What it takes of the cache.
    bytes: u64,
}

impl KnownPoll {
    fn new(record: &PollRecord) -> Self {
        Self {
            poll: Arc::clone(&record.poll),
            is_draft: record.tally.status == Status::Draft,
            closed: AtomicBool::new(record.tally.is_final()),
            bytes: record.poll.estimated_bytes() as u64,
        }
    }

    /// Closed for good. Where this is false the poll may be closed all the same.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

/// Weighs a poll by its bytes, but no less than an equal share of all: so one capacity bounds both the bytes and the polls.
#[derive(Clone, Debug)]
struct Weigher {
    share: u64,
}

impl Weighter<PollId, Arc<KnownPoll>> for Weigher {
    fn weight(&self, _id: &PollId, known: &Arc<KnownPoll>) -> u64 {
        known.bytes.max(self.share)
    }
}

/// The cache keeps a part of its capacity for what was asked for once, and takes nothing that is larger than the rest.
const HOT_PERCENT: u64 = 95;

/// Polls as large as can be that have room in each shard, so that the polls of a shard do not push each other out.
const LARGEST_IN_A_SHARD: u64 = 4;

/// More are of no use to anybody's processor.
const SHARDS: usize = 64;

/// Bytes of a character, at most.
const CHAR_BYTES: usize = 4;

/// The most that [`Poll::estimated_bytes`] can be.
fn largest(limits: &PollLimits) -> usize {
    let texts = limits
        .question_chars
        .saturating_add(limits.description_chars);
    let option =
        Poll::ESTIMATED_OPTION_BYTES.saturating_add(limits.option_chars.saturating_mul(CHAR_BYTES));
    texts
        .saturating_mul(CHAR_BYTES)
        .saturating_add(limits.options.saturating_mul(option))
        .saturating_add(Poll::ESTIMATED_BYTES)
}

/// A cache for so many polls, and so many bytes of them; the largest poll has `largest` bytes.
fn published(polls: usize, bytes: usize, largest: usize) -> Cache<PollId, Arc<KnownPoll>, Weigher> {
    let (capacity, count) = (bytes as u64, polls.max(1) as u64);
    let share = (capacity * HOT_PERCENT / 100) / count;
    let mut options = OptionsBuilder::new();
    options
        .estimated_items_capacity(polls)
        .weight_capacity(capacity);
    let shards = capacity / (LARGEST_IN_A_SHARD * largest.max(1) as u64);
    let shards = usize::try_from(shards).unwrap_or(usize::MAX);
    // The library would take the next power of two, and shards as small.
    let shards = 1 << shards.max(1).ilog2();
    options.shards(shards.min(SHARDS));
    let weigher = Weigher { share };
    match options.build() {
        Ok(options) => Cache::with_options(
            options,
            weigher,
            DefaultHashBuilder::default(),
            DefaultLifecycle::default(),
        ),
        // Both that it needs are set.
        Err(_) => Cache::with_weighter(polls, capacity, weigher),
    }
}

pub(crate) struct PollCache {
    store: Arc<dyn Repository>,
    clock: Arc<dyn Clock>,
    published: Cache<PollId, Arc<KnownPoll>, Weigher>,
    unknown: Cache<PollId, Timestamp>,
}

/// Why a poll that was looked up is not kept.
enum NotKept {
    Draft(Arc<KnownPoll>),
    Unknown,
    Failed(StoreError),
}

impl PollCache {
    pub(crate) fn new(
        store: Arc<dyn Repository>,
        clock: Arc<dyn Clock>,
        settings: &Settings,
    ) -> Self {
        let (polls, bytes) = (settings.cached_polls, settings.cached_poll_bytes);
        Self {
            store,
            clock,
            published: published(polls, bytes, largest(&settings.polls)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::polls::NewPoll;
    use crate::{Actor, FakeClock, SeededIds};

    const KIB: usize = 1024;

    fn known(ids: &SeededIds, option_chars: usize) -> Arc<KnownPoll> {
        let texts = (0..100).map(|at| format!("{at:é>option_chars$}"));
        let new = NewPoll::single("?", texts).published();
        let now = FakeClock::default().now();
        let made = new.validate(&Actor::System, None, now, ids, &PollLimits::default());
        let (poll, tally) = made.unwrap();
        let poll = Arc::new(poll);
        Arc::new(KnownPoll::new(&PollRecord { poll, tally }))
    }

    /// What is kept of a thousand polls with a hundred options of so many characters each: polls, and bytes.
    fn kept(polls: usize, bytes: usize, option_chars: usize) -> (usize, usize) {
        let ids = SeededIds::new(1);
        let cache = published(polls, bytes, largest(&PollLimits::default()));
        let made: Vec<_> = (0..1_000).map(|_| known(&ids, option_chars)).collect();
        for known in &made {
            cache.insert(known.poll.id, Arc::clone(known));
        }
        let kept = made.iter().filter_map(|known| cache.get(&known.poll.id));
        let bytes: Vec<_> = kept.map(|known| known.poll.estimated_bytes()).collect();
        (bytes.len(), bytes.iter().sum())
    }

    #[test]
    fn large_polls_are_kept_up_to_their_bytes_and_small_ones_up_to_their_number() {
        // 100 options of 2 bytes for each of nearly 200 characters, which is 55 KiB.
        let (polls, bytes) = kept(500, 4 * KIB * KIB, 200);
        assert!((40..=75).contains(&polls), "{polls}");
        assert!(bytes <= 4 * KIB * KIB, "{bytes}");
        // Of 17 KiB each, fewer than there would be room for.
        let (polls, bytes) = kept(100, 64 * KIB * KIB, 2);
        assert!((80..=105).contains(&polls), "{polls}");
        assert!(bytes < 3 * KIB * KIB, "{bytes}");
    }

    #[test]
    fn the_largest_poll_has_room_in_a_shard_and_one_that_is_larger_than_all_is_not_kept() {
        let limits = PollLimits::default();
        let shard = |bytes| published(10_000, bytes, largest(&limits)).shard_capacity();
        assert!(shard(64 * KIB * KIB) >= 4 * largest(&limits) as u64);
        assert_eq!(kept(10, 8 * KIB, 200), (0, 0));
    }
}
