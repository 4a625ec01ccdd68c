//! Answers: the body type that all of them share, and the few shapes that they have.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderValue, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use polling_core::StoreError;
use serde::Serialize;

use crate::problem::Problem;

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
            Kind::Pieces(_) => SizeHint::default(),
        }
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::Empty => "ResponseBody(empty)",
            Kind::Whole(_) => "ResponseBody(bytes)",
            Kind::Pieces(_) => "ResponseBody(pieces)",
        })
    }
}

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// `value` as JSON.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Answer {
    let bytes = serde_json::to_vec(value).map_err(StoreError::internal)?;
    Ok(json_bytes(status, bytes))
}

/// What is JSON already.
pub(crate) fn json_bytes(status: StatusCode, bytes: impl Into<Bytes>) -> Response {
    let mut response = Response::new(ResponseBody::whole(bytes));
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
