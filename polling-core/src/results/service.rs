//! Reading and watching results.

use std::sync::Arc;

use super::error::ResultsError;
use super::hub::Hub;
use super::repository::Recount;
use super::rights::{Proof, Rights};
use super::snapshot::Snapshot;
use super::watch::{LiveResults, Subscription, Viewer};
use crate::polls::PollRecord;
use crate::polls::access::{Action, Role};
use crate::users::is_deleted;
use crate::votes::{Voter, VoterKey, identify};
use crate::workspaces::membership::Memberships;
use crate::{Actor, Clock, PollId, Repository, StoreError};

/// The use cases of the results.
#[derive(Clone)]
pub struct ResultsService {
    store: Arc<dyn Repository>,
    hub: Arc<Hub>,
    clock: Arc<dyn Clock>,
}

impl ResultsService {
    pub(crate) fn new(store: Arc<dyn Repository>, hub: Arc<Hub>, clock: Arc<dyn Clock>) -> Self {
        Self { store, hub, clock }
    }

    /// The current results, at a cost that does not grow with the votes. `voter` is who the viewer is as a voter, for
    /// polls that show their results to who has voted.
    ///
    /// # Errors
    /// `PollNotFound`; `Hidden` where the viewer may not see them, or not yet; `Forbidden` and `Invalid` for a voter that
    /// the viewer cannot be; `Store`.
    pub async fn read(
        &self,
        actor: &Actor,
        poll: PollId,
        voter: Option<Voter>,
    ) -> Result<Arc<Snapshot>, ResultsError> {
        let actor = &*actor.in_force(self.clock.now());
        let (record, memberships) = self.find(actor, poll, voter.as_ref()).await?;
        let visible = self.visible(actor, &record, &memberships, voter.as_ref());
        if visible.await? {
            Ok(Arc::new(Snapshot::new(record)))
        } else {
            Err(ResultsError::Hidden)
        }
    }

