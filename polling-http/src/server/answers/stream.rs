//! One answer on its way, and the pieces of it that the HTTP library holds.

use std::io::IoSlice;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use futures_util::task::AtomicWaker;
use tokio::task::AbortHandle;

use super::budget::ConnectionBudget;

/// One answer on its way.
pub(super) struct Stream {
    pub(super) connection: Arc<ConnectionBudget>,
    key: usize,
    /// Whether other answers share the connection.
    pub(super) is_http2: bool,
    /// Bytes that were handed to the HTTP library, and not taken by the socket.
    untaken: AtomicUsize,
    /// The tick of the server when a piece was last taken, or the first one handed over.
    since: AtomicU32,
    /// The tick when it was ended; 0 before.
    ended: AtomicU32,
    /// The task of a stream of HTTP/2: where it ends, the library resets the stream, and frees what it holds of it.
    task: OnceLock<AbortHandle>,
    taken: AtomicWaker,
}

/// How many ticks a stream has to go, after it was reset, before its connection is closed.
const TICKS_TO_GO: u32 = 4;

impl Stream {
    /// Begins to look after an answer over HTTP/1.1.
    pub(super) fn new(connection: &Arc<ConnectionBudget>) -> Arc<Self> {
        Self::of(connection, false)
    }

    fn of(connection: &Arc<ConnectionBudget>, is_http2: bool) -> Arc<Self> {
        connection.watch();
        let mut streams = connection.streams();
        let entry = streams.all.vacant_entry();
        let stream = Arc::new(Self {
            connection: Arc::clone(connection),
            key: entry.key(),
            is_http2,
            untaken: AtomicUsize::new(0),
            since: AtomicU32::new(0),
            ended: AtomicU32::new(0),
            task: OnceLock::new(),
            taken: AtomicWaker::new(),
        });
        entry.insert(Arc::downgrade(&stream));
        stream
    }

    /// Begins to look after a request of HTTP/2, whose task is about to be started.
    pub(super) fn begin(connection: &Arc<ConnectionBudget>) -> Arc<Self> {
        let stream = Self::of(connection, true);
        let begun = Some(Arc::clone(&stream));
        // The one before is not dropped under the lock, which its end takes.
        let before = std::mem::replace(&mut connection.streams().begun, begun);
        drop(before);
        stream
    }

    pub(super) fn runs_in(&self, task: AbortHandle) {
        // There is one task for each stream.
        let _ = self.task.set(task);
    }

    fn now(&self) -> u32 {
        self.connection.server.tick.load(Ordering::Relaxed)
    }

    /// A piece of so many bytes, which count already, goes to the HTTP library.
    pub(super) fn hand<D>(self: &Arc<Self>, data: Content<D>, bytes: usize) -> Piece<D> {
        if self.untaken.fetch_add(bytes, Ordering::AcqRel) == 0 {
            self.since.store(self.now(), Ordering::Release);
        }
        let counted = Held {
            stream: Arc::clone(self),
            bytes,
        };
        Piece {
            data,
            _counted: Some(counted),
        }
    }

    fn took(&self, bytes: usize) {
        self.since.store(self.now(), Ordering::Release);
        if self.untaken.fetch_sub(bytes, Ordering::SeqCst) == bytes {
            self.taken.wake();
        }
        self.connection.remove(bytes);
    }

    /// Ready when all that was handed over is taken.
    pub(super) fn poll_taken(&self, cx: &Context<'_>) -> Poll<()> {
        if self.untaken.load(Ordering::Acquire) == 0 {
            return Poll::Ready(());
        }
        self.taken.register(cx.waker());
        if self.untaken.load(Ordering::SeqCst) == 0 {
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// Whether its client took nothing for so many ticks, though there was something to take.
    pub(super) fn is_stalled(&self, now: u32, ticks: u32) -> bool {
        let waits = self.untaken.load(Ordering::Acquire) > 0;
        waits && now.wrapping_sub(self.since.load(Ordering::Acquire)) >= ticks
    }

    /// Ends it, and so frees what it holds. Where the HTTP library has the whole answer already, or does not let go of it,
    /// only the end of the connection does.
    pub(super) fn end(&self, now: u32) {
        let gauges = &self.connection.server.gauges;
        let ended = self.ended.load(Ordering::Acquire);
        let task = self.task.get().filter(|task| !task.is_finished());
        match task {
            Some(task) if ended == 0 => {
                self.ended.store(now, Ordering::Release);
                gauges.stream_ended();
                task.abort();
            }
            _ if ended != 0 && now.wrapping_sub(ended) < TICKS_TO_GO => {}
            _ if self.connection.close.is_cancelled() => {}
            _ => {
                gauges.connection_closed();
                self.connection.close.cancel();
            }
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.connection.streams().all.try_remove(self.key);
    }
}

/// A piece of an answer, in the hands of the HTTP library: it counts until it is dropped.
pub(crate) struct Piece<D> {
    data: Content<D>,
    /// `None` where nothing is counted.
    _counted: Option<Held>,
}

/// A frame as the service made it, or a part of one.
pub(super) enum Content<D> {
    Whole(D),
    Part(Bytes),
}

struct Held {
    stream: Arc<Stream>,
    bytes: usize,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.stream.took(self.bytes);
    }
}

impl<D> Piece<D> {
    /// One that nobody counts.
    pub(super) fn uncounted(data: D) -> Self {
        Self {
            data: Content::Whole(data),
            _counted: None,
        }
    }
}

impl<D: Buf> Buf for Piece<D> {
    fn remaining(&self) -> usize {
        match &self.data {
            Content::Whole(data) => data.remaining(),
            Content::Part(data) => data.remaining(),
        }
    }

    fn chunk(&self) -> &[u8] {
        match &self.data {
            Content::Whole(data) => data.chunk(),
            Content::Part(data) => data.chunk(),
        }
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        match &self.data {
            Content::Whole(data) => data.chunks_vectored(slices),
            Content::Part(data) => data.chunks_vectored(slices),
        }
    }

    fn advance(&mut self, bytes: usize) {
        match &mut self.data {
            Content::Whole(data) => data.advance(bytes),
            Content::Part(data) => data.advance(bytes),
        }
    }

    fn copy_to_bytes(&mut self, bytes: usize) -> Bytes {
        match &mut self.data {
            Content::Whole(data) => data.copy_to_bytes(bytes),
            Content::Part(data) => data.copy_to_bytes(bytes),
        }
    }
}
