//! One viewer of one poll.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll as Async};

use futures_core::Stream;
use futures_util::StreamExt;
use tokio::sync::watch;

use super::cell::Shown;
use super::hub::Watched;
use super::model::{Results, Revision};
use super::rights::{self, Rights};
use super::snapshot::Snapshot;
use crate::votes::{Voter, VoterKey};
use crate::{Actor, Clock, PollId, Timestamp};

/// With whose eyes, and from where on, somebody watches.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Viewer {
    /// Who the viewer is as a voter, for polls that show their results to who has voted.
    pub voter: Option<Voter>,
    /// The revision of the results that the viewer holds already.
    pub after_revision: Option<Revision>,
}

impl Viewer {
    /// Watches as this voter.
    #[must_use]
    pub fn voter(mut self, voter: Option<Voter>) -> Self {
        self.voter = voter;
        self
    }

    /// Holds the results of this revision already.
    #[must_use]
    pub fn after(mut self, revision: Option<Revision>) -> Self {
        self.after_revision = revision;
        self
    }
}

/// What a viewer is told.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Update {
    /// Newer results than any before.
    Results(Arc<Snapshot>),
    /// At first: the results that the viewer holds are current.
    Unchanged(Revision),
    /// The results are hidden from this viewer now. They come as soon as they may be seen.
    Hidden,
    /// There is nothing more to come.
    Ended(WatchEnd),
}

/// Why a watch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WatchEnd {
    /// The poll was deleted.
    PollDeleted,
    /// The engine is shutting down.
    ShuttingDown,
    /// The results are hidden from this viewer, who has lost what let them see: a role, an account, a vote token, or the
    /// time for which they were signed in. Ends [`LiveResults`] only; a [`Subscription`] tells that they are
    /// [hidden](Update::Hidden), and goes on.
    RightsLost,
}

/// The live results of one poll, for one viewer, with all that a transport passes on. Cancel-safe.
pub struct Subscription {
    cell: Arc<Watched>,
    shown: watch::Receiver<Shown>,
    identity: Option<(VoterKey, watch::Receiver<bool>)>,
    rights: Rights,
    /// The voter of `identity` was not lost before the rights became those of another actor.
    keeps_identity: bool,
    clock: Arc<dyn Clock>,
    /// When the viewer loses what they see now, if nothing else happens.
    sees_until: Option<Timestamp>,
    /// The revision that the viewer holds.
    held: Option<Revision>,
    first: bool,
    told_hidden: bool,
}

impl Subscription {
    pub(super) fn new(
        cell: Arc<Watched>,
        rights: Rights,
        after: Option<Revision>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let shown = cell.subscribe();
        let identity = rights.eyes().voter;
        let identity = identity.map(|voter| (voter, cell.enter(voter)));
        let rights = rights.held_in(&cell);
        Self {
            cell,
            shown,
            identity,
            rights,
            keeps_identity: true,
            clock,
            sees_until: None,
            held: after,
            first: true,
            told_hidden: false,
        }
    }

    /// The poll that is watched.
    #[must_use]
    pub fn poll_id(&self) -> PollId {
        self.cell.newest().poll().id
    }

    /// What the viewer's rights follow from, that may be taken away.
    pub(super) const fn rights(&self) -> &Rights {
        &self.rights
    }

    pub(super) fn cell(&self) -> &Watched {
        &self.cell
    }

    pub(super) fn set_voted(&self, voted: bool, at: Revision) {
        if let Some((voter, _)) = &self.identity {
            self.cell.set_voted(voter, voted, at);
        }
    }

    /// Goes on where the same viewer's subscription to the same poll stands, made before it proved more: what was told
    /// there is not told again here.
    #[must_use]
    pub fn continuing(mut self, before: &Self) -> Self {
        (self.held, self.first, self.told_hidden) = (before.held, before.first, before.told_hidden);
        self
    }

    /// Sees with the rights of this actor from now on, as far as they are confirmed here: a user or a vote token that the
    /// actor before had not proved, or that does not matter to what was seen until now, opens nothing. Whose vote opens its
    /// eyes stays as it was, unless the actor is nobody who votes. Both are asked of the store with a new subscription, that
    /// [continues](Self::continuing) this one. Where there will be none, this one is to [forget](Self::forget_voter) whose
    /// vote it was.
    pub fn set_actor(&mut self, actor: &Actor) {
        self.rights
            .look(self.cell.newest().poll(), self.clock.now());
        let kept = self.is_the_voter();
        self.rights = self.rights.as_actor(actor, &self.cell);
        let may_vote = actor.user_id().is_some() || actor.vote_token_for(self.poll_id()).is_some();
        // Where a new subscription takes over soon, nothing is hidden in between that both may see.
        self.keeps_identity = (kept && may_vote) || self.looks_as_the_voter();
        // Look again at what is shown now with the new rights.
        self.shown.mark_changed();
    }

    /// Sees nothing any more by the vote of somebody whom [the actor](Self::set_actor) is not: there is no new subscription
    /// that takes over.
    pub fn forget_voter(&mut self) {
        self.keeps_identity = self.looks_as_the_voter();
        self.shown.mark_changed();
    }

    /// Whether the actor looks as the voter whom the viewer watched as at first, as far as the store need not be asked.
    fn looks_as_the_voter(&self) -> bool {
        let voter = self.rights.eyes().voter;
        let identity = self.identity.as_ref().map(|(identity, _)| *identity);
        identity.is_some() && identity == voter
    }

    /// Waits for the next thing to tell the viewer. After [`Update::Ended`] it is the same for ever.
    pub async fn update(&mut self) -> Update {
        loop {
            if let Some(update) = self.look() {
                return update;
            }
            self.changed().await;
        }
    }

