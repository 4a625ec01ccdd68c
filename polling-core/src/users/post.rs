//! What is on its way to people: each link and each invitation in a task of its own, so that no answer says, by its words or
//! its time, what became of it.

use std::fmt;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Instrument;

use super::links::LinkSender;
use crate::engine::Parts;
use crate::{Cause, StoreError, log_each_second};

/// What is sent for one kind of thing, through the application's sender.
pub(crate) struct Post {
    parts: Parts,
    sender: Option<Arc<dyn LinkSender>>,
    /// One for each that may be on its way.
    places: Arc<Semaphore>,
}

impl Post {
    pub(crate) fn new(parts: &Parts, sender: Option<Arc<dyn LinkSender>>) -> Self {
        let places = parts.settings.link_queue.min(Semaphore::MAX_PERMITS);
        Self {
            parts: parts.clone(),
            sender,
            places: Arc::new(Semaphore::new(places)),
        }
    }

    /// Where the application sends anything.
    pub(crate) fn sender(&self) -> Option<&Arc<dyn LinkSender>> {
        self.sender.as_ref()
    }

    /// A place on the way; `None` while too many are.
    pub(crate) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// Runs what sends `what` in a task that nobody waits for but a shutdown.
    pub(crate) fn spawn<E: fmt::Display>(
        &self,
        place: OwnedSemaphorePermit,
        what: &'static str,
        sending: impl Future<Output = Result<(), E>> + Send + 'static,
    ) {
        let task = async move {
            if let Err(error) = sending.await {
                log_each_second!(warn, "a message could not be sent", what, error = %error);
            }
            drop(place);
        };
        self.parts.tasks.spawn(task.in_current_span());
    }
}

/// Waits for a delivery as long as it may take.
pub(crate) async fn in_time(
    parts: &Parts,
    delivery: impl Future<Output = Result<(), Cause>>,
) -> Result<(), StoreError> {
    tokio::select! {
        sent = delivery => sent.map_err(StoreError::unavailable),
        () = parts.clock.pause(parts.settings.link_patience) => {
            Err(StoreError::unavailable("its delivery took too long"))
        }
    }
}
