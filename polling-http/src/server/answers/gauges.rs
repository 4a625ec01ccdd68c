//! What a server says of the answers that wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// What the answers of a server hold at the moment, for operators and tests. Clones show the same numbers.
#[derive(Clone, Debug, Default)]
pub struct ServerGauges(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    bytes: AtomicUsize,
    most_bytes: AtomicUsize,
    streams_ended: AtomicU64,
    connections_closed: AtomicU64,
    refused: AtomicU64,
}

impl ServerGauges {
    /// Bytes of answers that wait for their clients, or are reserved for answers that are being made.
    #[must_use]
    pub fn answer_bytes(&self) -> usize {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// The most that [`answer_bytes`](Self::answer_bytes) ever was.
    #[must_use]
    pub fn most_answer_bytes(&self) -> usize {
        self.0.most_bytes.load(Ordering::Relaxed)
    }

    /// Streams of HTTP/2 that were reset because their clients took nothing.
    #[must_use]
    pub fn streams_ended(&self) -> u64 {
        self.0.streams_ended.load(Ordering::Relaxed)
    }

    /// Connections that were closed because their clients took nothing of an answer; not those whose sockets stood still.
    #[must_use]
    pub fn connections_closed(&self) -> u64 {
        self.0.connections_closed.load(Ordering::Relaxed)
    }

    /// Requests that were refused because the server's budget of answers was used up.
    #[must_use]
    pub fn answers_refused(&self) -> u64 {
        self.0.refused.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, bytes: usize) {
        let before = self.0.bytes.fetch_add(bytes, Ordering::AcqRel);
        self.0
            .most_bytes
            .fetch_max(before + bytes, Ordering::Relaxed);
    }

    /// Adds them, unless there would then be more than `most`. Who holds alone may hold more.
    pub(super) fn try_add(&self, bytes: usize, most: usize) -> bool {
        let added = try_add(&self.0.bytes, bytes, most);
        if added {
            let now = self.0.bytes.load(Ordering::Relaxed);
            self.0.most_bytes.fetch_max(now, Ordering::Relaxed);
        }
        added
    }

    pub(super) fn remove(&self, bytes: usize) {
        self.0.bytes.fetch_sub(bytes, Ordering::AcqRel);
    }

    pub(super) fn stream_ended(&self) {
        self.0.streams_ended.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn connection_closed(&self) {
        self.0.connections_closed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn refused(&self) {
        self.0.refused.fetch_add(1, Ordering::Relaxed);
    }
}

/// Adds to a count that is at most `most`, but for the first that is counted.
pub(super) fn try_add(count: &AtomicUsize, bytes: usize, most: usize) -> bool {
    let fits = |now: usize| (now == 0 || now.saturating_add(bytes) <= most).then_some(now + bytes);
    count
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, fits)
        .is_ok()
}
