//! A body that is read piece by piece, while what came before is worked on. Whoever sends it holds something of the server as
//! long as that lasts, and so gets so much time and no more: for each piece, and for all of it.

use std::pin::Pin;
use std::time::Duration;

use bytes::{Buf, Bytes};
use http_body::Body;
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use tokio::time::{Instant, timeout_at};

use crate::body::throw_away;
use crate::problem::Problem;
use crate::settings::HttpSettings;

/// The body of an endpoint that takes rows.
pub(crate) struct Pieces {
    /// `None` where there is nothing more to come.
    rest: Option<UnsyncBoxBody<Bytes, Broken>>,
    /// How long the client says that it is.
    said: u64,
    read: usize,
    most: usize,
    /// When the answer must begin.
    deadline: Instant,
    /// How long a piece may take to come.
    patience: Duration,
    /// How long all that are still to come may be waited for. What is done with them takes nothing of it.
    left: Duration,
    waits_to_send: bool,
    /// How much is thrown away, and for how long.
    drain: (u64, Duration),
}

/// The transport broke the body.
struct Broken;

impl Pieces {
    /// Those of a body of which nothing was read, for a request that must be answered by `deadline`.
    pub(crate) fn new<B>(
        body: Option<Pin<Box<B>>>,
        waits_to_send: bool,
        settings: &HttpSettings,
        deadline: Instant,
    ) -> Self
    where
        B: Body + Send + 'static,
    {
        let said = body.as_ref().map_or(0, |body| body.size_hint().lower());
        let whole = |mut data: B::Data| data.copy_to_bytes(data.remaining());
        let rest = body.map(|body| {
            let pieces = body.map_frame(move |frame| frame.map_data(whole));
            UnsyncBoxBody::new(pieces.map_err(|_| Broken))
        });
        Self {
            rest,
            said,
            read: 0,
            most: settings.import_body_bytes,
            deadline,
            patience: settings.request_timeout,
            left: settings.import_body_time,
            waits_to_send,
            drain: (settings.drain_bytes, settings.drain_time),
        }
    }

    /// Whether the body fits, by what the client says of it.
    ///
    /// # Errors
    /// `too_large`.
    pub(crate) fn fits(&self) -> Result<(), Problem> {
        if self.said > self.most as u64 {
            return Err(Problem::too_large(self.most));
        }
        Ok(())
    }

    /// The next piece, before the answer begins; `None` at the end.
    ///
    /// # Errors
    /// As of [`next`](Self::next).
    pub(crate) async fn first(&mut self) -> Result<Option<Bytes>, Problem> {
        self.next_by(self.deadline).await
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// `too_large` where the bound is passed, `timeout` where nothing comes or all of it takes too long, `invalid` where the
    /// transport broke it.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        self.next_by(Instant::now() + self.patience).await
    }

    async fn next_by(&mut self, deadline: Instant) -> Result<Option<Bytes>, Problem> {
        self.waits_to_send = false;
        let began = Instant::now();
        let deadline = deadline.min(began + self.left);
        while let Some(rest) = &mut self.rest {
            let frame = timeout_at(deadline, rest.frame()).await;
            let frame = frame.map_err(|_| Problem::timeout())?;
            match frame {
                None => self.rest = None,
                Some(Err(Broken)) => {
                    self.rest = None;
                    return Err(Problem::unreadable("the body broke off"));
                }
                Some(Ok(frame)) => {
                    let piece = frame.into_data().unwrap_or_default();
                    self.read += piece.len();
                    if self.read > self.most {
                        return Err(Problem::too_large(self.most));
                    }
                    if !piece.is_empty() {
                        self.left = self.left.saturating_sub(began.elapsed());
                        return Ok(Some(piece));
                    }
                }
            }
        }
        Ok(None)
    }
}

impl Drop for Pieces {
    fn drop(&mut self) {
        // While the runtime ends there is nobody left to read.
        if let Some(rest) = self.rest.take()
            && !self.waits_to_send
            && tokio::runtime::Handle::try_current().is_ok()
        {
            throw_away(Box::pin(rest), self.drain.0, self.drain.1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::{Stream, StreamExt, stream};
    use http::StatusCode;
    use http_body::Frame;
    use http_body_util::StreamBody;
    use tokio::time::{advance, interval_at};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    fn pieces<S>(stream: S) -> Pieces
    where
        S: Stream<Item = &'static str> + Send + 'static,
    {
        let settings = HttpSettings {
            request_timeout: PATIENCE,
            import_body_time: 3 * PATIENCE,
            ..HttpSettings::default()
        };
        let frames = stream.map(|text| Frame::data(Bytes::from_static(text.as_bytes())));
        let body = StreamBody::new(frames.map(Ok::<_, Infallible>));
        let deadline = Instant::now() + PATIENCE;
        Pieces::new(Some(Box::pin(body)), false, &settings, deadline)
    }

    /// A piece after each such time.
    fn dripping(text: &'static str, pause: Duration) -> impl Stream<Item = &'static str> + Send {
        let pauses = interval_at(Instant::now() + pause, pause);
        stream::unfold(pauses, move |mut pauses| async move {
            pauses.tick().await;
            Some((text, pauses))
        })
    }

    async fn read(pieces: &mut Pieces) -> Result<usize, StatusCode> {
        let mut read = 0;
        loop {
            match pieces.next().await {
                Ok(Some(_)) => read += 1,
                Ok(None) => return Ok(read),
                Err(problem) => return Err(problem.into_response(PATIENCE).status()),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_piece_that_does_not_come_is_a_timeout() {
        let mut silent = pieces(stream::pending());
        assert_eq!(read(&mut silent).await, Err(StatusCode::REQUEST_TIMEOUT));
        let began = Instant::now();
        assert!(silent.first().await.is_err(), "its time was over already");
        assert_eq!(began.elapsed(), Duration::ZERO);
        // Frames with nothing in them are no pieces.
        let mut empty = pieces(dripping("", PATIENCE / 10));
        let began = Instant::now();
        assert_eq!(read(&mut empty).await, Err(StatusCode::REQUEST_TIMEOUT));
        assert_eq!(began.elapsed(), PATIENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_sends_on_and_on_is_waited_for_so_long_and_no_more() {
        let began = Instant::now();
        let mut slow = pieces(dripping("x", PATIENCE / 2).take(100));
        assert_eq!(read(&mut slow).await, Err(StatusCode::REQUEST_TIMEOUT));
        assert_eq!(began.elapsed(), 3 * PATIENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_that_the_rows_take_is_not_the_clients() {
        let mut pieces = pieces(dripping("x", PATIENCE / 2).take(5));
        let mut read = 0;
        while pieces.next().await.is_ok_and(|piece| piece.is_some()) {
            read += 1;
            advance(10 * PATIENCE).await;
        }
        assert_eq!(read, 5);
        assert!(pieces.next().await.is_ok_and(|piece| piece.is_none()));
    }
}
