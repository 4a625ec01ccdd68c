//! A subscription as a stream of its own, and the leash by which the session holds it.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::stream::{self, BoxStream, StreamExt};
use polling_core::results::{Subscription, Update};
use polling_core::{Actor, PollId};
use tokio::sync::Notify;

/// What there is to tell the viewer of which poll.
pub(crate) type Live = BoxStream<'static, (PollId, Update)>;

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
    pub(crate) fn put_on(subscription: Subscription) -> (Self, Live) {
        let line = Arc::new(Line::default());
        (Self(Arc::clone(&line)), follow(subscription, line))
    }

    /// A leash with nobody at its other end.
    #[cfg(test)]
    pub(crate) fn loose() -> Self {
        Self(Arc::default())
    }

    /// The subscription sees with the rights of this actor from now on.
    pub(crate) fn see_as(&self, actor: &Arc<Actor>) {
        self.0.give(Order::SeeAs(Arc::clone(actor)));
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        self.0.give(Order::End);
    }
}

fn follow(subscription: Subscription, line: Arc<Line>) -> Live {
    let poll = subscription.poll_id();
    stream::unfold(
        (subscription, line),
        move |(mut subscription, line)| async move {
            loop {
                match line.take() {
                    Some(Order::End) => return None,
                    Some(Order::SeeAs(actor)) => subscription.set_actor(&actor),
                    None => {}
                }
                tokio::select! {
                    biased;
                    () = line.given.notified() => {}
                    update = subscription.update() => {
                        return Some(((poll, update), (subscription, line)));
                    }
                }
            }
        },
    )
    .boxed()
}
