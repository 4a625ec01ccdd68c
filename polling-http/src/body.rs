//! The body of a request: read within its bounds, and what nobody wants of it thrown away.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures_util::FutureExt;
use http::{HeaderMap, header};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::task::coop::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until, timeout, timeout_at};

use crate::budget::{Held, SMALL_BYTES, Stretch};
#[cfg(feature = "accounts")]
use crate::pieces::Pieces;
use crate::problem::Problem;
#[cfg(feature = "accounts")]
use crate::settings::HttpSettings;

/// The body of a request, as far as it was not read yet.
pub(crate) struct RequestBody<B> {
    /// `None` where there is nothing more to come.
    rest: Option<Pin<Box<B>>>,
    /// The client waits to be told before it sends the body; reading is what tells it.
    waits_to_send: bool,
}

impl<B> RequestBody<B>
where
    B: Body + Send + 'static,
{
    pub(crate) fn new(body: B, headers: &HeaderMap) -> Self {
        let expect = headers.get(header::EXPECT).map(http::HeaderValue::as_bytes);
        Self {
            waits_to_send: expect
                .is_some_and(|expect| expect.eq_ignore_ascii_case(b"100-continue")),
            rest: (!body.is_end_stream()).then(|| Box::pin(body)),
        }
    }

    /// Whether the body fits, by what the client says of it.
    ///
    /// # Errors
    /// `too_large` for more than `most`.
    pub(crate) fn fits(&self, most: usize) -> Result<(), Problem> {
        match &self.rest {
            Some(body) if body.size_hint().lower() > most as u64 => Err(Problem::too_large(most)),
            _ => Ok(()),
        }
    }

    /// Whether it costs less to ask whether the caller may send this body than to read it first: where the client waits to be
    /// told, and where the body is not known to be small.
    pub(crate) fn is_worth_asking(&self) -> bool {
        self.rest.as_ref().is_some_and(|body| {
            let upper = body.size_hint().upper();
            self.waits_to_send || upper.is_none_or(|bytes| bytes > SMALL_BYTES as u64)
        })
    }

    /// The whole body, which [fits](Self::fits), as far as is known; `held` is what it holds of the budget.
    ///
    /// # Errors
    /// `too_large` for one byte more than `most`; `timeout` where its end has not come by `deadline`, or it comes too slowly;
    /// `overloaded` where there is no room for it; `invalid` where the transport broke it.
    pub(crate) async fn read(
        &mut self,
        most: usize,
        deadline: Pin<&mut Sleep>,
        held: &mut Held,
    ) -> Result<Bytes, Problem> {
        let Some(body) = &mut self.rest else {
            return Ok(Bytes::new());
        };
        self.waits_to_send = false;
        match before(deadline, collect(body, most, held)).await {
            None | Some(Err(Stopped::TooSlow)) => Err(Problem::timeout()),
            Some(Err(Stopped::TooLarge)) => Err(Problem::too_large(most)),
            Some(Err(Stopped::NoRoom)) => Err(Problem::no_room()),
            Some(Err(Stopped::Broken)) => {
                self.rest = None;
                Err(Problem::unreadable("the body broke off"))
            }
            Some(Ok(bytes)) => {
                self.rest = None;
                held.complete();
                Ok(bytes)
            }
        }
    }

    /// Hands the body to somebody who reads it piece by piece, and throws away what that one leaves.
    #[cfg(feature = "accounts")]
    pub(crate) fn pieces(&mut self, settings: &HttpSettings, deadline: Instant) -> Pieces {
        Pieces::new(self.rest.take(), self.waits_to_send, settings, deadline)
    }

    /// Reads what is left, and throws it away, while the answer is on its way: else the connection would be closed with
    /// bytes unread, and a client that writes before it reads would never see the answer.
    pub(crate) fn throw_away(self, bytes: u64, time: Duration) {
        if let Some(rest) = self.rest
            && !self.waits_to_send
        {
            throw_away(rest, bytes, time);
        }
    }
}

