//! The body of an answer, counted until its client has taken it, and handed over in pieces.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::PIECE_BYTES;
use super::budget::Reservation;
use super::stream::{Content, Piece, Stream};

/// Frames of up to so many bytes are one piece.
const WHOLE_BYTES: usize = 2 * PIECE_BYTES;

pin_project! {
    /// The body of an answer, as the HTTP library gets it.
    pub(crate) struct CountedBody<B> {
        #[pin]
        inner: B,
        // What is left of a large frame.
        rest: VecDeque<Bytes>,
        // `None` where nothing is counted.
        account: Option<Account>,
    }
}

impl<B: Body> CountedBody<B> {
    /// Of an answer that nobody needs to look after.
    pub(super) fn uncounted(inner: B) -> Self {
        Self {
            inner,
            rest: VecDeque::new(),
            account: None,
        }
    }

    /// Of an answer that counts from now on; `reserved` is what was reserved for it.
    pub(super) fn counted(
        inner: B,
        stream: Arc<Stream>,
        reserved: Option<Arc<Reservation>>,
    ) -> Self {
        let account = Account::new(stream, inner.size_hint().exact(), reserved);
        Self {
            inner,
            rest: VecDeque::new(),
            account: Some(account),
        }
    }
}

/// What a body counts.
struct Account {
    stream: Arc<Stream>,
    /// Bytes that count, and were not handed over.
    left: usize,
    /// Of a body of unknown length: whether it is made while it is taken, and waits for its client.
    follows_client: bool,
    /// For as long as a body of unknown length goes on.
    _reserved: Option<Arc<Reservation>>,
}

impl Account {
    fn new(stream: Arc<Stream>, exact: Option<u64>, reserved: Option<Arc<Reservation>>) -> Self {
        let left = exact.map_or(0, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        let keeps = if exact.is_some() {
            let had = reserved.map_or(0, |reserved| reserved.hand_over());
            if left > had {
                stream.connection.add(left - had);
            } else {
                stream.connection.remove(had - left);
            }
            None
        } else {
            reserved
        };
        Self {
            // HTTP/1.1 has one answer at a time, of which the library holds little.
            follows_client: exact.is_none() && stream.is_http2,
            stream,
            left,
            _reserved: keeps,
        }
    }

    /// Waits until more may be made.
    fn poll_more(&self, cx: &Context<'_>) -> Poll<()> {
        if self.follows_client {
            ready!(self.stream.poll_taken(cx));
            ready!(self.stream.connection.poll_room(cx));
        }
        Poll::Ready(())
    }

    /// A frame of so many bytes was made.
    fn made(&mut self, bytes: usize) {
        if bytes > self.left {
            self.stream.connection.add(bytes - self.left);
            self.left = bytes;
        }
    }

    fn hand<D>(&mut self, data: Content<D>, bytes: usize) -> Piece<D> {
        self.left -= bytes;
        self.stream.hand(data, bytes)
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.stream.connection.remove(self.left);
    }
}

impl<B: Body> Body for CountedBody<B> {
    type Data = Piece<B::Data>;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.project();
        let Some(account) = this.account else {
            let frame = ready!(this.inner.poll_frame(cx));
            return Poll::Ready(frame.map(|frame| Ok(frame?.map_data(Piece::uncounted))));
        };
        if let Some(part) = this.rest.pop_front() {
            let bytes = part.len();
            let piece = account.hand(Content::Part(part), bytes);
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        ready!(account.poll_more(cx));
        let Some(frame) = ready!(this.inner.poll_frame(cx)) else {
            return Poll::Ready(None);
        };
        Poll::Ready(Some(frame.map(|frame| {
            frame.map_data(|mut data| {
                let bytes = data.remaining();
                account.made(bytes);
                if bytes <= WHOLE_BYTES {
                    return account.hand(Content::Whole(data), bytes);
                }
                *this.rest = cut(data.copy_to_bytes(bytes));
                let first = this.rest.pop_front().unwrap_or_default();
                let bytes = first.len();
                account.hand(Content::Part(first), bytes)
            })
        })))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest: usize = self.rest.iter().map(Bytes::len).sum();
        let rest = rest as u64;
        let inner = self.inner.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower() + rest);
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

/// Cuts a large frame. A part of shared bytes keeps the whole of them, so that those which nobody else has are copied: each
/// piece is then freed by itself.
fn cut(mut all: Bytes) -> VecDeque<Bytes> {
    if all.is_unique() {
        return all
            .chunks(PIECE_BYTES)
            .map(Bytes::copy_from_slice)
            .collect();
    }
    let mut parts = VecDeque::with_capacity(all.len().div_ceil(PIECE_BYTES));
    while !all.is_empty() {
        parts.push_back(all.split_to(all.len().min(PIECE_BYTES)));
    }
    parts
}
