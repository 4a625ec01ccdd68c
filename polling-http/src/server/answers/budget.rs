//! The two budgets of bytes that wait for clients: one for each connection, one for the server.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use slab::Slab;
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::gauges::{ServerGauges, try_add};
use super::stream::Stream;
use crate::server::ServerSettings;

/// How often a request for a large answer asks whether the server's budget has room again.
const ASK_AGAIN: Duration = Duration::from_millis(50);
/// How many times it does, before it is refused: long enough for a client that takes nothing to be ended meanwhile.
const ASKS: u32 = 40;

/// What the answers of all connections of a server may hold.
pub(crate) struct ServerBudget {
    /// Bytes, for all connections.
    pub(super) most: usize,
    /// Bytes, for one connection.
    most_of_connection: usize,
    pub(super) write_timeout: Duration,
    pub(super) gauges: ServerGauges,
    /// Counted by the sweep: a clock that costs nothing to read.
    pub(super) tick: AtomicU32,
    /// When connections were last ended to make room.
    pub(super) made_room: AtomicU32,
    /// The connections with answers to look after: all of HTTP/2, and those of HTTP/1.1 that had a large one.
    connections: Mutex<Slab<Weak<ConnectionBudget>>>,
}

impl ServerBudget {
    pub(crate) fn new(settings: &ServerSettings) -> Arc<Self> {
        Arc::new(Self {
            most: settings.answer_bytes,
            most_of_connection: settings.connection_answer_bytes,
            write_timeout: settings.write_timeout,
            gauges: settings.gauges.clone(),
            tick: AtomicU32::new(1),
            made_room: AtomicU32::new(0),
            connections: Mutex::default(),
        })
    }

    /// The budget of a new connection, which `close` closes.
    pub(crate) fn connection(self: &Arc<Self>, close: CancellationToken) -> Arc<ConnectionBudget> {
        Arc::new(ConnectionBudget {
            server: Arc::clone(self),
            close,
            waiting: AtomicUsize::new(0),
            refused_until: AtomicU32::new(0),
            streams: Mutex::default(),
            key: OnceLock::new(),
            freed: Notify::new(),
            anybody_waits: AtomicBool::new(false),
            held_back: Mutex::default(),
        })
    }

    /// Those that are to be looked after.
    pub(super) fn connections(&self) -> Vec<Arc<ConnectionBudget>> {
        let connections = lock(&self.connections);
        let alive = connections.iter().filter_map(|(_, held)| held.upgrade());
        alive.collect()
    }
}

/// What the answers of one connection hold.
pub(crate) struct ConnectionBudget {
    pub(super) server: Arc<ServerBudget>,
    pub(super) close: CancellationToken,
    /// Bytes that wait, or are reserved.
    waiting: AtomicUsize,
    /// Until this tick nothing large is made for it, because others needed the room that it held without use.
    pub(super) refused_until: AtomicU32,
    streams: Mutex<Streams>,
    /// Its place in the list of the server.
    key: OnceLock<usize>,
    /// Requests that wait for room.
    freed: Notify,
    /// Whether there are some, or bodies that are held back.
    anybody_waits: AtomicBool,
    held_back: Mutex<Vec<Waker>>,
}

#[derive(Default)]
pub(super) struct Streams {
    pub(super) all: Slab<Weak<Stream>>,
    /// The one whose task is about to be started.
    pub(super) begun: Option<Arc<Stream>>,
}

impl ConnectionBudget {
    /// Bytes that wait, or are reserved.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Acquire)
    }

    pub(super) fn add(&self, bytes: usize) {
        self.waiting.fetch_add(bytes, Ordering::AcqRel);
        self.server.gauges.add(bytes);
    }

    pub(super) fn remove(&self, bytes: usize) {
        if bytes == 0 {
            return;
        }
        self.waiting.fetch_sub(bytes, Ordering::SeqCst);
        self.server.gauges.remove(bytes);
        if self.anybody_waits.swap(false, Ordering::SeqCst) {
            self.freed.notify_waiters();
            let held_back = std::mem::take(&mut *lock(&self.held_back));
            held_back.into_iter().for_each(Waker::wake);
        }
    }

    /// Adds to both budgets, or to none.
    fn try_add(&self, bytes: usize) -> Result<(), Full> {
        let now = self.server.tick.load(Ordering::Relaxed);
        if now < self.refused_until.load(Ordering::Acquire) {
            return Err(Full::Refused);
        }
        if !try_add(&self.waiting, bytes, self.server.most_of_connection) {
            return Err(Full::Connection);
        }
        if self.server.gauges.try_add(bytes, self.server.most) {
            return Ok(());
        }
        self.waiting.fetch_sub(bytes, Ordering::SeqCst);
        self.freed.notify_waiters();
        Err(Full::Server)
    }

    /// Ready while the connection is below its budget. Of bodies without an end, like event streams, nothing more is made
    /// before.
    pub(super) fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        let most = self.server.most_of_connection;
        if self.waiting() < most {
            return Poll::Ready(());
        }
        let mut held_back = lock(&self.held_back);
        if !held_back.iter().any(|waker| waker.will_wake(cx.waker())) {
            held_back.push(cx.waker().clone());
        }
        drop(held_back);
        self.anybody_waits.store(true, Ordering::SeqCst);
        if self.waiting.load(Ordering::SeqCst) < most {
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// From now on the sweep looks after this connection.
    pub(super) fn watch(self: &Arc<Self>) {
        self.key.get_or_init(|| {
            let mut connections = lock(&self.server.connections);
            connections.insert(Arc::downgrade(self))
        });
    }

    pub(super) fn streams(&self) -> MutexGuard<'_, Streams> {
        lock(&self.streams)
    }
}