pub(crate) fn throw_away<B: Body + Send + 'static>(
    mut rest: Pin<Box<B>>,
    bytes: u64,
    time: Duration,
) {
    let discard = async move {
        let mut left = bytes;
        while left > 0
            && let Some(Ok(frame)) = rest.frame().await
        {
            let read = frame.data_ref().map_or(0, Buf::remaining);
            left = left.saturating_sub(read as u64);
        }
    };
    let mut discard = Box::pin(timeout(time, discard));
    // Mostly it is there already. Else the task ends by itself, soon: it has both bounds.
    if discard.as_mut().now_or_never().is_none() {
        tokio::spawn(discard);
    }
}

/// When a request that began then has had so much time.
pub(crate) fn deadline(began: Instant, length: Duration) -> Sleep {
    sleep_until(began + length)
}

/// What `work` gives; `None` where it is not done when the deadline is there.
pub(crate) async fn before<T>(
    deadline: Pin<&mut Sleep>,
    work: impl Future<Output = T>,
) -> Option<T> {
    tokio::select! {
        biased;
        done = work => Some(done),
        // Work that never waits has no budget left for a timer.
        () = unconstrained(deadline) => None,
    }
}

/// Pieces up to so many bytes are copied. They are part of the connection's read buffer: who keeps one makes the HTTP
/// library get itself a new buffer of 8 KiB, for each request.
const COPIED_BYTES: usize = 2048;

enum Stopped {
    TooLarge,
    TooSlow,
    NoRoom,
    Broken,
}

