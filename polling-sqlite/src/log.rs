//! The write-ahead log: how long it is, and what keeps it short.
//!
//! Every commit appends its pages to the log. SQLite can write the log from its beginning again only once all of it was
//! copied into the database file and no reader needs it any more. Copying within a commit held up the writer, and everyone
//! who waited for it, for 15 to 45 ms; so a thread of its own copies ([`checkpointer`](crate::checkpointer)), and the writer
//! takes the last step alone, for a few pages. docs/decisions/0009-the-log-is-copied-beside-the-writer.md has the figures.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

/// How long the log may grow, in pages of the database.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Bytes of a page in the log, its header included.
    pub(crate) page_bytes: u64,
    /// What the log is kept to.
    pub(crate) pages: u64,
    /// What it may grow to while a reader keeps it from starting over. Beyond it nothing is written.
    pub(crate) most_pages: u64,
}

impl Bounds {
    pub(crate) fn new(page_size: u32, bytes: u64, most_bytes: u64) -> Self {
        let page_bytes = u64::from(page_size) + 24;
        Self {
            page_bytes,
            pages: (bytes / page_bytes).max(8),
            most_pages: (most_bytes / page_bytes).max(8),
        }
    }

    /// From here on the log is copied. It starts over before it reaches its bound, if the disk keeps up.
    pub(crate) const fn copied_from(&self) -> u64 {
        self.pages / 2
    }

    /// Here the writer waits for the copying, unless it is a reader that the copying waits for.
    const fn waits_at(&self) -> u64 {
        self.pages * 2
    }

    /// So many pages are left to the writer: it copies them in about a millisecond.
    pub(crate) const fn rest(&self) -> u64 {
        self.pages / 32
    }
}

/// What the writer and the thread that copies share.
#[derive(Debug)]
pub(crate) struct Log {
    bounds: Bounds,
    /// Pages in the log; 0 once it starts over with the next commit.
    pages: AtomicU64,
    /// Whether something keeps the log from starting over.
    held: AtomicBool,
    copying: Mutex<Copying>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Copying {
    wanted: bool,
    under_way: bool,
    ended: bool,
}

impl Log {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            pages: AtomicU64::new(0),
            held: AtomicBool::new(false),
            copying: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    pub(crate) const fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    pub(crate) fn pages(&self) -> u64 {
        self.pages.load(Relaxed)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.pages() * self.bounds.page_bytes
    }

    #[cfg(test)]
    pub(crate) fn set_pages(&self, pages: u64) {
        self.pages.store(pages, Relaxed);
    }

    /// Whether the log is longer than it becomes while nothing is in the way.
    pub(crate) fn is_long(&self) -> bool {
        self.pages() > self.bounds.waits_at()
    }

    /// Whether the log may not grow any more.
    pub(crate) fn is_full(&self) -> bool {
        self.held.load(Relaxed) && self.pages() >= self.bounds.most_pages
    }

    /// For the writer, after each commit.
    pub(crate) fn wrote(&self, writer: &Connection) {
        // Where the log cannot be asked now, it is after the next commit.
        let Ok(state) = state(writer) else { return };
        let pages = if state.left() == 0 { 0 } else { state.pages };
        self.pages.store(pages, Relaxed);
        if pages < self.bounds.copied_from() || self.held.load(Relaxed) {
            return;
        }
        let mut copying = self.copying();
        copying.wanted = true;
        self.changed.notify_all();
        if pages >= self.bounds.waits_at() {
            // Bounded, for a disk that hangs: then the next commit waits for it, too.
            let _ = self
                .changed
                .wait_timeout_while(copying, LONGEST_WAIT, |copying| copying.under_way);
        }
    }

    /// For the writer, when the log starts over with the next commit.
    pub(crate) fn starts_over(&self) {
        self.pages.store(0, Relaxed);
        self.copying().wanted = false;
    }

    /// For the thread that copies: waits until there is something to copy, or, where a time is given, for so long. False
    /// when the thread is to end.
    pub(crate) fn wait(&self, most: Option<Duration>) -> bool {
        let idle = |copying: &mut Copying| !copying.wanted && !copying.ended;
        let copying = self.copying();
        let mut copying = match most {
            None => self.changed.wait_while(copying, idle),
            Some(most) => match self.changed.wait_timeout_while(copying, most, idle) {
                Ok((copying, _)) => Ok(copying),
                Err(poisoned) => Ok(poisoned.into_inner().0),
            },
        }
        .unwrap_or_else(PoisonError::into_inner);
        copying.under_way = !copying.ended;
        copying.wanted = false;
        !copying.ended
    }

    /// For the thread that copies, when it does no more: the writer waits for it no longer.
    pub(crate) fn copied(&self) {
        self.copying().under_way = false;
        self.changed.notify_all();
    }

    /// For the thread that copies: whether something keeps the log from starting over.
    pub(crate) fn set_held(&self, held: bool) {
        self.held.store(held, Relaxed);
    }

    /// Ends the thread that copies.
    pub(crate) fn end(&self) {
        self.copying().ended = true;
        self.changed.notify_all();
    }

    fn copying(&self) -> MutexGuard<'_, Copying> {
        self.copying.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// What SQLite says of the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct State {
    /// Whether somebody was in the way.
    pub(crate) busy: bool,
    pub(crate) pages: u64,
    /// How many of them are in the database file, from the first on.
    pub(crate) copied: u64,
}

impl State {
    pub(crate) const fn left(&self) -> u64 {
        self.pages.saturating_sub(self.copied)
    }
}

/// Asks for the state and does nothing else.
pub(crate) fn state(connection: &Connection) -> rusqlite::Result<State> {
    checkpoint(connection, "PRAGMA wal_checkpoint(NOOP)")
}

/// Copies what no reader needs as it was. Neither writers nor readers wait for it.
pub(crate) fn copy(connection: &Connection) -> rusqlite::Result<State> {
    checkpoint(connection, "PRAGMA wal_checkpoint(PASSIVE)")
}

/// Copies the rest, so that the log starts over with the next commit. With `cut` the file is made empty as well.
pub(crate) fn finish(writer: &Connection, cut: bool) -> rusqlite::Result<State> {
    writer.busy_timeout(Duration::ZERO)?;
    if cut {
        checkpoint(writer, "PRAGMA wal_checkpoint(TRUNCATE)")
    } else {
        checkpoint(writer, "PRAGMA wal_checkpoint(RESTART)")
    }
}

fn checkpoint(connection: &Connection, sql: &str) -> rusqlite::Result<State> {
    connection.prepare_cached(sql)?.query_row([], |row| {
        // -1 where there is no log.
        let count = |at| row.get::<_, i64>(at).map(|n| u64::try_from(n).unwrap_or(0));
        Ok(State {
            busy: row.get(0)?,
            pages: count(1)?,
            copied: count(2)?,
        })
    })
}
