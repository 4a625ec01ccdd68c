//! Turns for what writes many rows: large makings of vote tokens, revocations, imports, and what is removed in the background.
//!
//! Each such job is cut into bounded steps, and asks for a turn before each of them. Turns are given in the order in which
//! they were asked for, so that several jobs interleave, and no more steps than the setting says are at the store at once.
//! What votes is never asked to wait here: a vote that arrives during a step is written right after it.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::settings::BulkSettings;

/// The turns of an engine.
#[derive(Clone, Debug)]
pub(crate) struct Bulk {
    jobs: Arc<Semaphore>,
    large: Arc<Semaphore>,
    steps: Arc<Semaphore>,
}

/// A job that was let in: until it is dropped it has one of the places.
#[derive(Debug)]
pub(crate) struct BulkJob {
    _place: OwnedSemaphorePermit,
}

/// A turn: the next one is given when this is dropped.
#[derive(Debug)]
#[must_use = "the turn is over when it is dropped"]
pub(crate) struct Turn {
    _permit: Option<OwnedSemaphorePermit>,
}

impl Bulk {
    pub(crate) fn new(settings: &BulkSettings) -> Self {
        let semaphore =
            |permits: usize| Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS)));
        Self {
            jobs: semaphore(settings.jobs),
            large: semaphore(settings.large_at_once),
            steps: semaphore(settings.steps_at_once),
        }
    }

    /// Lets in one more job that a caller waits for; `None` where there are too many already.
    pub(crate) fn enter(&self) -> Option<BulkJob> {
        let place = Arc::clone(&self.jobs).try_acquire_owned().ok()?;
        Some(BulkJob { _place: place })
    }

    /// Waits until a job that holds many rows in memory may begin.
    pub(crate) async fn large(&self) -> Turn {
        Turn::of(&self.large).await
    }

    /// Waits for the turn of one step.
    pub(crate) async fn turn(&self) -> Turn {
        Turn::of(&self.steps).await
    }
}

impl Turn {
    async fn of(turns: &Arc<Semaphore>) -> Self {
        // It is never closed.
        Self {
            _permit: Arc::clone(turns).acquire_owned().await.ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn bulk(jobs: usize, steps_at_once: usize) -> Bulk {
        let mut settings = BulkSettings::default();
        (settings.jobs, settings.steps_at_once) = (jobs, steps_at_once);
        Bulk::new(&settings)
    }

    #[test]
    fn turns_are_given_in_the_order_in_which_they_were_asked_for() {
        let bulk = bulk(1, 1);
        let first = bulk.turn().now_or_never().unwrap();
        let (mut second, mut third) = (Box::pin(bulk.turn()), Box::pin(bulk.turn()));
        assert!(second.as_mut().now_or_never().is_none());
        assert!(third.as_mut().now_or_never().is_none());
        drop(first);
        assert!(third.as_mut().now_or_never().is_none());
        let second = second.now_or_never().unwrap();
        drop(second);
        assert!(third.now_or_never().is_some());
    }

    #[test]
    fn one_job_too_many_is_overloaded_until_another_one_ends() {
        let bulk = bulk(2, 1);
        let (first, _second) = (bulk.enter().unwrap(), bulk.enter().unwrap());
        assert!(bulk.enter().is_none());
        drop(first);
        assert!(bulk.enter().is_some());
    }
}
