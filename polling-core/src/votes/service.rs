//! Casting, changing, withdrawing and reading ballots.

use std::sync::Arc;

use tokio::task::yield_now;

use super::door::Door;
use super::error::VoteError;
use super::gate::Refusal;
use super::intake::Intake;
use super::model::{Ballot, BallotRecord, RecordedBallot};
use super::recall::recall;
use super::receipt::{OwnBallot, Receipt};
use super::reply::{Answer, or_unknown};
use super::repository::{Change, Outcome, Withdrawal};
use super::verdict::{Verdict, judge};
use super::voter::Voter;
use super::wire;
use crate::engine::Parts;
use crate::{Actor, PollId, StoreError};

/// Ballots of a request that are looked at before others get their turn on the thread.
const AT_A_STRETCH: usize = 1_000;

/// The use cases of the votes.
#[derive(Clone)]
pub struct Votes {
    inner: Arc<Inner>,
}

struct Inner {
    parts: Parts,
    door: Door,
    intake: Intake,
}

impl Votes {
    pub(crate) fn new(parts: Parts, intake: Intake) -> Self {
        Self {
            inner: Arc::new(Inner {
                door: Door::new(parts.clone()),
                parts,
                intake,
            }),
        }
    }

    pub(crate) fn takes_work(&self) -> bool {
        self.inner.intake.is_open()
    }

    /// Casts a ballot: when this returns a receipt, the ballot is durable and counted. Sending the same ballot again
    /// returns the same receipt; whoever stops waiting does not take the ballot back.
    ///
    /// # Errors
    /// Any of [`VoteError`] but `VoteNotFound` and `ChangeNotAllowed`. After `Store` with the code `unavailable` the
    /// ballot may have been recorded: send it again with the same id.
    pub async fn cast(&self, actor: &Actor, ballot: Ballot) -> Result<Receipt, VoteError> {
        let inner = &*self.inner;
        let (known, record) = inner.door.check(actor, &ballot).await?;
        let outcome = if known.is_closed() {
            let only = std::slice::from_ref(&record);
            let found = Box::pin(recall(&*inner.parts.store, ballot.poll, only)).await?;
            found.into_iter().next().ok_or(VoteError::Closed)?
        } else {
            inner.intake.submit(record.clone()).await?
        };
        inner.conclude(&record, ballot.voter, outcome)
    }

    /// Whether somebody may vote in a poll, as far as no ballot is needed to tell: for what can be refused before it is read
    /// whole. It counts nothing. A poll that is closed is no reason: a retry is answered by it.
    ///
    /// # Errors
    /// `PollNotFound`, `Draft`; `Unauthorized`, `Forbidden`; `RateLimited`; `Store`.
    pub async fn may_cast(&self, actor: &Actor, poll: PollId) -> Result<(), VoteError> {
        self.inner.door.may_cast(actor, poll).await
    }

    /// Whether somebody may send ballots of a poll together, each of which is then answered by itself: for what can be refused
    /// before they are read.
    ///
    /// # Errors
    /// `PollNotFound`, `Draft`; `Store`.
    pub async fn may_cast_many(&self, actor: &Actor, poll: PollId) -> Result<(), VoteError> {
        self.inner.door.known(actor, poll).await.map(drop)
    }