    /// The live results, as a stream: the current ones first, and then whatever is newer.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    pub async fn watch(&self, actor: &Actor, poll: PollId) -> Result<LiveResults, ResultsError> {
        self.subscribe(actor, poll, Viewer::default())
            .await
            .map(LiveResults::new)
    }

    /// The live results for a transport. Hidden results are no error here: the viewer is told, and waits.
    ///
    /// # Errors
    /// `PollNotFound`; `Forbidden` and `Invalid` for a voter that the viewer cannot be; `Store`.
    pub async fn subscribe(
        &self,
        actor: &Actor,
        poll: PollId,
        viewer: Viewer,
    ) -> Result<Subscription, ResultsError> {
        let actor = &*actor.in_force(self.clock.now());
        let changes = self.hub.changes().count();
        let is_watched = self.hub.takes_tallies(poll);
        let as_voter = viewer.voter.as_ref();
        let mut record = self.record(poll).await?;
        // Not before the poll was read, which may have taken long: others may have been asked meanwhile.
        let asked_at = self.hub.changes().ask();
        let memberships = self.memberships(actor, &record, as_voter).await?;
        let voter = identify::viewer(actor, &record.poll, &memberships, as_voter)?;
        let cell = self.hub.watch(&record);
        let rights = Rights::of(actor, &record.poll, memberships, asked_at, viewer.voter);
        let clock = Arc::clone(&self.clock);
        let subscription = Subscription::new(cell, rights, viewer.after_revision, clock);
        if self.hub.changes().count() != changes {
            self.hub.changes().look_again(actor.user_id(), poll);
        }
        // Whoever sees the results now: who is held counts as confirmed, also when not everybody sees them any more. And the
        // judge asks for tokens only when more are revoked; those that were before must not be among them.
        self.confirm(actor, &subscription).await?;
        if !is_watched {
            // What was committed between the reading above and the entry into the hub was put to nobody: read again.
            (record, _) = self.find(actor, poll, None).await?;
            self.hub.put_read(&record);
        }
        if let Some(voter) = voter {
            let ballot = self.store.votes().find(poll, &voter).await?;
            // Who votes meanwhile is known by a later revision than that of having found nothing.
            let read_at = record.tally.revision;
            let at = ballot.as_ref().map_or(read_at, |ballot| ballot.revision);
            if at > read_at {
                // The first results that somebody sees contain their own vote.
                self.hub.put_read(&self.find(actor, poll, None).await?.0);
            }
            subscription.set_voted(ballot.is_some(), at);
        }
        Ok(subscription)
    }

    /// Asks for what the viewer's credentials may hide: that the account was deleted, or the vote token revoked, since they
    /// were shown.
    async fn confirm(
        &self,
        actor: &Actor,
        subscription: &Subscription,
    ) -> Result<(), ResultsError> {
        let (rights, cell) = (subscription.rights(), subscription.cell());
        if let (Some(_), Some(user), Some(users)) =
            (&rights.user, actor.user_id(), self.store.users())
            && users.is_deleted(user).await?
        {
            cell.proofs().spoil(&Proof::User(user));
        }
        let token = actor.vote_token_for(cell.poll_id());
        if let (Some(_), Some(token), Some(tokens)) =
            (&rights.token, token, self.store.vote_tokens())
            && tokens.poll_of(token.hash()).await? != Some(cell.poll_id())
        {
            cell.proofs().spoil(&Proof::Token(token.hash()));
        }
        Ok(())
    }

    /// Counts the ballots of a poll one by one, and compares: the proof of the counters. It reads every ballot.
    ///
    /// # Errors
    /// `PollNotFound`; `Forbidden` to everybody but the poll's managers; `Store`.
    pub async fn recount(&self, actor: &Actor, poll: PollId) -> Result<Recount, ResultsError> {
        let actor = &*actor.in_force(self.clock.now());
        let (record, memberships) = self.find(actor, poll, None).await?;
        if !Role::of(actor, &record.poll, &memberships).may(Action::Manage) {
            return Err(ResultsError::Forbidden);
        }
        self.store
            .results()
            .recount(poll)
            .await?
            .ok_or(ResultsError::PollNotFound)
    }

    /// Whether this viewer may see the results of this poll now.
    pub(crate) async fn visible(
        &self,
        actor: &Actor,
        record: &PollRecord,
        memberships: &Memberships,
        voter: Option<&Voter>,
    ) -> Result<bool, ResultsError> {
        let role = Role::of(actor, &record.poll, memberships);
        let sees = |voted| role.sees_results(record.tally.show_results, record.tally.status, voted);
        let voter = identify::viewer(actor, &record.poll, memberships, voter)?;
        match voter {
            _ if sees(false) => Ok(true),
            // Only where a ballot would make the difference is it looked for.
            Some(voter) if sees(true) => Ok(self.has_voted(record.poll.id, &voter).await?
                && !self.is_gone(actor, &voter).await?),
            _ => Ok(false),
        }
    }

    /// Whether the actor is this voter by an account that was deleted: they may vote still, and see no more than everybody.
    async fn is_gone(&self, actor: &Actor, voter: &VoterKey) -> Result<bool, StoreError> {
        let is_user = actor.user_id().map(VoterKey::of_user) == Some(*voter);
        Ok(is_user && is_deleted(&*self.store, actor).await?)
    }

    async fn has_voted(&self, poll: PollId, voter: &VoterKey) -> Result<bool, ResultsError> {
        Ok(self.store.votes().find(poll, voter).await?.is_some())
    }

    /// The poll, if it is there for this actor, and what it takes to say what they are to it, also as this voter.
    async fn find(
        &self,
        actor: &Actor,
        poll: PollId,
        voter: Option<&Voter>,
    ) -> Result<(PollRecord, Memberships), ResultsError> {
        let record = self.record(poll).await?;
        let memberships = self.memberships(actor, &record, voter).await?;
        Ok((record, memberships))
    }

    async fn record(&self, poll: PollId) -> Result<PollRecord, ResultsError> {
        let found = self.store.polls().find(poll).await?;
        found.ok_or(ResultsError::PollNotFound)
    }

    /// What it takes to say what the actor is to the poll, also as this voter, if the poll is there for them.
    async fn memberships(
        &self,
        actor: &Actor,
        record: &PollRecord,
        voter: Option<&Voter>,
    ) -> Result<Memberships, ResultsError> {
        let (poll, status) = (&record.poll, record.tally.status);
        let memberships = Memberships::look_up(&*self.store, actor, poll, voter).await?;
        if Role::of(actor, poll, &memberships).finds(status) {
            Ok(memberships)
        } else {
            Err(ResultsError::PollNotFound)
        }
    }
}

impl std::fmt::Debug for ResultsService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResultsService").finish_non_exhaustive()
    }
}
