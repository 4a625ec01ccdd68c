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
/// What was done at the same time is one entry. A key with 256 entries gets another one only for each 256th part of the window:
/// what is done within such a part counts from the latest time in it, so for a little longer than the window, and never for
/// less. So a key takes a bounded number of bytes, whatever its limit.
///
/// It holds a number of keys and of bytes for each rule, so that a flood of one rule forgets nothing of another; of more than
/// that the oldest are forgotten.
pub struct MemoryLimiter {
    clock: Arc<dyn Clock>,
    bounds: Bounds,
    /// One for each rule, in the order of [`Rule::ALL`].
    tables: Box<[Mutex<Table>]>,
}

/// What one table holds.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    keys: usize,
    bytes: usize,
}

impl MemoryLimiter {
    /// Counts by this clock, and remembers this many keys for each rule, in this many bytes for all rules together.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, keys: usize, bytes: usize) -> Self {
        let tables = Rule::ALL.iter().map(|_| Mutex::default()).collect();
        let bytes = bytes / Rule::ALL.len();
        Self {
            clock,
            bounds: Bounds { keys, bytes },
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
        Ok(table.take(limit, key, wanted, now, self.bounds))
    }

    async fn give_back(&self, rule: Rule, key: &Key, taken: &Decision) -> Result<(), StoreError> {
        self.table(rule).give_back(key, taken);
        Ok(())
    }
}

impl std::fmt::Debug for MemoryLimiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryLimiter")
            .field("bounds", &self.bounds)
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
    /// What all of it takes.
    bytes: usize,
}

/// What one key did.
#[derive(Debug, Default)]
struct Done {
    /// Its place in the order.
    turn: u64,
    /// What it did that still counts, or did lately; by time, ascending.
    entries: VecDeque<Entry>,
    /// How much that is.
    count: u32,
}

/// What was done at one time, or at times that are close to each other.
#[derive(Debug)]
struct Entry {
    first: Timestamp,
    /// All of it counts as if it had been done then.
    last: Timestamp,
    count: u32,
}

/// Entries of a key of which each is one exact time.
const EXACT: usize = 256;

/// The parts of a window in which each further entry counts as one time.
const GRAINS: i64 = 256;

/// What a key takes beside its entries: its rows in the two maps, which are half empty at times.
const KEY_BYTES: usize = 2 * (size_of::<(Key, Done)>() + size_of::<(u64, Key)>());

/// For each new key so many others may go that do not count any more: more than one, so that a table gets smaller again.
const GOING: usize = 2;

impl Table {
    fn take(
        &mut self,
        limit: Limit,
        key: &Key,
        wanted: u32,
        now: Timestamp,
        bounds: Bounds,
    ) -> Decision {
        let window = limit.window;
        let used = self.done.get_mut(key).map_or(0, |done| {
            done.forget_old(window, now);
            done.count
        });
        let free = limit.count.saturating_sub(used);
        let granted = wanted.min(free);
        if granted > 0 {
            self.add(key, granted, window, now, bounds);
        }
        let entries = self.done.get(key).map(|done| &done.entries);
        let until = |entry: Option<&Entry>| {
            entry.map_or(Duration::ZERO, |entry| entry.last.after(window).since(now))
        };
        let remaining = free - granted;
        Decision {
            granted,
            remaining,
            retry_after: match remaining {
                0 => until(entries.and_then(VecDeque::front)),
                _ => Duration::ZERO,
            },
            resets_in: until(entries.and_then(VecDeque::back)),
            taken_at: now,
        }
    }

    fn add(&mut self, key: &Key, granted: u32, window: Duration, now: Timestamp, bounds: Bounds) {
        if !self.done.contains_key(key) {
            self.make_room(window, now, bounds.keys);
            self.bytes += KEY_BYTES;
        }
        let done = self.done.entry(*key).or_default();
        let before = done.bytes();
        done.add(granted, window, now);
        self.bytes = self.bytes + done.bytes() - before;
        self.order.remove(&done.turn);
        self.turns += 1;
        done.turn = self.turns;
        self.order.insert(done.turn, *key);
        // The key itself is the last.
        while self.bytes > bounds.bytes && self.order.len() > 1 {
            self.forget_first();
        }
    }

    fn give_back(&mut self, key: &Key, taken: &Decision) {
        if let Some(done) = self.done.get_mut(key) {
            done.give_back(taken);
        }
    }

    /// Lets keys go that do not count any more, and the oldest of those that do where there would be too many.
    fn make_room(&mut self, window: Duration, now: Timestamp, keys: usize) {
        for _ in 0..GOING {
            let Some((_, first)) = self.order.first_key_value() else {
                return;
            };
            let (mut counts, mut freed) = (false, 0);
            if let Some(done) = self.done.get_mut(first) {
                let before = done.bytes();
                done.forget_old(window, now);
                freed = before - done.bytes();
                counts = done.count > 0;
            }
            self.bytes -= freed;
            if counts && self.done.len() < keys {
                return;
            }
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((_, key)) = self.order.pop_first()
            && let Some(done) = self.done.remove(&key)
        {
            self.bytes -= KEY_BYTES + done.bytes();
        }
    }
}

impl Done {
    fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>()
    }

    fn add(&mut self, granted: u32, window: Duration, now: Timestamp) {
        self.count = self.count.saturating_add(granted);
        let is_full = self.entries.len() >= EXACT;
        let is_close = |entry: &Entry| grain(window, entry.first) == grain(window, now);
        match self.entries.back_mut() {
            Some(entry) if entry.last == now || is_full && is_close(entry) => {
                entry.last = now;
                entry.count = entry.count.saturating_add(granted);
            }
            _ => self.entries.push_back(Entry {
                first: now,
                last: now,
                count: granted,
            }),
        }
    }

    /// Takes away what was granted then, if it still counts.
    fn give_back(&mut self, taken: &Decision) {
        let at = taken.taken_at;
        let has_it = |entry: &Entry| entry.first <= at && at <= entry.last;
        let Some(place) = self.entries.iter().rposition(has_it) else {
            return;
        };
        let entry = &mut self.entries[place];
        let given = entry.count.min(taken.granted);
        entry.count -= given;
        self.count -= given;
        if entry.count == 0 {
            self.entries.remove(place);
        }
    }

    /// A clock that was set back makes nothing count for longer than the window.
    fn forget_old(&mut self, window: Duration, now: Timestamp) {
        for later in self.entries.iter_mut().rev() {
            if later.last <= now {
                break;
            }
            (later.first, later.last) = (later.first.min(now), now);
        }
        while let Some(first) = self.entries.front()
            && now.since(first.last) >= window
        {
            self.count -= first.count;
            self.entries.pop_front();
        }
        if self.entries.len() * 4 < self.entries.capacity() {
            self.entries.shrink_to(self.entries.len() * 2);
        }
    }
}

/// Which part of all the windows there are this time is in.
fn grain(window: Duration, now: Timestamp) -> i64 {
    let millis = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
    now.as_millis() / (millis / GRAINS).max(1)
}

#[cfg(test)]
mod tests;
