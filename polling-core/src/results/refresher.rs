//! Reads watched polls again from the store: when something newer is announced, and every second whatever is announced.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::Semaphore;

use super::hub::Hub;
use super::model::Revision;
use super::notifier::Hint;
use crate::engine::StoreHealth;
use crate::votes::VoterKey;
use crate::{Clock, PollId, Repository, StoreError, log_each_second};

/// Polls that are read at the same time: watching leaves most connections of the store to those who ask for something.
const READS_AT_ONCE: usize = 4;

/// Voters that are looked up in one question.
const VOTERS_AT_ONCE: usize = 4_096;

#[derive(Clone)]
pub(crate) struct Refresher {
    hub: Arc<Hub>,
    store: Arc<dyn Repository>,
    reads: Arc<Semaphore>,
    health: Arc<StoreHealth>,
}

impl Refresher {
    pub(crate) fn new(hub: Arc<Hub>, store: Arc<dyn Repository>, health: Arc<StoreHealth>) -> Self {
        Self {
            hub,
            store,
            health,
            reads: Arc::new(Semaphore::new(READS_AT_ONCE)),
        }
    }

    /// Reads the revisions of all watched polls, every `interval`.
    pub(crate) async fn run(self, clock: Arc<dyn Clock>, interval: Duration) {
        loop {
            clock.pause(interval).await;
            self.refresh().await;
        }
    }

    /// Reads the revisions of all watched polls in one question, and what has moved.
    pub(super) async fn refresh(&self) {
        let watched = self.hub.watched();
        if watched.is_empty() {
            return;
        }
        let polls: Vec<PollId> = watched.iter().map(|(poll, _)| *poll).collect();
        let revisions = self.store.results().revisions(&polls).await;
        let revisions = match self.health.heard(revisions) {
            Ok(revisions) => revisions,
            Err(error) => {
                log_each_second!(
                    warn,
                    "the watched polls could not be read again",
                    error = %error,
                    polls = polls.len()
                );
                return;
            }
        };
        let mut moved = Vec::new();
        for ((poll, known), revision) in watched.into_iter().zip(revisions) {
            match revision {
                None => self.hub.delete(poll),
                Some(revision) if revision > known => moved.push(poll),
                Some(_) => {}
            }
        }
        self.read_all(moved).await;
    }

    /// Reads the watched polls among those announced, where they are newer than what is known.
    pub(super) async fn follow(&self, hints: &[Hint]) {
        let is_news = |hint: &&Hint| match (self.hub.revision(hint.poll), hint.revision) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(known), Some(announced)) => announced > known,
        };
        let moved = hints.iter().filter(is_news).map(|hint| hint.poll).collect();
        self.read_all(moved).await;
    }

    async fn read_all(&self, polls: Vec<PollId>) {
        futures_util::stream::iter(polls)
            .for_each_concurrent(READS_AT_ONCE, |poll| self.read(poll))
            .await;
    }

    async fn read(&self, poll: PollId) {
        // Both tasks that read share them. It is never closed.
        let _read = self.reads.acquire().await;
        if let Err(error) = self.try_read(poll).await {
            log_each_second!(
                warn,
                "a watched poll could not be read again",
                error = %error,
                poll = %poll
            );
        }
    }

    async fn try_read(&self, poll: PollId) -> Result<(), StoreError> {
        let polls = self.store.polls();
        let Some(mut record) = polls.find(poll).await? else {
            self.hub.delete(poll);
            return Ok(());
        };
        // Somebody may have voted or withdrawn through another server, and watch here for what voters see. They are looked
        // up after the poll was read: who has no ballot then had none at its revision, or has lost it since.
        let at = record.tally.revision;
        let found = self
            .look_up(poll, self.hub.unsettled_voters(&record))
            .await?;
        // The first results that somebody sees contain their own vote.
        if found.iter().any(|(_, ballot)| *ballot > Some(at)) {
            let Some(newer) = polls.find(poll).await? else {
                self.hub.delete(poll);
                return Ok(());
            };
            record = newer;
        }
        self.hub.put_looked_up(&record, at, &found);
        Ok(())
    }

    /// Of each voter, a revision that contains their ballot, where they have one that counts.
    async fn look_up(
        &self,
        poll: PollId,
        voters: Vec<VoterKey>,
    ) -> Result<Vec<(VoterKey, Option<Revision>)>, StoreError> {
        let mut found = Vec::with_capacity(voters.len());
        // Each answer is of one moment, and says which; all of them need not be of the same.
        for some in voters.chunks(VOTERS_AT_ONCE) {
            let ballots = self.store.votes().find_all(poll, some).await?;
            let revisions = ballots
                .into_iter()
                .map(|ballot| ballot.map(|ballot| ballot.revision));
            found.extend(some.iter().copied().zip(revisions));
        }
        Ok(found)
    }
}
