//! What a viewer may see of a poll by what they have proved, and what is left of it when a proof does not hold any more.
//!
//! A poll that shows its results to everybody asks nothing of this. For the others a viewer holds the proofs that make a
//! difference: each is known to the poll's cell, where the [judge](super::judge) says what became of it. When what proves a
//! user is over is known beforehand.

use std::borrow::Cow;
use std::sync::Arc;

use tokio::sync::watch;

use super::hub::Watched;
use super::judge::Asked;
use super::model::Tally;
use crate::polls::Poll;
use crate::polls::access::Role;
use crate::votes::{Voter, VoterKey, identify};
use crate::workspaces::WorkspaceRole;
use crate::workspaces::membership::Memberships;
use crate::{Actor, Timestamp, TokenHash, UserId};

/// Whether everybody sees the results now, so that nobody's rights make a difference.
pub(super) fn is_open(tally: &Tally) -> bool {
    let visitor = Eyes {
        role: Role::Visitor,
        voter: None,
    };
    visitor.see(tally, false)
}

/// What a viewer is to a poll, by what holds at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Eyes {
    pub(super) role: Role,
    pub(super) voter: Option<VoterKey>,
}

impl Eyes {
    fn of(actor: &Actor, poll: &Poll, memberships: &Memberships, asked: Option<&Voter>) -> Self {
        Self {
            role: Role::of(actor, poll, memberships),
            // Whom the viewer may not look as any more they are not; the subscription began with what was allowed.
            voter: identify::viewer(actor, poll, memberships, asked).unwrap_or_default(),
        }
    }

    /// Whether these eyes see the results; `voted` where the voter whose eyes they are has a ballot.
    pub(super) fn see(self, tally: &Tally, voted: bool) -> bool {
        self.role.finds(tally.status)
            && self
                .role
                .sees_results(tally.show_results, tally.status, voted)
    }
}

/// Something that a viewer has proved, and that may be taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Proof {
    /// The user's account is there, and they are what they are in the poll's workspace.
    User(UserId),
    /// The vote token was not revoked.
    Token(TokenHash),
}

/// What is known of a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Holding {
    /// What does not hold once never holds again: the account was deleted, the token revoked.
    pub(super) good: bool,
    /// What the user is in the poll's workspace.
    pub(super) role: Option<WorkspaceRole>,
}

/// One viewer's hold on a proof, by which the cell knows that it matters to somebody.
#[derive(Debug)]
pub(super) struct Held {
    proof: Proof,
    known: watch::Receiver<Holding>,
    /// What was taken into account last. Waiting for something new is not taking it into account.
    seen: Option<Holding>,
    cell: Arc<Watched>,
}

impl Held {
    fn take(cell: &Arc<Watched>, proof: Proof, role: Option<WorkspaceRole>, at: Asked) -> Self {
        Self {
            proof,
            // Others may hold it already, and know of it what is newer.
            known: cell.proofs().enter(proof, role, at),
            seen: None,
            cell: Arc::clone(cell),
        }
    }

    fn has_moved(&self) -> bool {
        self.seen != Some(*self.known.borrow())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.cell.proofs().leave(&self.proof);
    }
}

/// Returns when there is something new about a proof; never where there is none.
pub(super) async fn moved(held: Option<&mut Held>) {
    match held {
        // The sender lives as long as `held`, so that waiting cannot fail.
        Some(held) => drop(held.known.changed().await),
        None => std::future::pending().await,
    }
}

/// What a viewer has proved, and what it makes of them.
#[derive(Debug)]
pub(super) struct Rights {
    actor: Actor,
    /// With whose eyes the viewer asked to look.
    asked: Option<Voter>,
    memberships: Memberships,
    /// When the memberships were asked for.
    asked_at: Asked,
    began: Eyes,
    now: Eyes,
    /// What proves the user is over.
    is_over: bool,
    pub(super) user: Option<Held>,
    pub(super) token: Option<Held>,
}

impl Rights {
    pub(super) fn of(
        actor: &Actor,
        poll: &Poll,
        memberships: Memberships,
        asked_at: Asked,
        asked: Option<Voter>,
    ) -> Self {
        let eyes = Eyes::of(actor, poll, &memberships, asked.as_ref());
        Self {
            actor: actor.clone(),
            asked,
            memberships,
            asked_at,
            began: eyes,
            now: eyes,
            is_over: false,
            user: None,
            token: None,
        }
    }

    /// Holds the proofs that these rights follow from, where there are such.
    pub(super) fn held_in(mut self, cell: &Arc<Watched>) -> Self {
        let (newest, at) = (cell.newest(), self.asked_at);
        let poll = newest.poll();
        let differs = |actor: &Actor| {
            Eyes::of(actor, poll, &self.memberships, self.asked.as_ref()) != self.began
        };
        let user = self.actor.user_id().and_then(|user| {
            let (proof, role) = (Proof::User(user), self.memberships.of(user));
            if differs(&self.actor.without_user()) {
                return Some(Held::take(cell, proof, role, at));
            }
            // To the user's other viewers it may make a difference what they were found to be.
            cell.proofs().learn_role(&proof, role, at);
            None
        });
        let token = self.actor.vote_token_for(poll.id);
        let token = token.filter(|_| differs(&self.actor.without_vote_token(poll.id)));
        let token = token.map(|token| Held::take(cell, Proof::Token(token.hash()), None, at));
        (self.user, self.token) = (user, token);
        self
    }

