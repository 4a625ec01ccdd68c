//! A subscription as a stream of its own, and the leash by which the session holds it.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::stream::{self, BoxStream, StreamExt};
use polling_core::results::{ResultsError, Subscription, Update, Viewer};
use polling_core::{Actor, Engine, PollId, Voter};
use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use crate::log::{self, ConnectionId};

/// What there is to tell the viewer of which poll.
pub(crate) type Live = BoxStream<'static, (PollId, Update)>;

/// A subscription, and what it takes to subscribe once more as somebody else.
pub(crate) struct Watch {
    engine: Engine,
    subscription: Subscription,
    /// With whose eyes the client asked to look.
    voter: Option<Voter>,
    /// As whom the subscription was made; `None` where it is to be made anew, since somebody else came after them: whoever
    /// comes next, and be it they again, is confirmed by the store.
    made_as: Option<Arc<Actor>>,
    renewal: Option<Renewal>,
}

/// A task of its own: a client that takes nothing stops all that its connection polls, and must not keep a place in the
/// store's queue meanwhile.
type Renewal = AbortOnDropHandle<Renewed>;

/// What came of it, and for whom.
type Renewed = (Arc<Actor>, Result<Subscription, ResultsError>);

impl Watch {
    /// Subscribes; and the first that there is to tell.
    pub(crate) async fn begin(
        engine: Engine,
        actor: Arc<Actor>,
        poll: PollId,
        viewer: Viewer,
    ) -> Result<(Self, Update), ResultsError> {
        let voter = viewer.voter.clone();
        let mut subscription = engine.results().subscribe(&actor, poll, viewer).await?;
        // A new subscription has something to tell at once.
        let first = subscription.update().await;
        let watch = Self {
            engine,
            subscription,
            voter,
            made_as: Some(actor),
            renewal: None,
        };
        Ok((watch, first))
    }

    /// Looks with the rights of this actor from now on, and with all that it has proved as soon as the store was asked for it.
    fn see_as(&mut self, actor: Arc<Actor>) {
        self.subscription.set_actor(&actor);
        let poll = self.subscription.poll_id();
        // Where what was proved makes them no other voter there is nothing to ask for.
        let made_as = self.made_as.take();
        self.made_as = made_as.filter(|before| actor.votes_as(before, poll));
        self.renewal = self.made_as.is_none().then(|| {
            let engine = self.engine.clone();
            let viewer = Viewer::default().voter(self.voter.clone());
            let renew = async move {
                let renewed = engine.results().subscribe(&actor, poll, viewer).await;
                (actor, renewed)
            };
            AbortOnDropHandle::new(tokio::spawn(renew.in_current_span()))
        });
    }

    /// Goes on with the new subscription. Without one the old one does, and says so itself where the poll is gone; but not
    /// with the vote of who was there before.
    fn renew(&mut self, renewed: Option<Renewed>, connection: ConnectionId) {
        match renewed {
            Some((actor, Ok(renewed))) => {
                self.subscription = renewed.continuing(&self.subscription);
                self.made_as = Some(actor);
                return;
            }
            Some((_, Err(error))) => {
                log::not_renewed(connection, self.subscription.poll_id(), &error);
            }
            // It has said so itself.
            None => {}
        }
        self.subscription.forget_voter();
    }

    /// Waits for the next thing to tell. Cancel-safe.
    async fn update(&mut self, connection: ConnectionId) -> Update {
        loop {
            tokio::select! {
                biased;
                renewed = renewed(&mut self.renewal) => self.renew(renewed, connection),
                update = self.subscription.update() => return update,
            }
        }
    }
}

/// What came of a renewal, where there is one; `None` of one that panicked.
async fn renewed(renewal: &mut Option<Renewal>) -> Option<Renewed> {
    let Some(task) = renewal else {
        return std::future::pending().await;
    };
    let outcome = task.await;
    *renewal = None;
    outcome.ok()
}

/// The session's end of a subscription: dropping it ends the stream, before anything more comes out of it.
#[derive(Debug)]
pub(crate) struct Leash(Arc<Line>);

#[derive(Debug, Default)]
struct Line {
    order: Mutex<Option<Order>>,
    given: Notify,
}

#[derive(Debug)]
enum Order {
    SeeAs(Arc<Actor>),
    End,
}

impl Line {
    fn give(&self, order: Order) {
        *self.order.lock().unwrap_or_else(PoisonError::into_inner) = Some(order);
        self.given.notify_one();
    }

    fn take(&self) -> Option<Order> {
        self.order
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

impl Leash {
    /// A leash, and the stream at its other end.
    pub(crate) fn put_on(watch: Watch, connection: ConnectionId) -> (Self, Live) {
        let line = Arc::new(Line::default());
        (Self(Arc::clone(&line)), follow(watch, line, connection))
    }

    /// A leash with nobody at its other end.
    #[cfg(test)]
    pub(crate) fn loose() -> Self {
        Self(Arc::default())
    }

    /// The subscription sees as this actor from now on.
    pub(crate) fn see_as(&self, actor: &Arc<Actor>) {
        self.0.give(Order::SeeAs(Arc::clone(actor)));
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        self.0.give(Order::End);
    }
}

fn follow(watch: Watch, line: Arc<Line>, connection: ConnectionId) -> Live {
    let poll = watch.subscription.poll_id();
    stream::unfold((watch, line), move |(mut watch, line)| async move {
        loop {
            match line.take() {
                Some(Order::End) => return None,
                Some(Order::SeeAs(actor)) => watch.see_as(actor),
                None => {}
            }
            tokio::select! {
                biased;
                () = line.given.notified() => {}
                update = watch.update(connection) => return Some(((poll, update), (watch, line))),
            }
        }
    })
    .boxed()
}
