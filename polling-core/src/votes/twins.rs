//! Ballots of one voter in one poll that come while an earlier one is on its way: they are decided after its outcome, as
//! if they had come later, and hold up nobody else.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::model::{BallotRecord, RecordedBallot};
use super::repository::Outcome;
use super::shares::Shares;
use super::voter::VoterKey;
use super::waiting::Job;
use crate::{PollId, StoreError};

/// So many ballots of one voter whose id the client chose may wait behind another one; whoever sends more is told to come
/// again. They are decided by the store, one in each batch, so that a few voters could fill the queue for long.
const MOST_NAMED: usize = 1024;

/// With this, a ballot is one of its kind.
pub(super) type Key = (PollId, VoterKey);

pub(super) fn key(ballot: &BallotRecord) -> Key {
    (ballot.poll, ballot.voter)
}

/// Who waits behind whom.
#[derive(Debug)]
pub(super) struct Twins {
    behind: HashMap<Key, VecDeque<Job>>,
    shares: Arc<Shares>,
}

impl Twins {
    /// Nobody, of those who are counted here while they wait.
    pub(super) fn new(shares: Arc<Shares>) -> Self {
        Self {
            behind: HashMap::new(),
            shares,
        }
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.shares.held()
    }

    pub(super) fn has(&self, key: Key) -> bool {
        self.behind.contains_key(&key)
    }

    pub(super) fn hold(&mut self, job: Job) {
        let behind = self.behind.entry(key(&job.ballot)).or_default();
        let named = || behind.iter().filter(|twin| twin.ballot.id_is_clients);
        if job.ballot.id_is_clients && behind.len() >= MOST_NAMED && named().count() >= MOST_NAMED {
            self.shares.leave(job.slot, 1);
            let cause = StoreError::unavailable("too many ballots of this voter wait");
            job.reply.send(Err(cause));
            return;
        }
        behind.push_back(job);
        self.shares.hold();
    }

    /// Those whose turn it is: one for each voter, at most `most`.
    pub(super) fn next(&mut self, most: usize) -> Vec<Job> {
        let keys: Vec<Key> = self.behind.keys().take(most).copied().collect();
        keys.into_iter().filter_map(|key| self.pop(key)).collect()
    }

    /// Decides as many behind `ballot` as follow from its outcome alone. The store is asked only about those whose id the
    /// client chose, because it may be superseded, and where the voter has no ballot.
    pub(super) fn follow(&mut self, ballot: &BallotRecord, outcome: &Outcome) {
        // Most of the time nobody waits, and nothing need be copied for them.
        if self.behind.is_empty() {
            return;
        }
        let recorded = match outcome {
            Outcome::Added(revision) => RecordedBallot {
                id: ballot.id,
                selection: ballot.selection.clone(),
                cast_at: ballot.received_at,
                revision: *revision,
            },
            Outcome::Existing(recorded) => recorded.clone(),
            Outcome::Superseded | Outcome::Refused(_) => return,
        };
        let key = key(ballot);
        let follows = |twin: &BallotRecord| !twin.id_is_clients || twin.id == recorded.id;
        while self
            .behind
            .get(&key)
            .and_then(VecDeque::front)
            .is_some_and(|twin| follows(&twin.ballot))
        {
            if let Some(twin) = self.pop(key) {
                twin.reply.send(Ok(Outcome::Existing(recorded.clone())));
            }
        }
    }

    /// Gives up on those behind `ballot`, whose outcome nobody knows.
    pub(super) fn leave(&mut self, ballot: &BallotRecord) -> VecDeque<Job> {
        let left = self.behind.remove(&key(ballot)).unwrap_or_default();
        for twin in &left {
            self.shares.release(twin.slot);
        }
        left
    }

    fn pop(&mut self, key: Key) -> Option<Job> {
        let Entry::Occupied(mut behind) = self.behind.entry(key) else {
            return None;
        };
        let job = behind.get_mut().pop_front();
        if behind.get().is_empty() {
            behind.remove();
        }
        if let Some(job) = &job {
            self.shares.release(job.slot);
        }
        job
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::super::model::Selection;
    use super::super::reply::Reply;
    use super::super::shares::Slot;
    use super::*;
    use crate::{BallotId, Timestamp};

    #[test]
    fn a_voter_may_have_so_many_ballots_waiting_and_others_still_may() {
        let shares = Arc::new(Shares::new());
        let mut twins = Twins::new(Arc::clone(&shares));
        let slot = Slot::of(0);
        let mut hold = |voter: u8, id_is_clients: bool| {
            let (caller, mut answer) = oneshot::channel();
            assert!(shares.enter(slot, 1, usize::MAX));
            twins.hold(Job {
                ballot: BallotRecord {
                    poll: PollId::from_bytes([0; 16]),
                    voter: VoterKey::from_bytes([voter; 16]),
                    id: BallotId::from_bytes([0; 16]),
                    id_is_clients,
                    selection: Selection::from_store(&[0]),
                    received_at: Timestamp::EPOCH,
                },
                slot,
                reply: Reply::Caller(caller),
            });
            answer.try_recv().is_err()
        };
        for _ in 0..MOST_NAMED {
            assert!(hold(1, true), "it waits");
        }
        assert!(!hold(1, true), "one more is answered at once");
        assert!(hold(1, false), "what needs no store may wait");
        assert!(hold(2, true));
        assert_eq!(twins.len(), MOST_NAMED + 2);
        assert_eq!(shares.waiting(slot), MOST_NAMED + 2);
    }
}
