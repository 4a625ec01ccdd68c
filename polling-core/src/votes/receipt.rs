//! What a voter gets in return: these types are the JSON.

use serde::Serialize;

use super::model::{BallotRecord, RecordedBallot};
use super::voter::Voter;
use crate::polls::Poll;
use crate::results::Revision;
use crate::{BallotId, OptionId, PollId, Timestamp};

/// The proof of a recorded ballot: it is durable, and counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Receipt {
    /// The ballot's id.
    pub ballot_id: BallotId,
    /// In which poll.
    pub poll_id: PollId,
    /// The voter as they were sent; absent for registered users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voter: Option<String>,
    /// A revision of the poll that contains the ballot: who sees results of at least this revision sees the vote in them.
    pub revision: Revision,
    /// When the ballot arrived.
    pub cast_at: Timestamp,
    /// Whether this call recorded a ballot where there was none; else it was recorded before.
    #[serde(skip)]
    pub created: bool,
}

impl Receipt {
    pub(super) fn created(ballot: &BallotRecord, voter: Voter, revision: Revision) -> Self {
        Self {
            created: true,
            ..Self::changed(ballot, voter, revision)
        }
    }

    pub(super) fn changed(ballot: &BallotRecord, voter: Voter, revision: Revision) -> Self {
        Self {
            ballot_id: ballot.id,
            poll_id: ballot.poll,
            voter: voter.into_text(),
            revision,
            cast_at: ballot.received_at,
            created: false,
        }
    }

    pub(super) fn recorded(ballot: &RecordedBallot, poll: PollId, voter: Voter) -> Self {
        Self {
            ballot_id: ballot.id,
            poll_id: poll,
            voter: voter.into_text(),
            revision: ballot.revision,
            cast_at: ballot.cast_at,
            created: false,
        }
    }
}

/// A voter's own ballot, as they may read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OwnBallot {
    /// Its receipt.
    #[serde(flatten)]
    pub receipt: Receipt,
    /// What it selects, in the order of the poll's options.
    pub option_ids: Vec<OptionId>,
}

impl OwnBallot {
    pub(super) fn of(ballot: &RecordedBallot, poll: &Poll, voter: Voter) -> Self {
        let options = ballot.selection.positions().iter();
        Self {
            receipt: Receipt::recorded(ballot, poll.id, voter),
            option_ids: options
                .filter_map(|&at| poll.options.get(usize::from(at)))
                .map(|option| option.id)
                .collect(),
        }
    }
}
