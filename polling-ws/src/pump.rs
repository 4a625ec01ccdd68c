//! One connection's loop: whatever is ready goes to the session, and what the session says goes out.
//!
//! Everything is pulled: nothing is asked of subscriptions and votes while the client does not take what there is for it.
//! So no queue grows, a slow viewer skips to the newest results, and one that votes faster than it reads its answers is
//! not read any more.

use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, SinkExt, StreamExt};
use polling_core::Engine;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::Utf8Bytes;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::WaitForCancellationFutureOwned;

use crate::close::Close;
use crate::counted::Counted;
use crate::parting;
use crate::registry::Stop;
use crate::session::{Session, Step, Tell};
use crate::work::{Done, Work};
use crate::{WsSettings, log};

/// Intervals of silence after which a client is gone.
const SILENT_INTERVALS: u32 = 2;

/// One connection.
pub(crate) struct Pump<S> {
    socket: WebSocketStream<Counted<S>>,
    session: Session,
    engine: Engine,
    settings: Arc<WsSettings>,
    work: FuturesUnordered<Work>,
    /// Votes among the work.
    votes: usize,
    /// Whether the work has an answer without which the next frame cannot be understood: who asks, and what is subscribed.
    reading_waits: bool,
    /// While there are bytes for the client that it does not take: how many it had taken when that was seen last.
    blocked_at: Option<u64>,
    /// Rings at the next heartbeat, or, while the client takes nothing, when it is too slow.
    timer: Pin<Box<Sleep>>,
    silent_intervals: u32,
    stop: Stop,
    stopped: Pin<Box<WaitForCancellationFutureOwned>>,
}

/// What the pump wakes up for.
enum Event {
    Done(Done),
    Received(Option<Result<Message, Error>>),
    /// The socket cannot be written to.
    Broken(Error),
    TimeIsUp,
    Stopped,
}

