//! A stream that counts what its client takes, and reads ahead while there is much to read.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes that are read at once from a client that sends much.
const READ_AHEAD: usize = 16 * 1024;

/// Counts the bytes that were taken: who takes few is not who takes none, and the WebSocket above does not tell them
/// apart.
///
/// The WebSocket's own read buffer is small, because each of many silent viewers has one. A client that votes and votes
/// fills it again and again, with a system call each time: for as long as it does, it is given a larger one.
#[derive(Debug)]
pub(crate) struct Counted<S> {
    stream: S,
    taken: u64,
    /// What was read last filled all the room there was: there may be more.
    filled: bool,
    ahead: Option<Ahead>,
}

/// Bytes that were read, and not asked for yet.
#[derive(Debug)]
struct Ahead {
    bytes: Box<[u8]>,
    unread: std::ops::Range<usize>,
}

impl<S> Counted<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            taken: 0,
            filled: false,
            ahead: None,
        }
    }

    /// Bytes that were taken so far.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }
}

impl<S: AsyncRead + Unpin> Counted<S> {
    /// Reads as much as there is room for ahead; none is kept when there is nothing to read.
    fn poll_ahead(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut bytes = match self.ahead.take() {
            Some(ahead) => ahead.bytes,
            None => vec![0; READ_AHEAD].into(),
        };
        let mut buf = ReadBuf::new(&mut bytes);
        // Whatever comes of it, who reads next looks again.
        self.filled = false;
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buf))?;
        let read = buf.filled().len();
        self.filled = read > 0;
        self.ahead = Some(Ahead {
            bytes,
            unread: 0..read,
        });
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let is_empty = |ahead: &Option<Ahead>| match ahead {
            Some(ahead) => ahead.unread.is_empty(),
            None => true,
        };
        if is_empty(&self.ahead) {
            if !self.filled {
                let result = Pin::new(&mut self.stream).poll_read(cx, buf);
                self.filled = buf.remaining() == 0;
                return result;
            }
            ready!(self.poll_ahead(cx))?;
        }
        if let Some(ahead) = &mut self.ahead {
            let length = ahead.unread.len().min(buf.remaining());
            let from = ahead.unread.start;
            buf.put_slice(&ahead.bytes[from..from + length]);
            ahead.unread.start += length;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    // The WebSocket writes from one buffer: the default, which makes one write of a vectored one, is good enough.
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        self.taken += written as u64;
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn everything_is_read_in_order_and_room_is_kept_only_while_there_is_much() {
        let sent: Vec<u8> = (0..100_000_u32).map(|at| (at % 251) as u8).collect();
        for (pipe, piece) in [(1 << 20, 1024), (1 << 20, 7), (3000, 1024), (100, 1024)] {
            let (mut client, server) = duplex(pipe);
            let mut counted = Counted::new(server);
            let mut read = Vec::new();
            let write = async {
                client.write_all(&sent).await.unwrap();
                client
            };
            let take = async {
                while read.len() < sent.len() {
                    let mut buf = vec![0; piece];
                    let length = counted.read(&mut buf).await.unwrap();
                    assert!(length > 0);
                    read.extend_from_slice(&buf[..length]);
                }
            };
            let (mut client, ()) = tokio::join!(write, take);
            assert!(read == sent, "in pieces of {piece} through {pipe}");

            // A byte now and then needs no room.
            for byte in 0..3 {
                let next = counted.read_u8();
                let (next, sent) = tokio::join!(next, client.write_u8(byte));
                sent.unwrap();
                assert_eq!(next.unwrap(), byte);
            }
            assert!(counted.ahead.is_none());
            drop(client);
            assert_eq!(counted.read(&mut [0; 8]).await.unwrap(), 0);
            assert_eq!(counted.read(&mut [0; 8]).await.unwrap(), 0);
        }
    }
}
