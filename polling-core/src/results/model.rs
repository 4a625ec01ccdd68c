//! What is counted, and how it is shown.

use serde::Serialize;

use crate::polls::{Poll, ShowResults, Status, Window};
use crate::votes::Selection;
use crate::{OptionId, PollId};

/// Counts the changes of a poll's tally, in the order of their commits, from 0 for a draft. The same revision of a poll
/// is the same content everywhere, for ever.
pub type Revision = u64;

/// The half of a poll that moves: one row of the store, the gate that every ballot and every step passes through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Of which poll.
    pub poll_id: PollId,
    /// Where the poll is in its life.
    pub status: Status,
    /// When it takes votes.
    pub window: Window,
    /// Who sees the counters.
    pub show_results: ShowResults,
    /// One more with each change.
    pub revision: Revision,
    /// Ballots that count: one for each voter who has not withdrawn.
    pub ballots: u64,
    /// By position: the ballots that select this option.
    pub counts: Vec<u64>,
}

impl Tally {
    /// The tally of a new draft.
    #[must_use]
    pub fn new(poll: &Poll, window: Window, show_results: ShowResults) -> Self {
        Self {
            poll_id: poll.id,
            status: Status::Draft,
            window,
            show_results,
            revision: 0,
            ballots: 0,
            counts: vec![0; poll.options.len()],
        }
    }

    /// Counts a ballot. The revision is the batch's to count.
    pub fn add(&mut self, selection: &Selection) {
        self.ballots += 1;
        for &position in selection.positions() {
            self.counts[usize::from(position)] += 1;
        }
    }

    /// Takes a ballot that was counted out again.
    pub fn remove(&mut self, selection: &Selection) {
        self.ballots -= 1;
        for &position in selection.positions() {
            self.counts[usize::from(position)] -= 1;
        }
    }

    /// Whether no ballot can be added any more.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.status == Status::Closed
    }
}

/// The results of a poll as others see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct Results {
    /// Of which poll.
    pub poll_id: PollId,
    /// The same revision is the same content.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub revision: Revision,
    /// Ballots that count, which is voters; not selections.
    pub ballots: u64,
    /// Where the poll is in its life.
    pub status: Status,
    /// Whether no ballot can be added any more.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// By option, in order.
    pub options: Vec<OptionResult>,
}

/// The count of one option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct OptionResult {
    /// The option.
    pub id: OptionId,
    /// Its place in the poll.
    pub position: u8,
    /// The ballots that select it.
    pub votes: u64,
}

impl Results {
    pub(crate) fn of(poll: &Poll, tally: &Tally) -> Self {
        let options = (0..=u8::MAX)
            .zip(poll.options.iter().zip(&tally.counts))
            .map(|(position, (option, &votes))| OptionResult {
                id: option.id,
                position,
                votes,
            })
            .collect();
        Self {
            poll_id: poll.id,
            revision: tally.revision,
            ballots: tally.ballots,
            status: tally.status,
            is_final: tally.is_final(),
            options,
        }
    }
}
