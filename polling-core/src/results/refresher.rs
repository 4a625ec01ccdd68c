//! Reads watched polls again from the store: when something newer is announced, and every second whatever is announced.

use std::sync::Arc;
use std::time::Duration;

use tracing::warn;

use super::hub::Hub;
use super::notifier::Hint;
use crate::polls::ShowResults;
use crate::{Clock, PollId, Repository, StoreError};

#[derive(Clone)]
pub(crate) struct Refresher {
    pub(crate) hub: Arc<Hub>,
    pub(crate) store: Arc<dyn Repository>,
}

impl Refresher {
    /// Reads the revisions of all watched polls, every `interval`.
    pub(crate) async fn run(self, clock: Arc<dyn Clock>, interval: Duration) {
        loop {
            clock.sleep_until(clock.now().after(interval)).await;
            self.refresh().await;
        }
    }

    /// Reads the revisions of all watched polls, and what has moved.
    pub(super) async fn refresh(&self) {
        let watched = self.hub.watched();
        if watched.is_empty() {
            return;
        }
        let polls: Vec<PollId> = watched.iter().map(|(poll, _)| *poll).collect();
        match self.store.results().revisions(&polls).await {
            Ok(revisions) => {
                for ((poll, known), revision) in watched.into_iter().zip(revisions) {
                    match revision {
                        None => self.hub.delete(poll),
                        Some(revision) if revision > known => self.read(poll).await,
                        Some(_) => {}
                    }
                }
            }
            Err(error) => {
                warn!(error = %error, polls = polls.len(), "the watched polls could not be read again");
            }
        }
    }

    /// Reads the watched polls among those announced, where they are newer than what is known.
    pub(super) async fn follow(&self, hints: &[Hint]) {
        for hint in hints {
            match (self.hub.revision(hint.poll), hint.revision) {
                (None, _) => {}
                (Some(_), None) => self.read(hint.poll).await,
                (Some(known), Some(announced)) if announced > known => self.read(hint.poll).await,
                (Some(_), Some(_)) => {}
            }
        }
    }

    async fn read(&self, poll: PollId) {
        if let Err(error) = self.try_read(poll).await {
            warn!(error = %error, %poll, "a watched poll could not be read again");
        }
    }

    async fn try_read(&self, poll: PollId) -> Result<(), StoreError> {
        let Some(record) = self.store.polls().find(poll).await? else {
            self.hub.delete(poll);
            return Ok(());
        };
        // Somebody may have voted through another server, and watch here for what voters see.
        if record.tally.show_results == ShowResults::AfterVote {
            for voter in self.hub.waiting_voters(poll) {
                if let Some(ballot) = self.store.votes().find(poll, &voter).await? {
                    self.hub.set_voted(poll, &voter, ballot.revision);
                }
            }
        }
        self.hub.put_read(&record);
        Ok(())
    }
}
