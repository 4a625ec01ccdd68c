//! The port through which the servers of one store tell each other that a poll moved.

use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use futures_core::Stream;
use tokio::sync::broadcast;

use super::model::Revision;
use crate::{PollId, StoreError};

/// A poll has at least this revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hint {
    /// Which poll.
    pub poll: PollId,
    /// Its revision, as far as the announcer knows; `None` where it was deleted.
    pub revision: Option<Revision>,
}

/// What a subscriber hears: hints, some packed together.
pub type Hints = Pin<Box<dyn Stream<Item = Arc<[Hint]>> + Send>>;

/// Tells the other servers of a store that there is something newer.
///
/// Hints may be lost, doubled, late and out of order: the store is the truth, and is read again every
/// [`refresh_interval`](crate::Settings::refresh_interval) whatever is heard.
#[async_trait]
pub trait ResultsNotifier: Send + Sync + 'static {
    /// Tells everyone who subscribed, on all servers, this one included. At most one hint for each poll, never empty;
    /// called at most once in a [`push_interval`](crate::Settings::push_interval), by one task.
    async fn announce(&self, hints: &[Hint]) -> Result<(), StoreError>;

    /// What is announced from now on. A stream that ends is subscribed to again.
    async fn subscribe(&self) -> Result<Hints, StoreError>;
}

/// The notifier of a store that only this process uses. Engines that share a store in one process share this too.
#[derive(Clone, Debug)]
pub struct LocalNotifier {
    hints: broadcast::Sender<Arc<[Hint]>>,
}

/// Packs of hints that a slow subscriber may be behind; what it misses it reads from the store.
const BACKLOG: usize = 64;

impl Default for LocalNotifier {
    fn default() -> Self {
        Self {
            hints: broadcast::Sender::new(BACKLOG),
        }
    }
}

#[async_trait]
impl ResultsNotifier for LocalNotifier {
    async fn announce(&self, hints: &[Hint]) -> Result<(), StoreError> {
        // Nobody listening is fine.
        let _ = self.hints.send(hints.into());
        Ok(())
    }

    async fn subscribe(&self) -> Result<Hints, StoreError> {
        let receiver = self.hints.subscribe();
        Ok(Box::pin(futures_util::stream::unfold(
            receiver,
            |mut receiver| async move {
                loop {
                    match receiver.recv().await {
                        Ok(hints) => return Some((hints, receiver)),
                        Err(broadcast::error::RecvError::Lagged(_)) => {}
                        Err(broadcast::error::RecvError::Closed) => return None,
                    }
                }
            },
        )))
    }
}
