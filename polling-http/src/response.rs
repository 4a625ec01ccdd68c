//! Answers: the body type that all of them share, and the few shapes that they have.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderValue, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use polling_core::StoreError;
use serde::Serialize;

use crate::problem::Problem;
use crate::server::PIECE_BYTES;

/// An answer.
pub(crate) type Response = http::Response<ResponseBody>;

/// What a handler gives: an answer, or what went wrong.
pub(crate) type Answer = Result<Response, Problem>;

/// The body of an answer: bytes that are all there, or pieces that come one after the other, as of an event
/// stream.
#[derive(Default)]
pub struct ResponseBody(Kind);

#[derive(Default)]
enum Kind {
    #[default]
    Empty,
    Whole(Bytes),
    /// Pieces that are all there, each freed by itself.
    List(VecDeque<Bytes>),
    Pieces(Pin<Box<dyn Stream<Item = Bytes> + Send>>),
}

impl ResponseBody {
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        if bytes.is_empty() {
            Self(Kind::Empty)
        } else {
            Self(Kind::Whole(bytes))
        }
    }

    pub(crate) fn pieces(stream: impl Stream<Item = Bytes> + Send + 'static) -> Self {
        Self(Kind::Pieces(Box::pin(stream)))
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let data = match &mut self.0 {
            Kind::Empty => None,
            Kind::Whole(bytes) => Some(std::mem::take(bytes)),
            Kind::List(list) => {
                let piece = list.pop_front();
                if list.is_empty() {
                    self.0 = Kind::Empty;
                }
                return Poll::Ready(piece.map(|bytes| Ok(Frame::data(bytes))));
            }
            Kind::Pieces(stream) => {
                return stream
                    .as_mut()
                    .poll_next(cx)
                    .map(|event| event.map(|bytes| Ok(Frame::data(bytes))));
            }
        };
        self.0 = Kind::Empty;
        Poll::Ready(data.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.0, Kind::Empty)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::List(list) => {
                let bytes: usize = list.iter().map(Bytes::len).sum();
                SizeHint::with_exact(bytes as u64)
            }
            Kind::Pieces(_) => SizeHint::default(),
        }
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::Empty => "ResponseBody(empty)",
            Kind::Whole(_) => "ResponseBody(bytes)",
            Kind::List(_) | Kind::Pieces(_) => "ResponseBody(pieces)",
        })
    }
}

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// `value` as JSON.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Answer {
    let mut writer = PieceWriter::with_capacity(128);
    serde_json::to_writer(&mut writer, value).map_err(StoreError::internal)?;
    Ok(json_body(status, writer.into_body()))
}

/// What is JSON already.
pub(crate) fn json_bytes(status: StatusCode, bytes: impl Into<Bytes>) -> Response {
    json_body(status, ResponseBody::whole(bytes))
}

/// The same, in pieces.
pub(crate) fn json_body(status: StatusCode, body: ResponseBody) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

/// No body at all.
pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}

/// Writes an answer whose size nobody knows before: small ones are one buffer, large ones a list of pieces.
#[derive(Default)]
pub(crate) struct PieceWriter {
    full: VecDeque<Bytes>,
    last: Vec<u8>,
}

impl PieceWriter {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self {
            full: VecDeque::new(),
            last: Vec::with_capacity(bytes.min(PIECE_BYTES)),
        }
    }

    /// Where to write something small, at the end.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        if self.last.len() >= PIECE_BYTES {
            self.next_piece();
        }
        &mut self.last
    }

    fn next_piece(&mut self) {
        let full = std::mem::replace(&mut self.last, Vec::with_capacity(PIECE_BYTES));
        self.full.push_back(full.into());
    }

    pub(crate) fn into_body(mut self) -> ResponseBody {
        if self.full.is_empty() {
            return ResponseBody::whole(self.last);
        }
        if !self.last.is_empty() {
            self.full.push_back(self.last.into());
        }
        ResponseBody(Kind::List(self.full))
    }
}

impl io::Write for PieceWriter {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    #[inline]
    fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while self.last.len() + bytes.len() > PIECE_BYTES {
            let (fits, more) = bytes.split_at(PIECE_BYTES.saturating_sub(self.last.len()));
            self.last.extend_from_slice(fits);
            self.next_piece();
            bytes = more;
        }
        self.last.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::FutureExt;
    use http_body_util::BodyExt;

    use super::*;

    fn pieces(body: ResponseBody) -> Vec<Bytes> {
        let mut body = pin!(body);
        let mut pieces = Vec::new();
        while let Some(Some(Ok(frame))) = body.frame().now_or_never() {
            pieces.extend(frame.into_data());
        }
        pieces
    }

    #[test]
    fn a_small_answer_is_one_piece_and_a_large_one_many_that_are_freed_one_by_one() {
        for length in [2, PIECE_BYTES, PIECE_BYTES + 1, 5 * PIECE_BYTES + 7] {
            let text: String = ('a'..='z').cycle().take(length - 2).collect();
            let answer = json(StatusCode::OK, &text).ok().unwrap().into_body();
            let expected = serde_json::to_vec(&text).unwrap();
            assert_eq!(answer.size_hint().exact(), Some(expected.len() as u64));
            let pieces = pieces(answer);
            assert_eq!(pieces.len(), expected.len().div_ceil(PIECE_BYTES));
            assert!(pieces.iter().all(|piece| piece.len() <= PIECE_BYTES));
            assert!(pieces.iter().all(Bytes::is_unique));
            assert_eq!(pieces.concat(), expected);
        }
    }
}
