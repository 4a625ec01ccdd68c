//! When the schedule looks at all, on a clock that stands still.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use super::*;
use crate::clock_jump::JumpRule;
use crate::engine::Bulk;
use crate::limits::{Limits, MemoryLimiter};
use crate::polls::cache::PollCache;
use crate::polls::{
    DueStep, Edited, Kept, ListQuery, Poll, PollEdit, PollRecord, PollRepository, Step,
};
use crate::results::{Hub, ResultsRepository, Revision, Tally};
use crate::store_clock::{SURE_FOR, StoreClock};
use crate::votes::VoteRepository;
use crate::{BulkSettings, Clock, FakeClock, PollId, RandomIds, Repository, Settings, TokenHash};

const RULE: JumpRule = JumpRule {
    least: Duration::from_secs(2),
    wait: Duration::from_secs(60),
};

/// A store that counts how often it is asked for the next steps, and has a clock.
struct Asked {
    clock: FakeClock,
    has_clock: AtomicBool,
    upcoming: AtomicUsize,
}

#[async_trait]
impl Repository for Asked {
    fn polls(&self) -> &dyn PollRepository {
        self
    }

    fn votes(&self) -> &dyn VoteRepository {
        panic!("nobody votes")
    }

    fn results(&self) -> &dyn ResultsRepository {
        panic!("nobody counts")
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn now(&self) -> Result<Option<Timestamp>, StoreError> {
        if self.has_clock.load(Ordering::SeqCst) {
            Ok(Some(self.clock.now()))
        } else {
            Err(StoreError::unavailable("as the test wants"))
        }
    }
}

#[async_trait]
impl PollRepository for Asked {
    async fn insert(&self, _: &Poll, _: &Tally) -> Result<Kept, StoreError> {
        panic!("nothing is created")
    }

    async fn find(&self, _: PollId) -> Result<Option<PollRecord>, StoreError> {
        panic!("nothing is read")
    }

    async fn list(&self, _: &ListQuery) -> Result<Vec<PollRecord>, StoreError> {
        panic!("nothing is listed")
    }

    async fn edit(&self, _: &PollEdit) -> Result<Edited, StoreError> {
        panic!("nothing is edited")
    }

    async fn advance(&self, _: PollId, _: Step, _: Timestamp) -> Result<Advanced, StoreError> {
        panic!("nothing is due")
    }

    async fn delete(&self, _: PollId, _: Timestamp) -> Result<Option<Revision>, StoreError> {
        panic!("nothing is deleted")
    }

    async fn purge(&self, _: usize) -> Result<bool, StoreError> {
        panic!("nothing is purged")
    }

    async fn knows_manage_token(&self, _: TokenHash) -> Result<bool, StoreError> {
        panic!("nobody manages")
    }

    async fn upcoming(&self, _: Duration, _: usize) -> Result<Vec<DueStep>, StoreError> {
        self.upcoming.fetch_add(1, Ordering::SeqCst);
        Ok(Vec::new())
    }
}

#[tokio::test]
async fn no_step_is_taken_while_the_time_is_not_known() {
    let clock = FakeClock::default();
    let store = Arc::new(Asked {
        clock: clock.clone(),
        has_clock: AtomicBool::new(true),
        upcoming: AtomicUsize::new(0),
    });
    let measured = StoreClock::measure_first(Arc::new(clock.clone()), &*store, RULE).await;
    let measured = Arc::new(measured.unwrap().unwrap());
    let parts = Parts {
        store: store.clone(),
        clock: Arc::clone(&measured) as _,
        ids: Arc::new(RandomIds),
        settings: Arc::new(Settings::default()),
        hub: Arc::new(Hub::default()),
        bulk: Bulk::new(&BulkSettings::default()),
        cache: Arc::new(PollCache::new(
            store.clone(),
            Arc::new(clock.clone()),
            &Settings::default(),
        )),
        limits: Limits::new(
            Arc::new(MemoryLimiter::new(Arc::new(clock.clone()), 1, 1)),
            Arc::default(),
        ),
        tasks: Default::default(),
        health: Arc::default(),
    };
    let alarm = Alarm::default();
    let schedule = Schedule {
        parts,
        alarm: alarm.clone(),
    };
    let running = tokio::spawn(schedule.run());
    // How often the store is asked in ten seconds.
    let asked = async || {
        let before = store.upcoming.load(Ordering::SeqCst);
        for _ in 0..10 {
            tokio::task::yield_now().await;
            clock.advance(Duration::from_secs(1));
            alarm.ring();
            tokio::task::yield_now().await;
        }
        store.upcoming.load(Ordering::SeqCst) - before
    };
    assert!(asked().await >= 10);
    store.has_clock.store(false, Ordering::SeqCst);
    clock.advance(SURE_FOR);
    tokio::task::yield_now().await;
    assert_eq!(asked().await, 0, "nobody knows what time it is");
    store.has_clock.store(true, Ordering::SeqCst);
    measured.measure(&*store).await;
    assert!(asked().await >= 10);
    running.abort();
}
