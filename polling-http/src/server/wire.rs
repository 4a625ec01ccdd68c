//! A TCP stream that notices what the HTTP library does not: whether half a request was heard, and whether the client
//! has stopped to read. It hands the socket back when the library lets go of it, so that there can be last words.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::{Sleep, sleep};

use super::places::Place;

/// What a client of HTTP/2 says first (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(super) struct Wire {
    /// Always there, until it is dropped.
    stream: Option<TcpStream>,
    /// How much of the preface was heard, while it may still become one.
    preface: Option<usize>,
    heard: Arc<Heard>,
    /// Also after an upgrade the socket takes its place.
    _place: Arc<Place>,
    hand_back: Option<oneshot::Sender<TcpStream>>,
    write_timeout: Duration,
    /// Runs while the client takes nothing of what is written.
    stalled: Option<Pin<Box<Sleep>>>,
}

/// What was heard on a wire.
#[derive(Debug, Default)]
pub(super) struct Heard {
    version_known: AtomicBool,
    speaks_http2: AtomicBool,
    /// Something was read since something was written.
    asked: AtomicBool,
    /// The client does not take what is written.
    stalled: AtomicBool,
}

impl Heard {
    pub(super) fn version_is_known(&self) -> bool {
        self.version_known.load(Ordering::Relaxed)
    }

    /// Whether something waits for the client to read it.
    pub(super) fn is_stalled(&self) -> bool {
        self.stalled.load(Ordering::Relaxed)
    }

    /// Whether the client has begun to ask in HTTP/1, and heard nothing since.
    pub(super) fn waits_for_an_answer(&self) -> bool {
        self.asked.load(Ordering::Relaxed) && !self.speaks_http2.load(Ordering::Relaxed)
    }
}

impl Wire {
    /// The socket comes back through the receiver when the wire is dropped.
    pub(super) fn new(
        stream: TcpStream,
        place: Arc<Place>,
        write_timeout: Duration,
    ) -> (Self, Arc<Heard>, oneshot::Receiver<TcpStream>) {
        let heard = Arc::new(Heard::default());
        let (hand_back, handed_back) = oneshot::channel();
        let wire = Self {
            stream: Some(stream),
            preface: Some(0),
            heard: Arc::clone(&heard),
            _place: place,
            hand_back: Some(hand_back),
            write_timeout,
            stalled: None,
        };
        (wire, heard, handed_back)
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        let stream = self.stream.as_mut().map(Pin::new);
        stream.ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    fn hear(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.heard.asked.store(true, Ordering::Relaxed);
        let Some(at) = self.preface else { return };
        let expected = &PREFACE[at..];
        let length = expected.len().min(bytes.len());
        let agrees = expected[..length] == bytes[..length];
        let whole = length == expected.len();
        if agrees && !whole {
            self.preface = Some(at + length);
            return;
        }
        self.preface = None;
        self.heard.version_known.store(true, Ordering::Relaxed);
        self.heard.speaks_http2.store(agrees, Ordering::Relaxed);
    }
}

impl Wire {
    /// Passes on what became of writing, unless nothing does for too long.
    fn written(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            if self.stalled.take().is_some() {
                self.heard.stalled.store(false, Ordering::Relaxed);
            }
            return written;
        }
        self.heard.stalled.store(true, Ordering::Relaxed);
        let write_timeout = self.write_timeout;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(sleep(write_timeout)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if let (Some(stream), Some(hand_back)) = (self.stream.take(), self.hand_back.take()) {
            // Mostly nobody waits for it, and it is closed.
            let _ = hand_back.send(stream);
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = self.stream()?.poll_read(cx, buf);
        let read = buf.filled().len() - before;
        if read > 0 {
            self.hear(&buf.filled()[before..]);
        }
        result
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.heard.asked.store(false, Ordering::Relaxed);
        let written = self.stream()?.poll_write(cx, buf);
        self.written(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.heard.asked.store(false, Ordering::Relaxed);
        let written = self.stream()?.poll_write_vectored(cx, bufs);
        self.written(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream
            .as_ref()
            .is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(cx)
    }
}
