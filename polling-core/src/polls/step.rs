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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::polls::NewPoll;
    use crate::{Actor, Clock, FakeClock, PollLimits, SeededIds};

    #[test]
    #[expect(clippy::too_many_lines, reason = "it is one table")]
    fn a_poll_only_ever_moves_forward_and_only_when_its_time_has_come() {
        use Status::{Closed, Closing, Draft, Open, Scheduled};
        let created = FakeClock::default().now();
        let (opens, closes) = (
            created.after(Duration::from_secs(10)),
            created.after(Duration::from_secs(20)),
        );
        let new = NewPoll::single("?", ["a", "b"])
            .opens_at(opens)
            .closes_at(closes);
        let ids = SeededIds::new(1);
        let (poll, draft) = new
            .validate(&Actor::System, None, created, &ids, &PollLimits::default())
            .unwrap();
        let publish = Step::Publish { version: 1 };
        let other_version = Step::Publish { version: 2 };
        let steps = [
            publish,
            other_version,
            Step::Open,
            Step::BeginClosing,
            Step::Finish,
            Step::Close,
        ];
        // For each status: what the steps above lead to before the window, in it, and after it.
        let table = [
            (
                Draft,
                [
                    [Some(Scheduled), Some(Open), Some(Open)],
                    [None; 3],
                    [None; 3],
                    [None; 3],
                    [None; 3],
                    [None; 3],
                ],
            ),
            (
                Scheduled,
                [
                    [None; 3],
                    [None; 3],
                    [None, Some(Open), Some(Open)],
                    [None; 3],
                    [None; 3],
                    [Some(Closed); 3],
                ],
            ),
            (
                Open,
                [
                    [None; 3],
                    [None; 3],
                    [None; 3],
                    [None, None, Some(Closing)],
                    [None; 3],
                    [Some(Closed); 3],
                ],
            ),
            (
                Closing,
                [
                    [None; 3],
                    [None; 3],
                    [None; 3],
                    [None; 3],
                    [Some(Closed); 3],
                    [Some(Closed); 3],
                ],
            ),
            (Closed, [[None; 3]; 6]),
        ];
        for (status, expected) in table {
            let tally = Tally {
                status,
                revision: 7,
                ..draft.clone()
            };
            for (step, expected) in steps.into_iter().zip(expected) {
                for (now, expected) in [created, opens, closes].into_iter().zip(expected) {
                    let taken = step.take(&poll, &tally, now);
                    assert_eq!(
                        taken.as_ref().map(|tally| tally.status),
                        expected,
                        "{step:?} of {status:?} at {now}"
                    );
                    assert!(
                        taken.is_none_or(|tally| tally.revision == 8),
                        "each step is one revision"
                    );
                }
            }
        }
    }
}
