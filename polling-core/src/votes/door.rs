//! What is checked of a ballot before it goes to the intake: the poll as it is known here, who votes, and what.

use std::sync::Arc;

use super::error::VoteError;
use super::identify;
use super::members;
use super::model::{Ballot, BallotRecord, Selection};
use super::token;
use super::voter::{Voter, VoterKey};
use crate::engine::Parts;
use crate::limits::Rule;
use crate::polls::Voters;
use crate::polls::cache::KnownPoll;
use crate::workspaces::membership::Memberships;
use crate::{Actor, BallotId, FieldError, PollId};

pub(super) struct Door {
    parts: Parts,
}

impl Door {
    pub(super) const fn new(parts: Parts) -> Self {
        Self { parts }
    }

    /// The poll, if it is there for this actor, and published.
    pub(super) async fn known(
        &self,
        actor: &Actor,
        poll: PollId,
    ) -> Result<Arc<KnownPoll>, VoteError> {
        let known = match self.parts.cache.known(poll) {
            Some(known) => known,
            // The way to the store is long, and seldom gone: it must not make every vote's future as large.
            None => {
                let found = Box::pin(self.parts.cache.find(poll)).await?;
                found.ok_or(VoteError::PollNotFound)?
            }
        };
        if !known.is_draft {
            Ok(known)
        } else {
            let store = &*self.parts.store;
            Err(Box::pin(members::refuse_draft(store, actor, &known.poll)).await)
        }
    }

    /// Whether the actor may vote in the poll, as far as nothing but their ballot says otherwise.
    pub(super) async fn may_cast(&self, actor: &Actor, poll: PollId) -> Result<(), VoteError> {
        let limits = &self.parts.limits;
        let check = |known: &KnownPoll, members: &Memberships| {
            match identify::voter(actor, &known.poll, members, &Voter::Caller) {
                // Who votes is said by the ballot.
                Ok(_) | Err(VoteError::VoterRequired) => {}
                Err(refusal) => return Err(refusal),
            }
            Ok(limits.of_vote(actor, &known.poll, members))
        };
        let (_, key) = self.pass(actor, poll, &Voter::Caller, check).await?;
        match key {
            Some(key) => Ok(limits.look_at_votes(key).await?),
            None => Ok(()),
        }
    }

    /// The poll, and the voter that the actor is there.
    pub(super) async fn identify(
        &self,
        actor: &Actor,
        poll: PollId,
        voter: &Voter,
    ) -> Result<(Arc<KnownPoll>, VoterKey), VoteError> {
        let identify = |known: &KnownPoll, members: &Memberships| {
            identify::voter(actor, &known.poll, members, voter)
        };
        self.pass(actor, poll, voter, identify).await
    }

    /// The poll, and a ballot as it is recorded, which may be cast.
    pub(super) async fn check(
        &self,
        actor: &Actor,
        ballot: &Ballot,
    ) -> Result<(Arc<KnownPoll>, BallotRecord), VoteError> {
        let limits = &self.parts.limits;
        let record = |known: &KnownPoll, members: &Memberships| {
            let record = self.record(actor, known, members, ballot)?;
            Ok((record, limits.of_vote(actor, &known.poll, members)))
        };
        let passed = self.pass(actor, ballot.poll, &ballot.voter, record);
        let (known, (record, key)) = passed.await?;
        if let Some(key) = key {
            Box::pin(limits.count(Rule::Vote, key)).await?;
        }
        Ok((known, record))
    }

    /// The poll, and what `check` gives. What is remembered of a poll refuses nobody: that is confirmed at the store first,
    /// because another server may have deleted the poll.
    async fn pass<T>(
        &self,
        actor: &Actor,
        poll: PollId,
        voter: &Voter,
        check: impl Fn(&KnownPoll, &Memberships) -> Result<T, VoteError>,
    ) -> Result<(Arc<KnownPoll>, T), VoteError> {
        let known = self.known(actor, poll).await?;
        let members = self.members(actor, &known, [voter]).await?;
        match check(&known, &members) {
            Ok(checked) => {
                self.confirm(actor, &known).await?;
                Ok((known, checked))
            }
            Err(refusal) => {
                Box::pin(self.ask_again(actor, known)).await?;
                Err(refusal)
            }
        }
    }

    /// Who votes by a token holds one that is still good; all others are what they proved to be.
    pub(super) async fn confirm(&self, actor: &Actor, known: &KnownPoll) -> Result<(), VoteError> {
        if known.poll.voters != Voters::Tokens {
            return Ok(());
        }
        Box::pin(token::confirm(&*self.parts.store, actor, &known.poll)).await
    }

    /// The poll as the store has it now, if it is still there.
    pub(super) async fn ask_again(
        &self,
        actor: &Actor,
        known: Arc<KnownPoll>,
    ) -> Result<Arc<KnownPoll>, VoteError> {
        let poll = known.poll.id;
        self.parts.cache.doubt(&known);
        self.known(actor, poll).await
    }

    /// What the actor, and whom the application itself names, are in the poll's workspace, where it
    /// [matters](members::matter).
    pub(super) async fn members<'a>(
        &self,
        actor: &Actor,
        known: &KnownPoll,
        voters: impl IntoIterator<Item = &'a Voter> + Send,
    ) -> Result<Memberships, VoteError> {
        let limited = self.parts.settings.limits.vote.is_some();
        if !members::matter(actor, &known.poll, limited) {
            return Ok(Memberships::none());
        }
        let store = &*self.parts.store;
        let found = Memberships::look_up(store, actor, &known.poll, voters);
        Ok(Box::pin(found).await?)
    }

    /// Counts votes, where votes have a limit: the first of them are let through, as many as may be.
    pub(super) async fn limit_all<T>(
        &self,
        actor: &Actor,
        known: &KnownPoll,
        members: &Memberships,
        ballots: &mut [Result<T, VoteError>],
    ) -> Result<(), VoteError> {
        let limits = &self.parts.limits;
        let Some(key) = limits.of_vote(actor, &known.poll, members) else {
            return Ok(());
        };
        let good = ballots.iter_mut().filter(|ballot| ballot.is_ok());
        let good: Vec<_> = good.collect();
        let (granted, refused) = Box::pin(limits.take_votes(key, good.len())).await?;
        if let Some(refused) = refused {
            for ballot in good.into_iter().skip(granted) {
                *ballot = Err(refused.clone().into());
            }
        }
        Ok(())
    }

    /// The ballot as it is recorded, stamped now: who votes, and what.
    pub(super) fn record(
        &self,
        actor: &Actor,
        known: &KnownPoll,
        members: &Memberships,
        ballot: &Ballot,
    ) -> Result<BallotRecord, VoteError> {
        if ballot.poll != known.poll.id {
            let detail = "is not the poll that all of these ballots are for";
            return Err(VoteError::Invalid(vec![FieldError::invalid(
                "/poll_id", detail,
            )]));
        }
        let voter = identify::voter(actor, &known.poll, members, &ballot.voter)?;
        let selection = Selection::of(&ballot.chosen, &known.poll)?;
        let received_at = self.parts.clock.now();
        if actor.has_expired(received_at) {
            return Err(VoteError::Unauthorized);
        }
        Ok(BallotRecord {
            poll: ballot.poll,
            voter,
            id: ballot
                .id
                .unwrap_or_else(|| BallotId::new(received_at, &*self.parts.ids)),
            id_is_clients: ballot.id.is_some(),
            selection,
            received_at,
        })
    }
}
