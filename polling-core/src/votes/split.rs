//! A batch on its way to the store, in parts: what cannot be recorded as a whole is sent again in smaller parts.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::model::BallotRecord;
use super::waiting::Job;
use crate::PollId;

/// Ballots that are sent together.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) jobs: Vec<Job>,
    /// Whether any of them may be recorded already, by a sending of which nobody heard.
    pub(super) sent_before: bool,
}

impl Part {
    pub(super) const fn new(jobs: Vec<Job>) -> Self {
        Self {
            jobs,
            sent_before: false,
        }
    }

    pub(super) fn ballots(&self) -> Arc<[BallotRecord]> {
        self.jobs.iter().map(|job| job.ballot.clone()).collect()
    }

    /// These of its ballots, and the others.
    fn divide(self, is_first: impl Fn(&Job) -> bool) -> [Self; 2] {
        let sent_before = self.sent_before;
        let (first, second) = self.jobs.into_iter().partition(is_first);
        [first, second].map(|jobs| Self { jobs, sent_before })
    }
}

/// The parts of a batch that are still to be sent.
#[derive(Debug)]
pub(super) struct Split {
    left: Vec<Part>,
}

impl Split {
    pub(super) fn of(whole: Part) -> Self {
        Self { left: vec![whole] }
    }

    /// The part that is sent next.
    pub(super) fn next(&mut self) -> Option<Part> {
        self.left.pop()
    }

    /// Something of this part cannot be recorded: its halves are sent. Returns it where it is a single ballot.
    pub(super) fn poisoned(&mut self, mut part: Part) -> Option<Part> {
        if part.jobs.len() <= 1 {
            return Some(part);
        }
        let second_half = part.jobs.split_off(part.jobs.len() / 2);
        self.left.push(Part {
            jobs: second_half,
            ..part
        });
        self.left.push(part);
        None
    }

    /// Somebody else holds what ballots of this part need, of these polls, or where there are none named, of any. Returns
    /// the ballots that have to wait; the others are sent again, in halves while it is not known whose they are.
    pub(super) fn blocked(&mut self, mut part: Part, named: &[PollId]) -> Option<Part> {
        // What a store had begun with may stand.
        part.sent_before = true;
        let named: BTreeSet<PollId> = named.iter().copied().collect();
        let [waits, others] = part.divide(|job| named.contains(&job.ballot.poll));
        if !waits.jobs.is_empty() {
            self.push(others);
            return Some(waits);
        }
        let polls: BTreeSet<PollId> = others.jobs.iter().map(|job| job.ballot.poll).collect();
        let Some(middle) = polls
            .iter()
            .nth(polls.len() / 2)
            .filter(|_| polls.len() > 1)
        else {
            return Some(others);
        };
        for half in others.divide(|job| job.ballot.poll >= *middle) {
            self.push(half);
        }
        None
    }

    fn push(&mut self, part: Part) {
        if !part.jobs.is_empty() {
            self.left.push(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::super::model::Selection;
    use super::super::reply::Reply;
    use super::super::shares::Slot;
    use super::super::voter::VoterKey;
    use super::*;
    use crate::{BallotId, Timestamp};

    fn poll(number: u8) -> PollId {
        PollId::from_bytes([number; 16])
    }

    /// A ballot in each of these polls.
    fn part(polls: impl IntoIterator<Item = u8>) -> Part {
        let job = |number| Job {
            ballot: BallotRecord {
                poll: poll(number),
                voter: VoterKey::from_bytes([0; 16]),
                id: BallotId::from_bytes([0; 16]),
                id_is_clients: false,
                selection: Selection::from_store(&[0]),
                received_at: Timestamp::EPOCH,
            },
            slot: Slot::of(0),
            reply: Reply::Caller(oneshot::channel().0),
        };
        Part::new(polls.into_iter().map(job).collect())
    }

    fn polls(part: &Part) -> Vec<u8> {
        let polls = part.jobs.iter().map(|job| job.ballot.poll.as_bytes()[0]);
        polls.collect()
    }

    #[test]
    fn a_batch_without_the_polls_that_are_named_is_sent_again_at_once() {
        let mut split = Split::of(part([1, 2, 1, 3, 4]));
        let whole = split.next().unwrap();
        let waits = split.blocked(whole, &[poll(1), poll(3), poll(9)]);
        assert_eq!(polls(&waits.unwrap()), [1, 1, 3]);
        let others = split.next().unwrap();
        assert_eq!(polls(&others), [2, 4]);
        assert!(others.sent_before);
        assert!(split.next().is_none());
    }

    #[test]
    fn where_no_poll_is_named_halves_of_the_polls_are_sent_until_one_stands_alone() {
        let mut split = Split::of(part((0..100).chain(0..100)));
        let (mut waits, mut sent, mut recorded) = (Vec::new(), 0, 0);
        while let Some(part) = split.next() {
            sent += 1;
            if polls(&part).contains(&37) {
                waits.extend(split.blocked(part, &[]));
            } else {
                recorded += part.jobs.len();
            }
        }
        let [waits] = &waits[..] else {
            panic!("{waits:?}")
        };
        assert_eq!(polls(waits), [37, 37]);
        assert_eq!(recorded, 198);
        assert!(sent <= 2 * 7 + 1, "{sent} parts");
    }

    #[test]
    fn a_poll_that_is_not_of_the_part_names_none() {
        let mut split = Split::of(part([1, 2]));
        let whole = split.next().unwrap();
        assert!(split.blocked(whole, &[poll(9)]).is_none());
        assert_eq!(split.next().map(|part| part.jobs.len()), Some(1));
    }

    #[test]
    fn a_poisoned_ballot_stands_alone_in_the_end() {
        let mut split = Split::of(part(0..9));
        let mut alone = Vec::new();
        while let Some(part) = split.next() {
            if polls(&part).contains(&3) {
                alone.extend(split.poisoned(part));
            }
        }
        assert_eq!(alone.iter().map(polls).collect::<Vec<_>>(), [[3]]);
    }
}