    /// Waits until there may be something new.
    async fn changed(&mut self) {
        // The cell lives as long as `self`, so that waiting cannot fail.
        let shown = self.shown.changed();
        let Rights { user, token, .. } = &mut self.rights;
        if self.identity.is_none() && user.is_none() && token.is_none() {
            return drop(shown.await);
        }
        let voted = async {
            match &mut self.identity {
                Some((_, voted)) => drop(voted.changed().await),
                None => std::future::pending().await,
            }
        };
        let over = async {
            match self.sees_until {
                Some(until) => self.clock.sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = shown => {}
            () = voted => {}
            () = rights::moved(user.as_mut()) => {}
            () = rights::moved(token.as_mut()) => {}
            () = over => {}
        }
    }

    /// What there is to tell now.
    fn look(&mut self) -> Option<Update> {
        // Asked before the results are looked at, so that they contain the vote, and again after it, so that they do not
        // come with its withdrawal. What changes in between is looked at once more.
        let had_voted = self
            .identity
            .as_mut()
            .is_some_and(|(_, voted)| *voted.borrow_and_update());
        let shown = self.shown.borrow_and_update().clone();
        let (snapshot, end) = match shown {
            Shown::Ended(WatchEnd::PollDeleted) => {
                return Some(Update::Ended(WatchEnd::PollDeleted));
            }
            // What was committed last, and not pushed any more, is told before the end.
            Shown::Ended(end) => (self.cell.newest(), Some(end)),
            // The first results, at first and after they were hidden, are never older than what was acknowledged here,
            // whether it was pushed yet or not.
            Shown::Snapshot(_) if self.first || self.told_hidden => (self.cell.newest(), None),
            Shown::Snapshot(snapshot) => (snapshot, None),
        };
        let has_voted = self.identity.as_ref().is_some_and(|(_, v)| *v.borrow());
        self.judge(snapshot, had_voted && has_voted)
            .or(end.map(Update::Ended))
    }

    /// Whether a ballot of the voter whom the viewer watched as at first opens their eyes still.
    fn is_the_voter(&self) -> bool {
        self.keeps_identity && self.rights.keep_the_voter()
    }

    /// Whether the viewer sees these results; `voted` where the voter whom they watched as at first has a ballot.
    fn sees(&mut self, snapshot: &Snapshot, voted: bool) -> bool {
        let tally = snapshot.tally();
        self.sees_until = None;
        if rights::is_open(tally) {
            return true;
        }
        self.rights.look(snapshot.poll(), self.clock.now());
        let sees = self.rights.eyes().see(tally, voted && self.is_the_voter());
        self.sees_until = self.rights.until().filter(|_| sees);
        sees
    }

    /// What these results are to this viewer, if they are anything new.
    fn judge(&mut self, snapshot: Arc<Snapshot>, voted: bool) -> Option<Update> {
        let first = std::mem::take(&mut self.first);
        if !self.sees(&snapshot, voted) {
            // What was seen before does not count as held: the results come whole when they may be seen again.
            self.held = None;
            return (!std::mem::replace(&mut self.told_hidden, true)).then_some(Update::Hidden);
        }
        let revision = snapshot.tally().revision;
        self.told_hidden = false;
        match self.held {
            Some(held) if first && held == revision => Some(Update::Unchanged(revision)),
            // A revision from the future is no revision of this poll's: what the viewer holds is worth nothing.
            Some(held) if !first && held >= revision => None,
            _ => {
                self.held = Some(revision);
                Some(Update::Results(snapshot))
            }
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("poll", &self.poll_id())
            .finish_non_exhaustive()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some((voter, _)) = &self.identity {
            self.cell.leave(voter);
        }
    }
}

/// The live results of one poll, as a stream.
///
/// It gives the current results first, and then the newest whenever there are newer ones, never an older one; while they
/// are hidden from the viewer it waits, and where that is because the viewer lost a right, it ends. Cancel-safe. When it
/// ends, [`ended`](Self::ended) says why; the final result does not end it.
pub struct LiveResults {
    results: Pin<Box<dyn Stream<Item = Results> + Send>>,
    ended: Arc<OnceLock<WatchEnd>>,
}

impl LiveResults {
    pub(super) fn new(subscription: Subscription) -> Self {
        let ended = Arc::new(OnceLock::new());
        let say = Arc::clone(&ended);
        let results = futures_util::stream::unfold(
            (subscription, say),
            |(mut subscription, say)| async move {
                loop {
                    match subscription.update().await {
                        Update::Results(snapshot) => {
                            return Some((snapshot.results().clone(), (subscription, say)));
                        }
                        Update::Ended(end) => {
                            // It is set once: the stream is over now.
                            let _ = say.set(end);
                            return None;
                        }
                        Update::Hidden if subscription.rights.are_lost() => {
                            let _ = say.set(WatchEnd::RightsLost);
                            return None;
                        }
                        Update::Unchanged(_) | Update::Hidden => {}
                    }
                }
            },
        );
        Self {
            results: Box::pin(results),
            ended,
        }
    }

    /// The next results that may be seen; `None` when there is nothing more to come.
    pub async fn next(&mut self) -> Option<Results> {
        self.results.next().await
    }

    /// Why there is nothing more to come; `None` while there is.
    #[must_use]
    pub fn ended(&self) -> Option<WatchEnd> {
        self.ended.get().copied()
    }
}

impl Stream for LiveResults {
    type Item = Results;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Async<Option<Results>> {
        self.results.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for LiveResults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveResults")
            .field("ended", &self.ended())
            .finish_non_exhaustive()
    }
}