async fn collect<B: Body>(
    body: &mut Pin<Box<B>>,
    most: usize,
    held: &mut Held,
) -> Result<Bytes, Stopped> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    let mut stretch = Stretch::of(held);
    loop {
        let arrived = first.len().max(all.len());
        let next = poll_fn(|cx| {
            let frame = body.as_mut().poll_frame(cx).map(Ok);
            if frame.is_pending() {
                // What waits is counted, and keeps no buffer of the connection.
                if all.is_empty() && arrived > COPIED_BYTES {
                    all.extend_from_slice(&first);
                    first = Bytes::new();
                }
                if !held.raise(arrived) {
                    return Poll::Ready(Err(Stopped::NoRoom));
                }
            }
            frame
        });
        let frame = if arrived > SMALL_BYTES {
            let end = stretch.end(arrived);
            timeout_at(end, next).await.unwrap_or(Err(Stopped::TooSlow))
        } else {
            next.await
        };
        let Some(frame) = frame? else { break };
        let Ok(mut data) = frame.map_err(|_| Stopped::Broken)?.into_data() else {
            continue;
        };
        let length = data.remaining();
        if arrived + length > most {
            return Err(Stopped::TooLarge);
        }
        let is_large = arrived + length > SMALL_BYTES;
        if is_large && !held.raise(arrived + length) {
            return Err(Stopped::NoRoom);
        }
        if first.is_empty() && all.is_empty() {
            // Most bodies are one piece.
            first = if length <= COPIED_BYTES {
                let mut copy = BytesMut::with_capacity(length);
                copy.put(data);
                copy.freeze()
            } else {
                data.copy_to_bytes(length)
            };
        } else {
            if all.is_empty() {
                all.extend_from_slice(&first);
                first = Bytes::new();
            }
            all.put(data);
        }
        if body.is_end_stream() {
            break;
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http::StatusCode;
    use http_body::Frame;
    use http_body_util::{Full, StreamBody};

    use std::pin::pin;

    use super::*;
    use crate::budget::BodyBudget;
    use crate::settings::HttpSettings;

    const LONG: Duration = Duration::from_secs(60);

    fn pieces<T: Into<Result<&'static str, &'static str>>>(
        pieces: Vec<T>,
    ) -> RequestBody<impl Body<Data = Bytes, Error = &'static str> + Send> {
        let frames = pieces.into_iter().map(|piece| {
            piece
                .into()
                .map(|text| Frame::data(Bytes::from_static(text.as_bytes())))
        });
        let frames: Vec<_> = frames.collect();
        RequestBody::new(StreamBody::new(stream::iter(frames)), &HeaderMap::new())
    }

    async fn read<B>(body: &mut RequestBody<B>, most: usize) -> Result<Bytes, Problem>
    where
        B: Body + Send + 'static,
    {
        let mut held = Held::of(&BodyBudget::new(&HttpSettings::default()));
        let deadline = pin!(deadline(Instant::now(), LONG));
        body.read(most, deadline, &mut held).await
    }

    fn status(problem: Problem) -> StatusCode {
        problem.into_response(LONG).status()
    }

    #[tokio::test]
    async fn a_body_in_pieces_is_read_whole() {
        for parts in [
            vec![],
            vec![Ok("abc")],
            vec![Ok("a"), Ok(""), Ok("bc"), Ok("d")],
        ] {
            let whole: String = parts.iter().flatten().copied().collect();
            let read = read(&mut pieces(parts), 100).await;
            assert_eq!(read.unwrap(), whole.as_bytes());
        }
    }

    #[tokio::test]
    async fn the_bound_itself_fits_and_one_byte_more_does_not() {
        let read = async |most| read(&mut pieces(vec![Ok("abc"), Ok("def")]), most).await;
        assert_eq!(read(6).await.unwrap(), "abcdef");
        assert_eq!(status(read(5).await.unwrap_err()), 413);
        assert_eq!(status(read(2).await.unwrap_err()), 413);
    }

    #[tokio::test]
    async fn a_body_that_says_to_be_too_large_is_not_read() {
        let mut headers = HeaderMap::new();
        headers.insert(header::EXPECT, "100-continue".parse().unwrap());
        let mut body = RequestBody::new(Full::new(Bytes::from_static(b"abc")), &headers);
        assert_eq!(status(body.fits(2).unwrap_err()), 413);
        assert!(body.is_worth_asking());
        assert!(body.fits(3).is_ok());
        assert_eq!(read(&mut body, 3).await.unwrap(), "abc");
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_a_bad_request() {
        let mut body = pieces(vec![Ok("abc"), Err("reset")]);
        let problem = read(&mut body, 10).await.unwrap_err();
        assert_eq!(status(problem), 400);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_a_timeout() {
        let silent = StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>());
        let mut body = RequestBody::new(silent, &HeaderMap::new());
        let problem = read(&mut body, 10).await.unwrap_err();
        assert_eq!(status(problem), 408);
    }

    #[test]
    fn only_what_may_be_large_or_was_not_sent_yet_is_worth_asking_first() {
        let body = |length: usize| Full::new(Bytes::from(vec![b' '; length]));
        let is_worth = |length| RequestBody::new(body(length), &HeaderMap::new()).is_worth_asking();
        assert!(!is_worth(0) && !is_worth(SMALL_BYTES) && is_worth(SMALL_BYTES + 1));
        assert!(pieces(vec![Ok("of unknown length")]).is_worth_asking());
    }

    #[tokio::test(start_paused = true)]
    async fn a_large_body_that_trickles_is_a_timeout_long_before_its_deadline() {
        let began = Instant::now();
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        let mut next = Bytes::from(vec![b' '; SMALL_BYTES + 1]);
        let trickle = stream::poll_fn(move |cx| {
            ticks.poll_tick(cx).map(|_| {
                let piece = std::mem::replace(&mut next, Bytes::from_static(b" "));
                Some(Ok::<_, Infallible>(Frame::data(piece)))
            })
        });
        let mut body = RequestBody::new(StreamBody::new(trickle), &HeaderMap::new());
        let problem = read(&mut body, 1_000_000).await.unwrap_err();
        assert_eq!(status(problem), 408);
        assert!(began.elapsed() < LONG / 10, "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn throwing_away_ends_by_bytes_and_by_time() {
        let (ended, mut end) = tokio::sync::mpsc::channel::<()>(1);
        let endless = stream::repeat_with(move || {
            let _held = &ended;
            Ok::<_, Infallible>(Frame::data(Bytes::from_static(&[0; 1024])))
        });
        RequestBody::new(StreamBody::new(endless), &HeaderMap::new()).throw_away(4096, LONG);
        assert_eq!(end.recv().await, None);

        let (ended, mut end) = tokio::sync::mpsc::channel::<()>(1);
        let silent = stream::poll_fn(move |_| {
            let _held = &ended;
            Poll::<Option<Result<Frame<Bytes>, Infallible>>>::Pending
        });
        RequestBody::new(StreamBody::new(silent), &HeaderMap::new()).throw_away(4096, LONG);
        assert_eq!(end.recv().await, None);
    }
}