/// How a connection ends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The client is gone, or does not answer.
    Gone,
    /// The client closes; it is owed the echo of its close frame.
    ByClient,
    /// The server closes.
    ByServer(Close),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Pump<S> {
    pub(crate) fn new(
        socket: WebSocketStream<Counted<S>>,
        engine: Engine,
        session: Session,
        settings: Arc<WsSettings>,
        stop: Stop,
    ) -> Self {
        Self {
            socket,
            session,
            engine,
            work: FuturesUnordered::new(),
            votes: 0,
            reading_waits: false,
            blocked_at: None,
            timer: Box::pin(tokio::time::sleep(settings.heartbeat_interval)),
            silent_intervals: 0,
            stopped: Box::pin(stop.stopped()),
            stop,
            settings,
        }
    }

    /// Runs until the connection is to end.
    pub(crate) async fn run(&mut self) -> End {
        loop {
            let event = std::future::poll_fn(|cx| self.poll_event(cx)).await;
            if let ControlFlow::Break(end) = self.handle(event) {
                return end;
            }
        }
    }

    /// Ends the connection.
    pub(crate) async fn end(self: Box<Self>, end: End) {
        log::ended(&end);
        let Self {
            socket,
            session,
            mut work,
            mut votes,
            settings,
            ..
        } = *self;
        let part = parting::part(end, socket, &session, &mut work, &mut votes);
        // Who does not part in time is left.
        let _ = tokio::time::timeout(settings.close_timeout, part).await;
        drop(session);
        // A vote that was taken counts, whether or not its voter is still there.
        parting::finish(&mut work, votes).await;
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        match self.socket.poll_ready_unpin(cx) {
            // There is room to gather more, which does not say that the client takes anything.
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => return Poll::Ready(Event::Broken(error)),
            Poll::Pending => return self.poll_blocked(cx),
        }
        if let Poll::Ready(Some(done)) = self.work.poll_next_unpin(cx) {
            return Poll::Ready(Event::Done(done));
        }
        if self.reads()
            && let Poll::Ready(received) = self.socket.poll_next_unpin(cx)
        {
            return Poll::Ready(Event::Received(received));
        }
        // What was gathered goes out before the pump rests.
        match self.socket.poll_flush_unpin(cx) {
            Poll::Ready(Ok(())) => {
                self.unblocked();
                self.poll_rest(cx)
            }
            Poll::Ready(Err(error)) => Poll::Ready(Event::Broken(error)),
            Poll::Pending => self.poll_blocked(cx),
        }
    }

    fn poll_blocked(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        let taken = self.socket.get_ref().taken();
        if self.blocked_at.replace(taken) != Some(taken) {
            self.ring_in(self.settings.write_timeout);
        }
        self.poll_rest(cx)
    }

    fn unblocked(&mut self) {
        if self.blocked_at.take().is_some() {
            self.silent_intervals = 0;
            self.ring_in(self.settings.heartbeat_interval);
        }
    }

    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        if self.stopped.poll_unpin(cx).is_ready() {
            return Poll::Ready(Event::Stopped);
        }
        ready!(self.timer.poll_unpin(cx));
        Poll::Ready(Event::TimeIsUp)
    }

    fn ring_in(&mut self, time: std::time::Duration) {
        self.timer.as_mut().reset(Instant::now() + time);
    }

    fn reads(&self) -> bool {
        !self.reading_waits && self.votes < self.settings.votes_in_flight
    }

    fn handle(&mut self, event: Event) -> ControlFlow<End> {
        match event {
            Event::Done(done) => self.done(done),
            Event::Received(Some(Ok(message))) => self.received(message),
            Event::Received(Some(Err(error))) | Event::Broken(error) => broken(&error),
            Event::Received(None) => ControlFlow::Break(End::Gone),
            Event::TimeIsUp => self.time_is_up(),
            Event::Stopped => ControlFlow::Break(End::ByServer(self.stop.close())),
        }
    }

    fn done(&mut self, done: Done) -> ControlFlow<End> {
        let tell = match done {
            Done::Voted {
                poll,
                reference,
                outcome,
            } => {
                self.votes -= 1;
                Tell::Frame(self.session.voted(poll, reference.as_ref(), &outcome))
            }
            Done::Subscribed {
                poll,
                reference,
                outcome,
            } => {
                self.reading_waits = false;
                let (tell, live) = self.session.subscribed(poll, reference.as_ref(), *outcome);
                self.work.extend(live.map(Work::watch));
                tell
            }
            Done::Authenticated { reference, outcome } => {
                self.reading_waits = false;
                Tell::Frame(self.session.authenticated(reference.as_ref(), outcome))
            }
            Done::Updated(None, _) => Tell::Nothing,
            Done::Updated(Some((poll, update)), live) => {
                self.work.push(Work::watch(live));
                self.session.updated(poll, update)
            }
        };
        match tell {
            Tell::Frame(frame) => self.send(frame),
            Tell::Nothing => ControlFlow::Continue(()),
            Tell::Close(close) => ControlFlow::Break(End::ByServer(close)),
        }
    }

    fn received(&mut self, message: Message) -> ControlFlow<End> {
        self.silent_intervals = 0;
        let step = match message {
            Message::Text(text) => self.session.text(&text),
            Message::Binary(_) => self.session.binary(),
            Message::Close(_) => return ControlFlow::Break(End::ByClient),
            // The protocol's own pings are answered below us.
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {
                return ControlFlow::Continue(());
            }
        };
        let (engine, actor) = (self.engine.clone(), Arc::clone(self.session.actor()));
        match step {
            Step::Answer(frame) => return self.send(frame),
            Step::Close(close) => return ControlFlow::Break(End::ByServer(close)),
            Step::Vote(ballot, reference) => {
                self.votes += 1;
                self.work.push(Work::vote(engine, actor, ballot, reference));
            }
            Step::Subscribe(poll, viewer, reference) => {
                self.reading_waits = true;
                self.work
                    .push(Work::subscribe(engine, actor, poll, viewer, reference));
            }
            Step::Authenticate(token, reference) => {
                self.reading_waits = true;
                self.work.push(Work::authenticate(engine, token, reference));
            }
        }
        ControlFlow::Continue(())
    }

    fn time_is_up(&mut self) -> ControlFlow<End> {
        if self.blocked_at.is_some() {
            return ControlFlow::Break(End::ByServer(Close::TooSlow));
        }
        // Who is not listened to cannot be heard.
        self.silent_intervals += u32::from(self.reads());
        if self.silent_intervals >= SILENT_INTERVALS {
            return ControlFlow::Break(End::Gone);
        }
        self.ring_in(self.settings.heartbeat_interval);
        self.start_send(Message::Ping(bytes::Bytes::new()))
    }

    fn send(&mut self, frame: Utf8Bytes) -> ControlFlow<End> {
        self.start_send(Message::Text(frame))
    }

    /// Puts a frame on its way; there is room for it, or no event would have come out of [`poll_event`](Self::poll_event).
    fn start_send(&mut self, message: Message) -> ControlFlow<End> {
        match self.socket.start_send_unpin(message) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => broken(&error),
        }
    }
}

fn broken(error: &Error) -> ControlFlow<End> {
    ControlFlow::Break(match Close::of(error) {
        Some(close) => End::ByServer(close),
        None => End::Gone,
    })
}
