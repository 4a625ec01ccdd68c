//! Changing and withdrawing a vote, as a pure rule that every store applies to what it found. The outcomes are judged in
//! the order in which [`Change`] and [`Withdrawal`] list them.

use super::gate::{admit, takes};
use super::model::{BallotRecord, RecordedBallot};
use super::repository::{Change, Withdrawal};
use crate::Timestamp;
use crate::results::Tally;

/// What a store finds when a voter wants to change or withdraw their vote, all from one moment.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The poll's gate.
    pub tally: Tally,
    /// Whether the poll lets votes be changed.
    pub allow_change: bool,
    /// The voter's ballot, where there is one.
    pub ballot: Option<RecordedBallot>,
    /// Whether that ballot counts; else it was withdrawn.
    pub counts: bool,
    /// What else is known of the id that the new ballot has.
    pub name: Name,
}

/// What is known of a ballot id beside its being that of the voter's ballot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// Nothing.
    Unknown,
    /// It is another id of the ballot that the voter has.
    Current,
    /// The ballot that it named was changed or withdrawn.
    Superseded,
}

/// What a store does to make a ballot the vote of its voter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangePlan {
    /// Nothing: this is the answer.
    Answer(Change),
    /// Remembers the id as another one of this ballot, which is the answer.
    Name(RecordedBallot),
    /// Inserts the ballot: there was none.
    Insert {
        /// Whether it opens the poll.
        opens: bool,
    },
    /// Writes it over the one that was withdrawn.
    Revive {
        /// The ballot that was withdrawn.
        old: RecordedBallot,
        /// Whether it opens the poll.
        opens: bool,
    },
    /// Writes it over the one that counts, whose id is superseded.
    Replace {
        /// The ballot that counts until now.
        old: RecordedBallot,
        /// Whether it opens the poll.
        opens: bool,
    },
}

/// What a store does to take a vote out of the count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WithdrawalPlan {
    /// Nothing: this is the answer.
    Answer(Withdrawal),
    /// Takes this ballot out, whose id is superseded.
    Withdraw {
        /// The ballot that counts until now.
        old: RecordedBallot,
    },
}

impl Standing {
    /// What is to be done to make `ballot` the vote of this voter.
    #[must_use]
    pub fn plan_change(self, ballot: &BallotRecord) -> ChangePlan {
        if !self.allow_change {
            return ChangePlan::Answer(Change::NotAllowed);
        }
        let is_so = self.counts
            && self
                .ballot
                .as_ref()
                .is_some_and(|old| old.selection == ballot.selection);
        if let Some(refused) = self.refuse_id(ballot, is_so) {
            return ChangePlan::Answer(refused);
        }
        match (takes(&self.tally, ballot), self.ballot) {
            (_, Some(old)) if is_so && ballot.id_is_clients && old.id != ballot.id => {
                ChangePlan::Name(old)
            }
            (_, Some(old)) if is_so => ChangePlan::Answer(Change::Unchanged(old)),
            (Err(refusal), _) => ChangePlan::Answer(Change::Refused(refusal)),
            (Ok(opens), None) => ChangePlan::Insert { opens },
            (Ok(opens), Some(old)) if self.counts => ChangePlan::Replace { old, opens },
            (Ok(opens), Some(old)) => ChangePlan::Revive { old, opens },
        }
    }

    /// Why this id, which the client chose, cannot be that of the voter's vote.
    fn refuse_id(&self, ballot: &BallotRecord, is_so: bool) -> Option<Change> {
        if !ballot.id_is_clients {
            return None;
        }
        let old = self.ballot.as_ref()?;
        if self.counts && old.id == ballot.id {
            return (!is_so).then_some(Change::IdReused);
        }
        match self.name {
            Name::Superseded => Some(Change::Superseded),
            Name::Current if !is_so => Some(Change::IdReused),
            Name::Current | Name::Unknown => None,
        }
    }

    /// What is to be done to take the vote of this voter out of the count.
    #[must_use]
    pub fn plan_withdrawal(self, at: Timestamp) -> WithdrawalPlan {
        if !self.allow_change {
            return WithdrawalPlan::Answer(Withdrawal::NotAllowed);
        }
        if let Err(refusal) = admit(&self.tally, at) {
            return WithdrawalPlan::Answer(Withdrawal::Refused(refusal));
        }
        match self.ballot {
            Some(old) if self.counts => WithdrawalPlan::Withdraw { old },
            _ => WithdrawalPlan::Answer(Withdrawal::Missing),
        }
    }
}
