//! The steps of a poll's life, as one pure rule that every store applies under its own lock.

use super::model::{Poll, Status};
use crate::Timestamp;
use crate::results::Tally;

/// A step from one status to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// From draft to open, or to scheduled where `opens_at` is still to come; only if the poll is at this version, the
    /// one that was checked.
    Publish {
        /// The version that was checked.
        version: u64,
    },
    /// From scheduled to open, from `opens_at` on.
    Open,
    /// From open to closing, from `closes_at` on.
    BeginClosing,
    /// From closing to closed; whoever takes this step has waited for the grace.
    Finish,
    /// From any published status to closed, now: by hand.
    Close,
}

impl Step {
    /// The tally after this step, one revision later; `None` where the step cannot be taken (any more, or yet).
    #[must_use]
    pub fn take(self, poll: &Poll, tally: &Tally, now: Timestamp) -> Option<Tally> {
        let reached = |at: Option<Timestamp>| at.is_none_or(|at| at <= now);
        let status = match (self, tally.status) {
            (Step::Publish { version }, Status::Draft) if version == poll.version => {
                if reached(tally.window.opens_at) {
                    Status::Open
                } else {
                    Status::Scheduled
                }
            }
            (Step::Open, Status::Scheduled) if reached(tally.window.opens_at) => Status::Open,
            (Step::BeginClosing, Status::Open)
                if tally.window.closes_at.is_some_and(|at| at <= now) =>
            {
                Status::Closing
            }
            (Step::Finish, Status::Closing)
            | (Step::Close, Status::Scheduled | Status::Open | Status::Closing) => Status::Closed,
            _ => return None,
        };
        Some(Tally {
            status,
            revision: tally.revision + 1,
            ..tally.clone()
        })
    }
}
