//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use http_body::Body;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::Builder;
use polling_core::Cause;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower_service::Service;

use super::answers::{ConnectionBudget, Counted, StreamExecutor};
use super::in_use::noted;
use super::places::Place;
use super::wire::{Heard, Wire};
use crate::problem::{self, Problem};

/// How long the last words to a slow client may take.
const LAST_WORDS: Duration = Duration::from_secs(1);

pub(super) struct Connection<S> {
    pub(super) stream: TcpStream,
    pub(super) place: Arc<Place>,
    pub(super) service: S,
    pub(super) builder: Builder<StreamExecutor>,
    pub(super) answers: Arc<ConnectionBudget>,
    pub(super) header_read_timeout: Duration,
    pub(super) write_timeout: Duration,
    /// Cancelled when no more requests shall be taken.
    pub(super) leave: CancellationToken,
    /// Cancelled when the connection shall be closed at once.
    pub(super) abort: CancellationToken,
}

/// What may happen to a connection from outside.
enum Signal {
    Leave,
    Abort,
    VersionIsLate,
    /// Somebody else wants the place.
    GiveWay,
}

fn told(token: CancellationToken, signal: Signal) -> BoxFuture<'static, Signal> {
    token.cancelled_owned().map(|()| signal).boxed()
}

/// Why a connection ended.
enum Ended {
    ByItself,
    /// The head of a request did not come in time.
    HeadTooSlow,
}

impl<S, B> Connection<S>
where
    S: Service<http::Request<Incoming>, Response = http::Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Cause>,
{
    pub(super) async fn run(self) {
        // Answers are small and wanted at once. Where it cannot be set they are a little later.
        let _ = self.stream.set_nodelay(true);
        let (wire, heard, handed_back) =
            Wire::new(self.stream, Arc::clone(&self.place), self.write_timeout);
        let activity = self.place.activity();
        let service = Counted::new(self.service, self.answers);
        let service = noted(service, Arc::clone(activity));
        let first_words = self.header_read_timeout;
        let wanted = || Arc::clone(activity).wanted().map(|()| Signal::GiveWay);
        let ended = {
            let io = TokioIo::new(wire);
            let serving = self.builder.serve_connection_with_upgrades(io, service);
            let mut serving = pin!(serving);
            // This is polled for every request: what else may happen is looked at only when it did.
            let mut signals = FuturesUnordered::from_iter([
                told(self.leave, Signal::Leave),
                told(self.abort, Signal::Abort),
                // The library starts its own timer only when it knows which version is spoken.
                sleep(first_words).map(|()| Signal::VersionIsLate).boxed(),
                wanted().boxed(),
            ]);
            loop {
                tokio::select! {
                    biased;
                    result = serving.as_mut() => break outcome(result),
                    Some(signal) = signals.next() => match signal {
                        Signal::Leave => serving.as_mut().graceful_shutdown(),
                        Signal::Abort => return,
                        Signal::GiveWay => {
                            // A request that has arrived and was not read yet is read.
                            yield_now().await;
                            let has_ended = serving.as_mut().now_or_never().is_some();
                            if has_ended {
                                return;
                            }
                            if activity.is_idle() && !heard.is_stalled() {
                                // Where the protocol has a word for it, it is said.
                                serving.as_mut().graceful_shutdown();
                                let _ = serving.as_mut().now_or_never();
                                return;
                            }
                            self.place.is_kept();
                            signals.push(wanted().boxed());
                        }
                        Signal::VersionIsLate if heard.version_is_known() => {}
                        Signal::VersionIsLate => break Ended::HeadTooSlow,
                    },
                }
            }
        };
        if matches!(ended, Ended::HeadTooSlow)
            && heard.waits_for_an_answer()
            && let Ok(stream) = handed_back.await
        {
            refuse(stream, &heard).await;
        }
    }
}

fn outcome(result: Result<(), Cause>) -> Ended {
    let Err(error) = result else {
        return Ended::ByItself;
    };
    match error.downcast_ref::<hyper::Error>() {
        Some(error) if error.is_timeout() => Ended::HeadTooSlow,
        _ => {
            // Clients leave as they like.
            tracing::debug!(error = problem::chain(&*error), "a connection broke off");
            Ended::ByItself
        }
    }
}

/// The library closes the connection without a word; the client shall know why.
async fn refuse(mut stream: TcpStream, heard: &Heard) {
    debug_assert!(heard.waits_for_an_answer());
    let body = Problem::timeout().json();
    let head = format!(
        "HTTP/1.1 408 Request Timeout\r\ncontent-type: application/problem+json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let message = [head.as_bytes(), &body].concat();
    let say = async {
        stream.write_all(&message).await?;
        stream.shutdown().await
    };
    // A client that does not listen cannot be told.
    let _ = timeout(LAST_WORDS, say).await;
}
