//! How many bytes of request bodies the server holds at the same time, and how slowly one of them may arrive.
//!
//! A body counts with what has arrived of it: a small one while it is not complete, a large one until its request is answered.
//! What is complete when it is first looked at, as a vote mostly is, costs nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::settings::HttpSettings;

/// Bytes of a small body, at most.
///
/// A small one is read before it is asked whether the caller may send it: it has mostly arrived with its head, and its
/// handler asks the same.
pub(crate) const SMALL_BYTES: usize = 4 * 1024;

/// What all bodies of a server may hold together.
#[derive(Debug)]
pub(crate) struct BodyBudget {
    /// Bytes, at most.
    most: usize,
    held: AtomicUsize,
    pace: Pace,
}

/// The least that has to arrive of a large body in each stretch of this length.
#[derive(Clone, Copy, Debug)]
struct Pace {
    bytes: usize,
    time: Duration,
}

impl BodyBudget {
    pub(crate) fn new(settings: &HttpSettings) -> Arc<Self> {
        // Else the largest body would never be taken.
        let largest = settings.body_bytes.max(settings.batch_body_bytes);
        Arc::new(Self {
            most: settings.held_body_bytes.max(largest.saturating_mul(2)),
            held: AtomicUsize::new(0),
            pace: Pace {
                bytes: settings.body_pace_bytes.max(1),
                time: settings.body_pace_time,
            },
        })
    }

    /// Bytes that large bodies leave to small ones: so a vote in two packets is taken, whoever sends large bodies.
    const fn kept_for_small(&self) -> usize {
        self.most / 4
    }

    fn take(&self, bytes: usize, most: usize) -> bool {
        let more = |held: usize| Some(held.checked_add(bytes)?).filter(|held| *held <= most);
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        self.held.fetch_update(set, fetch, more).is_ok()
    }
}

/// What one body holds of the budget, which has it back when this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    budget: Arc<BodyBudget>,
    bytes: usize,
}

impl Held {
    /// Nothing yet.
    pub(crate) fn of(budget: &Arc<BodyBudget>) -> Self {
        Self {
            budget: Arc::clone(budget),
            bytes: 0,
        }
    }

    /// Holds so many bytes in all; false, and nothing more is held, where there is no room.
    #[must_use]
    pub(crate) fn raise(&mut self, bytes: usize) -> bool {
        let Some(more) = bytes.checked_sub(self.bytes).filter(|more| *more > 0) else {
            return true;
        };
        let budget = &self.budget;
        let most = match bytes <= SMALL_BYTES {
            true => budget.most,
            false => budget.most - budget.kept_for_small(),
        };
        let taken = budget.take(more, most);
        if taken {
            self.bytes = bytes;
        }
        taken
    }

    /// The body is complete: a small one holds nothing from now on.
    pub(crate) fn complete(&mut self) {
        if self.bytes <= SMALL_BYTES {
            self.give_back();
        }
    }

    fn give_back(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        if bytes > 0 {
            self.budget.held.fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// The stretch in which the next bytes of a large body have to arrive.
#[derive(Debug)]
pub(crate) struct Stretch {
    pace: Pace,
    /// When it ends, and how long the body has to be by then.
    goal: Option<(Instant, usize)>,
}

impl Stretch {
    /// The first stretch of a body.
    pub(crate) fn of(held: &Held) -> Self {
        Self {
            pace: held.budget.pace,
            goal: None,
        }
    }

    /// When a body must have more than what has arrived.
    pub(crate) fn end(&mut self, arrived: usize) -> Instant {
        match self.goal {
            Some((end, bytes)) if arrived < bytes => end,
            _ => {
                let end = Instant::now() + self.pace.time;
                self.goal = Some((end, arrived + self.pace.bytes));
                end
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(bytes: usize) -> Arc<BodyBudget> {
        let settings = HttpSettings {
            body_bytes: 1,
            batch_body_bytes: 1,
            held_body_bytes: bytes,
            ..HttpSettings::default()
        };
        BodyBudget::new(&settings)
    }

    #[test]
    fn large_bodies_leave_a_quarter_to_small_ones() {
        let budget = budget(100_000);
        let (mut first, mut second) = (Held::of(&budget), Held::of(&budget));
        assert!(first.raise(70_000));
        assert!(!second.raise(5_001));
        assert!(second.raise(SMALL_BYTES));
        let mut small: Vec<_> = (0..6).map(|_| Held::of(&budget)).collect();
        assert!(small.iter_mut().all(|held| held.raise(SMALL_BYTES)));
        assert!(!Held::of(&budget).raise(SMALL_BYTES));
    }

    #[test]
    fn what_was_held_is_given_back_once_and_of_small_bodies_when_they_are_complete() {
        let budget = budget(100_000);
        let (mut large, mut small) = (Held::of(&budget), Held::of(&budget));
        assert!(large.raise(10) && large.raise(5_000) && large.raise(4_000));
        assert!(small.raise(100));
        assert_eq!(budget.held.load(Ordering::Relaxed), 5_100);
        large.complete();
        small.complete();
        assert_eq!(budget.held.load(Ordering::Relaxed), 5_000);
        drop((large, small));
        assert_eq!(budget.held.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn the_largest_body_fits_whatever_the_setting_says() {
        let settings = HttpSettings {
            held_body_bytes: 0,
            ..HttpSettings::default()
        };
        let budget = BodyBudget::new(&settings);
        assert!(Held::of(&budget).raise(settings.batch_body_bytes));
    }
}
