//! Counting in the memory of one server.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::limiter::{Decision, RateLimiter};
use super::model::{Key, Limit, Rule};
use crate::{Clock, StoreError, Timestamp};

/// Remembers when everything was done that still counts (a sliding log), so that no minute, wherever it begins, ever holds
/// more than a limit says. A token bucket, or the generic cell rate algorithm that is its twin, remembers one number instead,
/// and lets nearly twice as many through in the minute that begins with a burst.
///
/// It holds a fixed number of keys for each rule, so that a flood of one rule forgets nothing of another; of more than that
/// the oldest are forgotten. A key holds at most [`Limit::count`] times.
pub struct MemoryLimiter {
    clock: Arc<dyn Clock>,
    keys: usize,
    /// One for each rule, in the order of [`Rule::ALL`].
    tables: Box<[Mutex<Table>]>,
}

impl MemoryLimiter {
    /// Counts by this clock, and remembers so many keys for each rule.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, keys: usize) -> Self {
        let tables = Rule::ALL.iter().map(|_| Mutex::default()).collect();
        Self {
            clock,
            keys,
            tables,
        }
    }

    fn table(&self, rule: Rule) -> MutexGuard<'_, Table> {
        // What is in a table is true at every moment, also where somebody panicked.
        self.tables[rule as usize]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl RateLimiter for MemoryLimiter {
    async fn take(
        &self,
        rule: Rule,
        limit: Limit,
        key: &Key,
        wanted: u32,
    ) -> Result<Decision, StoreError> {
        let mut table = self.table(rule);
        let now = self.clock.now();
        Ok(table.take(limit, key, wanted, now, self.keys))
    }

    async fn give_back(&self, rule: Rule, key: &Key, taken: &Decision) -> Result<(), StoreError> {
        self.table(rule).give_back(key, taken);
        Ok(())
    }
}

impl std::fmt::Debug for MemoryLimiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryLimiter")
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

/// What was done under one rule.
#[derive(Debug, Default)]
struct Table {
    done: HashMap<Key, Done>,
    /// Each of those keys once: who was granted something last is last, and so the first to count no more is first.
    order: BTreeMap<u64, Key>,
    turns: u64,
}

/// What one key did.
#[derive(Debug, Default)]
struct Done {
    /// Its place in the order.
    turn: u64,
    /// When it did what still counts, or did lately; ascending.
    times: VecDeque<Timestamp>,
}

/// For each new key so many others may go that do not count any more: more than one, so that a table gets smaller again.
const GOING: usize = 2;

impl Table {
    fn take(
        &mut self,
        limit: Limit,
        key: &Key,
        wanted: u32,
        now: Timestamp,
        keys: usize,
    ) -> Decision {
        let window = limit.window;
        let used = self.done.get_mut(key).map_or(0, |done| {
            done.forget_old(window, now);
            u32::try_from(done.times.len()).unwrap_or(u32::MAX)
        });
        let free = limit.count.saturating_sub(used);
        let granted = wanted.min(free);
        if granted > 0 {
            self.add(key, granted, window, now, keys);
        }
        let times = self.done.get(key).map(|done| &done.times);
        let until = |done: Option<&Timestamp>| {
            done.map_or(Duration::ZERO, |done| done.after(window).since(now))
        };
        let remaining = free - granted;
        Decision {
            granted,
            remaining,
            retry_after: match remaining {
                0 => until(times.and_then(VecDeque::front)),
                _ => Duration::ZERO,
            },
            resets_in: until(times.and_then(VecDeque::back)),
            taken_at: now,
        }
    }

    fn add(&mut self, key: &Key, granted: u32, window: Duration, now: Timestamp, keys: usize) {
        if !self.done.contains_key(key) {
            self.make_room(window, now, keys);
        }
        let done = self.done.entry(*key).or_default();
        done.times
            .extend(std::iter::repeat_n(now, granted as usize));
        self.order.remove(&done.turn);
        self.turns += 1;
        done.turn = self.turns;
        self.order.insert(done.turn, *key);
    }

    fn give_back(&mut self, key: &Key, taken: &Decision) {
        let Some(done) = self.done.get_mut(key) else {
            return;
        };
        for _ in 0..taken.granted {
            let Some(at) = done.times.iter().rposition(|at| *at == taken.taken_at) else {
                return;
            };
            done.times.remove(at);
        }
    }

    /// Lets keys go that do not count any more, and the oldest of those that do where there would be too many.
    fn make_room(&mut self, window: Duration, now: Timestamp, keys: usize) {
        for _ in 0..GOING {
            let Some(first) = self.order.first_entry() else {
                return;
            };
            let counts = self.done.get_mut(first.get()).is_some_and(|done| {
                done.forget_old(window, now);
                !done.times.is_empty()
            });
            if counts && self.done.len() < keys {
                return;
            }
            self.done.remove(&first.remove());
        }
    }
}

impl Done {
    /// A clock that was set back makes nothing count for longer than the window.
    fn forget_old(&mut self, window: Duration, now: Timestamp) {
        let times = &mut self.times;
        for later in times.iter_mut().rev().take_while(|done| **done > now) {
            *later = now;
        }
        while times.front().is_some_and(|done| now.since(*done) >= window) {
            times.pop_front();
        }
    }
}

#[cfg(test)]
mod tests;