impl Drop for ConnectionBudget {
    fn drop(&mut self) {
        if let Some(key) = self.key.get() {
            lock(&self.server.connections).try_remove(*key);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Full {
    Connection,
    Server,
    Refused,
}

/// What a service may hold of answers on one connection: to be asked before a large answer is made.
///
/// A server puts it among the extensions of each request, or hands it to
/// [`serve_connections`](crate::server::serve_connections)' services.
#[derive(Clone)]
pub struct AnswerBudget(pub(super) Arc<ConnectionBudget>);

impl AnswerBudget {
    pub(crate) fn new(connection: Arc<ConnectionBudget>) -> Self {
        Self(connection)
    }

    /// Bytes that the answers of one connection may hold.
    #[must_use]
    pub fn connection_bytes(&self) -> usize {
        self.0.server.most_of_connection
    }

    /// As [`reserve`](Self::reserve), where there is room at once.
    #[must_use]
    pub fn try_reserve(&self, bytes: usize) -> Option<Reservation> {
        self.try_add(bytes).ok()
    }

    /// Reserves `bytes` for an answer that is about to be made. It waits until the client of this connection took enough
    /// of its earlier answers: bound it by a time. `None` where the budget of the server stays used up, or was by this
    /// client, which took nothing: then the request is to be refused as `overloaded`, before anything was done.
    ///
    /// Put the reservation among the extensions of the response, in an [`Arc`]; the server counts on from there.
    pub async fn reserve(&self, bytes: usize) -> Option<Reservation> {
        let mut asks = ASKS;
        loop {
            let mut freed = std::pin::pin!(self.0.freed.notified());
            freed.as_mut().enable();
            self.0.anybody_waits.store(true, Ordering::SeqCst);
            match self.try_add(bytes) {
                Ok(reservation) => return Some(reservation),
                Err(Full::Connection) => freed.await,
                Err(Full::Refused) => {
                    self.0.server.gauges.refused();
                    return None;
                }
                Err(Full::Server) if asks == 0 => {
                    self.0.server.gauges.refused();
                    return None;
                }
                Err(Full::Server) => {
                    asks -= 1;
                    self.0.server.make_room(bytes);
                    sleep(ASK_AGAIN).await;
                }
            }
        }
    }

    fn try_add(&self, bytes: usize) -> Result<Reservation, Full> {
        self.0.try_add(bytes)?;
        Ok(Reservation {
            connection: Arc::clone(&self.0),
            bytes: AtomicUsize::new(bytes),
        })
    }
}

impl fmt::Debug for AnswerBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerBudget")
            .field("waiting", &self.0.waiting())
            .finish_non_exhaustive()
    }
}

/// Bytes of both budgets, until it is dropped.
pub struct Reservation {
    connection: Arc<ConnectionBudget>,
    bytes: AtomicUsize,
}

impl Reservation {
    /// Makes it as large as the answer has become; whether the server's budget has room for it. Where it has none, nothing
    /// changes.
    #[must_use]
    pub fn try_resize(&self, bytes: usize) -> bool {
        let before = self.bytes.load(Ordering::Acquire);
        if bytes > before {
            let more = bytes - before;
            let (server, others) = (&self.connection.server, self.others());
            // Alone on the server it may be as large as it is.
            if others > 0 && !server.gauges.try_add(more, server.most) {
                return false;
            }
            if others == 0 {
                server.gauges.add(more);
            }
            self.connection.waiting.fetch_add(more, Ordering::AcqRel);
            self.bytes.store(bytes, Ordering::Release);
        } else {
            self.resize(bytes);
        }
        true
    }

    /// Bytes that the others on this server hold.
    fn others(&self) -> usize {
        let all = self.connection.server.gauges.answer_bytes();
        all.saturating_sub(self.bytes.load(Ordering::Acquire))
    }

    /// Makes it as large as the answer has become, for an answer that must be given because something was done.
    pub fn resize(&self, bytes: usize) {
        let before = self.bytes.swap(bytes, Ordering::AcqRel);
        if bytes > before {
            self.connection.add(bytes - before);
        } else {
            self.connection.remove(before - bytes);
        }
    }

    /// Hands its bytes over to who counts on.
    pub(super) fn hand_over(&self) -> usize {
        self.bytes.swap(0, Ordering::AcqRel)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.connection.remove(self.hand_over());
    }
}

impl fmt::Debug for Reservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Reservation").field(&self.bytes).finish()
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
