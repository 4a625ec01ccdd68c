//! The port of the ballots, as a contract. `polling-conformance` tests each sentence of it.

use std::sync::Arc;

use async_trait::async_trait;

use super::gate::Refusal;
use super::model::{BallotRecord, RecordedBallot};
use super::voter::VoterKey;
use crate::error::Cause;
use crate::results::{Revision, Tally};
use crate::{BallotId, PollId, StoreError, Timestamp};

/// The ballots of a store. There is at most one for each poll and voter, by primary key.
#[async_trait]
pub trait VoteRepository: Send + Sync {
    /// How many writers are best at work at once.
    fn lanes(&self) -> usize {
        1
    }

    /// How many ballots of large requests a lane is handed in one turn: what is recorded in a few milliseconds, because a
    /// single ballot may wait behind two such turns.
    fn turn_ballots(&self) -> usize {
        1_024
    }

    /// A writer of its own, for one lane.
    async fn writer(&self) -> Result<Box<dyn VoteWriter>, StoreError>;

    /// A writer for ballots that another one could not record because something that they need is held (`Blocked`): no
    /// other ballots wait behind it, so that it may wait for longer.
    async fn patient_writer(&self) -> Result<Box<dyn VoteWriter>, StoreError> {
        self.writer().await
    }

    /// The ballots that count of many voters of one poll: one for each, in the order of the question, all from one moment,
    /// and each with a revision that contains it. `None` for a voter who has none in this poll, or has withdrawn it; for
    /// all where there is no such poll. A store with queries asks one, however many voters there are.
    async fn find_all(
        &self,
        poll: PollId,
        voters: &[VoterKey],
    ) -> Result<Vec<Option<RecordedBallot>>, StoreError>;

    /// The ballot of one voter that counts: [`find_all`](Self::find_all) for one.
    async fn find(
        &self,
        poll: PollId,
        voter: &VoterKey,
    ) -> Result<Option<RecordedBallot>, StoreError> {
        let mut found = self.find_all(poll, std::slice::from_ref(voter)).await?;
        Ok(found.pop().flatten())
    }

    /// Whether this ballot id of this voter was superseded: its ballot was changed or withdrawn.
    async fn is_superseded(
        &self,
        poll: PollId,
        voter: &VoterKey,
        id: BallotId,
    ) -> Result<bool, StoreError>;

    /// Makes `ballot` the vote of its voter, whatever it was before: one atomic step through the gate, durable on return.
    /// Repeats are recognised before the gate is asked. See [`Change`].
    async fn change(&self, ballot: &BallotRecord) -> Result<Change, StoreError>;

    /// Takes the vote of a voter out of the count: one atomic step through the gate, durable on return. Its id counts as
    /// superseded from then on. The row stays, and is left out of every count, recount and view.
    async fn withdraw(
        &self,
        poll: PollId,
        voter: &VoterKey,
        at: Timestamp,
    ) -> Result<Withdrawal, StoreError>;
}

/// Writes the ballots of one lane.
#[async_trait]
pub trait VoteWriter: Send {
    /// Records a batch in one commit, and returns one outcome for each ballot, in order, and the new tally of each poll
    /// to which at least one ballot was added.
    ///
    /// The caller promises that no two ballots of a batch have the same poll and voter. The store promises:
    /// - On return, what was recorded is durable, and counted in the tallies that are returned.
    /// - A poll's revision grows by one for the batch, however many of its ballots were added, and by none where none
    ///   was; by one more where the batch opened it ([`admit`](super::admit)). A store may count voters who had withdrawn,
    ///   and vote again, in a step of their own, which is one revision more.
    /// - A ballot stands or falls alone: the refusal of one leaves the others as they are.
    /// - Whether a poll takes a ballot is decided by [`admit`](super::admit) on the tally at the commit: no ballot is ever
    ///   added after a step to closed has returned.
    /// - Where the voter has a ballot already, nothing is added, whatever the gate says: see [`Outcome`].
    ///
    /// On an error nothing of the batch was recorded, or (`Lost`, `Blocked`) nobody knows. The same batch, or a part of it,
    /// may be sent again with the same ballot ids, to the same writer or to another one: what was recorded is then
    /// `Existing`.
    ///
    /// A lock that somebody else holds is not waited for longer than the others in the batch can wait: that is `Blocked`.
    async fn record(&mut self, batch: Arc<[BallotRecord]>) -> Result<Recorded, RecordError>;
}

/// What became of a batch.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    /// One for each ballot, in order.
    pub outcomes: Vec<Outcome>,
    /// One for each poll that changed.
    pub tallies: Vec<Tally>,
}

/// What became of a ballot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Added, also where the voter had withdrawn their vote before; this revision contains it.
    Added(Revision),
    /// The voter has this ballot, which counts.
    Existing(RecordedBallot),
    /// A ballot with this id, chosen by the client, was changed or withdrawn since.
    Superseded,
    /// The poll does not take it.
    Refused(Refusal),
}

/// Why a batch was not recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The store cannot be reached, or was lost at the commit: nobody knows whether the batch was recorded.
    #[error("the store was lost while a batch was recorded")]
    Lost(#[source] Cause),
    /// Something of the batch cannot be recorded: nothing was. Halves of it may still be.
    #[error("the batch cannot be recorded")]
    Poisoned(#[source] Cause),
    /// Somebody else holds something that the batch needs, for longer than a writer waits for it. The store answers, and the
    /// ballots of other polls can be recorded.
    #[error("something that the batch needs is held by somebody else")]
    Blocked {
        /// The polls whose ballots have to wait, as far as the store can tell. None where it cannot: then it can be the
        /// ballots of any poll of the batch.
        polls: Vec<PollId>,
        /// What the store says.
        #[source]
        source: Cause,
    },
}

/// What became of a change. The outcomes are judged in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The poll does not let votes be changed; nothing was written.
    NotAllowed,
    /// The voter's ballot is known by this id, chosen by the client, and has another content; nothing was written.
    IdReused,
    /// A ballot known by this id, chosen by the client, was changed or withdrawn since; nothing was written.
    Superseded,
    /// The voter has a ballot with this very content already, under this id or another; nothing was counted. Another id,
    /// chosen by the client, is known as the ballot's from then on: superseded with its next change, so that a late
    /// repeat of this wish does not undo a newer one.
    Unchanged(RecordedBallot),
    /// The poll does not take votes now; nothing was written.
    Refused(Refusal),
    /// The voter had no ballot, or had withdrawn it, and has this one now.
    Created(Tally),
    /// The voter's ballot was replaced; its id is superseded.
    Changed(Tally),
}

/// What became of a withdrawal. The outcomes are judged in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Withdrawal {
    /// The poll does not let votes be withdrawn; nothing was written.
    NotAllowed,
    /// The poll does not take votes now; nothing was written.
    Refused(Refusal),
    /// The voter has no ballot that counts; nothing was written.
    Missing,
    /// The ballot does not count any more.
    Withdrawn(Tally),
}
