//! Tells the other servers what was committed here, and hears what was committed there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::Notify;
use tracing::debug;

use super::cell::lock;
use super::hub::Hub;
use super::model::Revision;
use super::notifier::{Hint, ResultsNotifier};
use super::refresher::Refresher;
use crate::engine::StoreHealth;
use crate::{Clock, PollId, log_each_second};

/// What is still to be announced: the newest of each poll.
#[derive(Debug, Default)]
pub(crate) struct Announcements {
    pending: Mutex<HashMap<PollId, Option<Revision>>>,
    work: Notify,
}

impl Announcements {
    pub(super) fn add(&self, hint: Hint) {
        let mut pending = lock(&self.pending);
        pending
            .entry(hint.poll)
            .and_modify(|known| {
                // Deletion is the last word; else the greater revision is.
                *known = known.and_then(|known| hint.revision.map(|new| new.max(known)));
            })
            .or_insert(hint.revision);
        self.work.notify_one();
    }

    fn take(&self) -> Vec<Hint> {
        lock(&self.pending)
            .drain()
            .map(|(poll, revision)| Hint { poll, revision })
            .collect()
    }
}

/// The two tasks between the hub and the notifier.
pub(crate) struct Announcer {
    pub(crate) hub: Arc<Hub>,
    pub(crate) notifier: Arc<dyn ResultsNotifier>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) health: Arc<StoreHealth>,
}

impl Announcer {
    /// Announces at most once in `interval`. What cannot be announced is lost: the other servers read the store.
    pub(crate) async fn announce(self, interval: Duration) {
        loop {
            self.hub.announcements().work.notified().await;
            let hints = self.hub.announcements().take();
            if !hints.is_empty()
                && let Err(error) = self.notifier.announce(&hints).await
            {
                debug!(error = %error, hints = hints.len(), "the hints could not be announced");
            }
            self.clock.pause(interval).await;
        }
    }

    /// Reads what others announce; where the subscription breaks it starts anew, and reads everything once.
    pub(crate) async fn listen(self, refresher: Refresher, pause: Duration) {
        loop {
            match self.notifier.subscribe().await {
                Ok(mut hints) => {
                    self.health.answers();
                    refresher.refresh().await;
                    while let Some(hints) = hints.next().await {
                        refresher.follow(&hints).await;
                    }
                }
                Err(error) => {
                    log_each_second!(warn, "the notifier cannot be heard", error = %error);
                }
            }
            self.clock.pause(pause).await;
        }
    }
}