    /// Casts many ballots in one poll, as if one by one in this order; each stands alone. What could not be parsed comes
    /// as its error, and keeps its place.
    ///
    /// # Errors
    /// For all: `PollNotFound`, `Draft`; `Unauthorized` where the caller's vote token is good no more; `Invalid` where
    /// there are more than [`request_ballots`](crate::Settings::request_ballots); `Overloaded` and `ShuttingDown`, of which
    /// nothing was recorded.
    pub async fn cast_all(
        &self,
        actor: &Actor,
        poll: PollId,
        ballots: Vec<Result<Ballot, VoteError>>,
    ) -> Result<Vec<Result<Receipt, VoteError>>, VoteError> {
        let inner = &*self.inner;
        wire::at_most(inner.parts.settings.request_ballots, ballots.len())?;
        let mut known = inner.door.known(actor, poll).await?;
        let named = ballots.iter().flatten().map(|ballot| &ballot.voter);
        let members = inner.door.members(actor, &known, named).await?;
        let check = |ballot: Result<Ballot, VoteError>| {
            let ballot = ballot?;
            let record = inner.door.record(actor, &known, &members, &ballot)?;
            Ok((record, ballot.voter))
        };
        let mut checked = Vec::with_capacity(ballots.len());
        let mut ballots = ballots.into_iter();
        while ballots.len() > 0 {
            checked.extend(ballots.by_ref().take(AT_A_STRETCH).map(check));
            if ballots.len() > 0 {
                yield_now().await;
            }
        }
        if checked.iter().any(Result::is_err) {
            known = inner.door.ask_again(actor, known).await?;
        }
        if checked.iter().any(Result::is_ok) {
            inner.door.confirm(actor, &known).await?;
        }
        let limited = inner.door.limit_all(actor, &known, &members, &mut checked);
        limited.await?;
        let records: Vec<BallotRecord> = checked
            .iter()
            .flatten()
            .map(|(record, _)| record.clone())
            .collect();
        let outcomes = if known.is_closed() {
            let found = Box::pin(recall(&*inner.parts.store, poll, &records)).await?;
            found.into_iter().map(Ok).collect()
        } else {
            self.submit_all(records).await?
        };
        let mut outcomes = outcomes.into_iter();
        let conclude = |entry: Result<(BallotRecord, Voter), VoteError>| {
            let (record, voter) = entry?;
            let outcome = or_unknown(outcomes.next())?;
            inner.conclude(&record, voter, outcome)
        };
        let mut concluded = Vec::with_capacity(checked.len());
        let mut checked = checked.into_iter().map(conclude);
        while checked.len() > 0 {
            concluded.extend(checked.by_ref().take(AT_A_STRETCH));
            if checked.len() > 0 {
                yield_now().await;
            }
        }
        Ok(concluded)
    }

    /// Hands over all of these ballots, or none of them, whether or not the caller waits to the end.
    async fn submit_all(&self, ballots: Vec<BallotRecord>) -> Result<Vec<Answer>, VoteError> {
        if !self.inner.intake.takes_turns(ballots.len()) {
            return self.inner.intake.submit_all(ballots).await;
        }
        let inner = Arc::clone(&self.inner);
        let submit = async move { inner.intake.submit_all(ballots).await };
        let submitted = self.inner.parts.tasks.run(submit).await;
        submitted.ok_or(VoteError::ShuttingDown)?
    }

    /// Makes this the vote of its voter, whatever it was before. The receipt says whether there was none.
    ///
    /// # Errors
    /// As [`cast`](Self::cast), and `ChangeNotAllowed`; never `AlreadyVoted`.
    pub async fn change(&self, actor: &Actor, ballot: Ballot) -> Result<Receipt, VoteError> {
        let inner = Arc::clone(&self.inner);
        let (_, record) = inner.door.check(actor, &ballot).await?;
        let change = async move {
            let change = inner.parts.store.votes().change(&record).await;
            let change = inner.parts.health.heard(change)?;
            inner.conclude_change(&record, ballot.voter, change)
        };
        self.inner.to_its_end(change).await
    }

    /// Withdraws the vote of a voter, who may vote again.
    ///
    /// # Errors
    /// `VoteNotFound` where there is none; `ChangeNotAllowed`, `NotOpen`, `Closed`; and those of who may vote.
    pub async fn withdraw(
        &self,
        actor: &Actor,
        poll: PollId,
        voter: &Voter,
    ) -> Result<(), VoteError> {
        let (_, key) = self.inner.door.identify(actor, poll, voter).await?;
        let at = self.inner.parts.clock.now();
        if actor.has_expired(at) {
            return Err(VoteError::Unauthorized);
        }
        let inner = Arc::clone(&self.inner);
        let withdraw = async move {
            match inner.parts.store.votes().withdraw(poll, &key, at).await? {
                Withdrawal::NotAllowed => Err(VoteError::ChangeNotAllowed),
                Withdrawal::Refused(refusal) => Err(inner.refused(poll, refusal)),
                Withdrawal::Missing => Err(VoteError::VoteNotFound),
                Withdrawal::Withdrawn(tally) => {
                    inner.parts.hub.put_changed_vote(&tally, &key, false);
                    Ok(())
                }
            }
        };
        self.inner.to_its_end(withdraw).await
    }