    /// The same viewer by what this actor has proved, as far as the store need not be asked: a user and a vote token count
    /// only where they are held here, since nothing else was confirmed.
    pub(super) fn as_actor(&self, actor: &Actor, cell: &Arc<Watched>) -> Self {
        let memberships = self.memberships_now();
        let (newest, asked) = (cell.newest(), self.asked.clone());
        let holds = |held: &Option<Held>, proof| held.as_ref().is_some_and(|it| it.proof == proof);
        let poll = newest.poll();
        let mut confirmed = Cow::Borrowed(actor);
        if let Some(user) = actor.user_id()
            && !holds(&self.user, Proof::User(user))
        {
            confirmed = Cow::Owned(confirmed.without_user());
        }
        if let Some(token) = actor.vote_token_for(poll.id)
            && !holds(&self.token, Proof::Token(token.hash()))
        {
            confirmed = Cow::Owned(confirmed.without_vote_token(poll.id));
        }
        // What is remembered here was not asked for now: whatever else is known of a member is newer.
        let at = Asked::default();
        Self::of(&confirmed, poll, memberships, at, asked).held_in(cell)
    }

    /// What the viewer is now.
    pub(super) fn eyes(&self) -> Eyes {
        self.now
    }

    /// Whether the viewer is less now than at the beginning, or something else.
    pub(super) fn are_lost(&self) -> bool {
        self.now != self.began
    }

    /// Whether the viewer is the voter still who they were at the beginning.
    pub(super) fn keep_the_voter(&self) -> bool {
        self.now.voter == self.began.voter
    }

    /// Until when that is so, if nothing else happens; `None` where it has no end.
    pub(super) fn until(&self) -> Option<Timestamp> {
        let has_end = self.user.is_some() && !self.is_over;
        self.actor.user_end().filter(|_| has_end)
    }

    /// Takes into account what became of the proofs until `now`.
    pub(super) fn look(&mut self, poll: &Poll, now: Timestamp) {
        let is_over = self.actor.has_expired(now);
        let held = [&self.user, &self.token];
        if is_over == self.is_over && !held.into_iter().flatten().any(Held::has_moved) {
            return;
        }
        self.is_over = is_over;
        let known = |held: &mut Option<Held>| {
            held.as_mut().is_none_or(|held| {
                let holding = *held.known.borrow_and_update();
                held.seen = Some(holding);
                holding.good
            })
        };
        let (user, token) = (known(&mut self.user), known(&mut self.token));
        let mut actor = Cow::Borrowed(&self.actor);
        if is_over || !user {
            actor = Cow::Owned(actor.without_user());
        }
        if !token {
            actor = Cow::Owned(actor.without_vote_token(poll.id));
        }
        let memberships = self.memberships_now();
        self.now = Eyes::of(&actor, poll, &memberships, self.asked.as_ref());
    }

    fn memberships_now(&self) -> Memberships {
        let mut memberships = self.memberships.clone();
        if let (Some(user), Some(held)) = (self.actor.user_id(), &self.user) {
            memberships.set(user, held.known.borrow().role);
        }
        memberships
    }

    /// Somebody who proved nothing, and looks with these eyes.
    #[cfg(test)]
    pub(super) fn visitor(poll: &Poll, voter: Option<VoterKey>) -> Self {
        let mut rights = Self::of(
            &Actor::anonymous(),
            poll,
            Memberships::none(),
            Asked::default(),
            None,
        );
        rights.now.voter = voter;
        rights.began = rights.now;
        rights
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::polls::{NewPoll, ShowResults, Status};
    use crate::{Clock, FakeClock, PollLimits, SeededIds};

    fn poll() -> (Poll, Tally) {
        let (now, ids) = (FakeClock::default().now(), SeededIds::new(1));
        let new = NewPoll::single("?", ["a", "b"]).published();
        new.validate(&Actor::System, None, now, &ids, &PollLimits::default())
            .unwrap()
    }

    #[test]
    fn rights_make_no_difference_where_everybody_sees() {
        for status in Status::ALL {
            for show in [
                ShowResults::Always,
                ShowResults::AfterVote,
                ShowResults::AfterClose,
                ShowResults::Managers,
            ] {
                let tally = Tally {
                    status,
                    show_results: show,
                    ..poll().1
                };
                let is_final = status == Status::Closed;
                let expected = match show {
                    ShowResults::Always => status != Status::Draft,
                    ShowResults::AfterVote | ShowResults::AfterClose => is_final,
                    ShowResults::Managers => false,
                };
                assert_eq!(is_open(&tally), expected, "{show:?} {status:?}");
            }
        }
    }

    #[test]
    fn rights_end_with_what_proved_the_user_and_come_back_with_it() {
        let (poll, at) = (poll().0, Timestamp::from_millis);
        let ada = UserId::from_bytes([1; 16]);
        let poll = Poll {
            creator: Some(ada),
            ..poll
        };
        let actor = Actor::user_until(ada, at(1_000));
        let mut rights = Rights::of(&actor, &poll, Memberships::none(), Asked::default(), None);
        rights.look(&poll, at(999));
        assert_eq!(rights.eyes().role, Role::Manager);
        assert!(!rights.are_lost());
        rights.look(&poll, at(1_000));
        assert_eq!(rights.eyes().role, Role::Visitor);
        assert!(rights.are_lost());
        // A clock that is set back gives back what it took.
        rights.look(&poll, at(999));
        assert!(!rights.are_lost());
    }
}