    /// The vote of a voter, as they may read it.
    ///
    /// # Errors
    /// `VoteNotFound` where there is none, and those of who may vote.
    pub async fn read(
        &self,
        actor: &Actor,
        poll: PollId,
        voter: &Voter,
    ) -> Result<OwnBallot, VoteError> {
        let (known, key) = self.inner.door.identify(actor, poll, voter).await?;
        let found = self.inner.parts.store.votes().find(poll, &key).await;
        match self.inner.parts.health.heard(found)? {
            Some(ballot) => Ok(OwnBallot::of(&ballot, &known.poll, voter.clone())),
            None => Err(self
                .inner
                .none_recorded(poll, VoteError::VoteNotFound)
                .await),
        }
    }
}

impl Inner {
    /// Does this to its end, and waits for that as long as for the answer to any vote.
    async fn to_its_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, VoteError>> + Send + 'static,
    ) -> Result<T, VoteError> {
        let Parts {
            tasks,
            clock,
            settings,
            ..
        } = &self.parts;
        tokio::select! {
            biased;
            done = tasks.run(work) => done.ok_or(VoteError::ShuttingDown)?,
            () = clock.pause(settings.answer_within) => {
                Err(StoreError::unavailable("the store has not answered in time").into())
            }
        }
    }

    /// Why a poll that is known here has no ballot of a voter: `otherwise`, unless another server deleted it.
    async fn none_recorded(&self, poll: PollId, otherwise: VoteError) -> VoteError {
        match self.parts.store.results().tally(poll).await {
            Ok(Some(_)) => otherwise,
            Ok(None) => self.refused(poll, Refusal::Missing),
            Err(error) => error.into(),
        }
    }

    fn conclude(
        &self,
        ballot: &BallotRecord,
        voter: Voter,
        outcome: Outcome,
    ) -> Result<Receipt, VoteError> {
        match outcome {
            Outcome::Added(revision) => Ok(Receipt::created(ballot, voter, revision)),
            Outcome::Existing(recorded) => repeated(ballot, &recorded, voter),
            Outcome::Superseded => Err(VoteError::Superseded),
            Outcome::Refused(refusal) => Err(self.refused(ballot.poll, refusal)),
        }
    }

    fn conclude_change(
        &self,
        ballot: &BallotRecord,
        voter: Voter,
        change: Change,
    ) -> Result<Receipt, VoteError> {
        let (tally, receipt) = match change {
            Change::Unchanged(recorded) => {
                return Ok(Receipt::recorded(&recorded, ballot.poll, voter));
            }
            Change::IdReused => return Err(VoteError::BallotIdReused),
            Change::Superseded => return Err(VoteError::Superseded),
            Change::NotAllowed => return Err(VoteError::ChangeNotAllowed),
            Change::Refused(refusal) => return Err(self.refused(ballot.poll, refusal)),
            Change::Created(tally) => {
                let receipt = Receipt::created(ballot, voter, tally.revision);
                (tally, receipt)
            }
            Change::Changed(tally) => {
                let receipt = Receipt::changed(ballot, voter, tally.revision);
                (tally, receipt)
            }
        };
        self.parts.hub.put_changed_vote(&tally, &ballot.voter, true);
        Ok(receipt)
    }

    fn refused(&self, poll: PollId, refusal: Refusal) -> VoteError {
        match refusal {
            Refusal::Missing => {
                self.parts.cache.forget(poll);
                VoteError::PollNotFound
            }
            Refusal::NotOpen => VoteError::NotOpen,
            Refusal::Closed => VoteError::Closed,
            Refusal::OptionUnknown => VoteError::OptionUnknown(Vec::new()),
        }
    }
}

fn repeated(
    ballot: &BallotRecord,
    recorded: &RecordedBallot,
    voter: Voter,
) -> Result<Receipt, VoteError> {
    match judge(ballot, recorded) {
        Verdict::Retry => Ok(Receipt::recorded(recorded, ballot.poll, voter)),
        Verdict::AlreadyVoted => Err(VoteError::AlreadyVoted),
        Verdict::BallotIdReused => Err(VoteError::BallotIdReused),
    }
}

impl std::fmt::Debug for Votes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Votes").finish_non_exhaustive()
    }
}
