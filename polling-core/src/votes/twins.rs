//! Ballots of one voter in one poll that come while an earlier one is on its way: they are decided after its outcome, as
//! if they had come later, and hold up nobody else.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};
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
    behind: HashMap<Key, Behind>,
    /// The voters behind whom somebody waits, in the order in which they began to, or had their last turn.
    turns: BTreeMap<u64, Key>,
    next_turn: u64,
    shares: Arc<Shares>,
}

/// The ballots of one voter that wait, never none, and the voter's place among the turns.
#[derive(Debug)]
struct Behind {
    turn: u64,
    jobs: VecDeque<Job>,
}

impl Twins {
    /// Nobody, of those who are counted here while they wait.
    pub(super) fn new(shares: Arc<Shares>) -> Self {
        Self {
            behind: HashMap::new(),
            turns: BTreeMap::new(),
            next_turn: 0,
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
        let key = key(&job.ballot);
        let behind = self.behind.entry(key).or_insert_with(|| {
            let turn = self.next_turn;
            self.next_turn += 1;
            self.turns.insert(turn, key);
            Behind {
                turn,
                jobs: VecDeque::new(),
            }
        });
        let jobs = &mut behind.jobs;
        let named = || jobs.iter().filter(|twin| twin.ballot.id_is_clients);
        if job.ballot.id_is_clients && jobs.len() >= MOST_NAMED && named().count() >= MOST_NAMED {
            self.shares.leave(job.slot, 1);
            let cause = StoreError::unavailable("too many ballots of this voter wait");
            job.reply.send(Err(cause));
            return;
        }
        jobs.push_back(job);
        self.shares.hold();
    }

    /// Those whose turn it is: one for each voter, at most `most`. First come, first served: who had a turn comes after all
    /// who wait for theirs, so that many who send a flood keep nobody waiting.
    pub(super) fn next(&mut self, most: usize) -> Vec<Job> {
        let keys: Vec<Key> = self.turns.values().take(most).copied().collect();
        let had_turns = keys.into_iter().filter_map(|key| {
            let job = self.pop(key);
            self.requeue(key);
            job
        });
        had_turns.collect()
    }

    /// Whoever still waits behind this voter waits for another turn.
    fn requeue(&mut self, key: Key) {
        if let Some(behind) = self.behind.get_mut(&key) {
            self.turns.remove(&behind.turn);
            behind.turn = self.next_turn;
            self.next_turn += 1;
            self.turns.insert(behind.turn, key);
        }
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
            .and_then(|behind| behind.jobs.front())
            .is_some_and(|twin| follows(&twin.ballot))
        {
            if let Some(twin) = self.pop(key) {
                twin.reply.send(Ok(Outcome::Existing(recorded.clone())));
            }
        }
    }

    /// Gives up on those behind `ballot`, whose outcome nobody knows.
    pub(super) fn leave(&mut self, ballot: &BallotRecord) -> VecDeque<Job> {
        let Some(Behind { turn, jobs }) = self.behind.remove(&key(ballot)) else {
            return VecDeque::new();
        };
        self.turns.remove(&turn);
        for twin in &jobs {
            self.shares.release(twin.slot);
        }
        jobs
    }

    /// Those of a poll, in their order, which wait for their turn no more.
    pub(super) fn of_poll(&mut self, poll: PollId) -> Vec<Job> {
        let of_poll = |key: &&Key| key.0 == poll;
        let keys: Vec<Key> = self.turns.values().filter(of_poll).copied().collect();
        let mut jobs = Vec::new();
        for key in keys {
            jobs.extend(std::iter::from_fn(|| self.pop(key)));
        }
        jobs
    }

    fn pop(&mut self, key: Key) -> Option<Job> {
        let Entry::Occupied(mut behind) = self.behind.entry(key) else {
            return None;
        };
        let job = behind.get_mut().jobs.pop_front();
        if behind.get().jobs.is_empty() {
            self.turns.remove(&behind.remove().turn);
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
    use super::super::reply::{Answer, Reply};
    use super::super::shares::Slot;
    use super::*;
    use crate::{BallotId, Timestamp};

    fn slot() -> Slot {
        Slot::of(0)
    }

    fn job(voter: u16, id_is_clients: bool) -> (Job, oneshot::Receiver<Answer>) {
        let (caller, answer) = oneshot::channel();
        let [high, low] = voter.to_be_bytes();
        let mut bytes = [0; 16];
        (bytes[0], bytes[1]) = (high, low);
        let job = Job {
            ballot: BallotRecord {
                poll: PollId::from_bytes([0; 16]),
                voter: VoterKey::from_bytes(bytes),
                id: BallotId::from_bytes([0; 16]),
                id_is_clients,
                selection: Selection::from_store(&[0]),
                received_at: Timestamp::EPOCH,
            },
            slot: slot(),
            reply: Reply::Caller(caller),
        };
        (job, answer)
    }

    fn voters(jobs: &[Job]) -> Vec<u16> {
        let voter = |job: &Job| {
            let bytes = job.ballot.voter.as_bytes();
            u16::from_be_bytes([bytes[0], bytes[1]])
        };
        jobs.iter().map(voter).collect()
    }

    #[test]
    fn voters_have_their_turns_in_the_order_in_which_they_came() {
        let shares = Arc::new(Shares::new(0));
        let mut twins = Twins::new(Arc::clone(&shares));
        let hold = |twins: &mut Twins, voter| {
            assert!(shares.enter(slot(), 1, usize::MAX));
            twins.hold(job(voter, true).0);
        };
        // A hundred who flood, and one who comes last.
        for voter in (0..100).rev() {
            for _ in 0..3 {
                hold(&mut twins, voter);
            }
        }
        hold(&mut twins, 1_000);
        let flood: Vec<u16> = (0..100).rev().collect();
        assert_eq!(voters(&twins.next(60)), flood[..60]);
        // Whoever comes now waits for all who came before, but for nobody's second ballot.
        hold(&mut twins, 1_001);
        let second = voters(&twins.next(60));
        assert_eq!(second[..40], flood[60..]);
        assert_eq!(second[40], 1_000);
        assert_eq!(second[41..], flood[..19]);
        let third = voters(&twins.next(60));
        assert_eq!(third[..41], flood[19..60]);
        assert_eq!(third[41], 1_001);
        assert_eq!(third[42..], flood[60..78]);
        // Who is given up on, or decided by what became of another ballot, has no turn any more.
        let gone = job(flood[78], true).0.ballot;
        assert_eq!(twins.leave(&gone).len(), 2);
        let decided = job(flood[79], true).0.ballot;
        twins.follow(&decided, &Outcome::Added(1));
        assert_eq!(voters(&twins.next(2)), flood[80..82]);
        while !twins.next(7).is_empty() {}
        assert_eq!(
            (twins.len(), twins.turns.len(), twins.behind.len()),
            (0, 0, 0)
        );
    }

    #[test]
    fn a_voter_may_have_so_many_ballots_waiting_and_others_still_may() {
        let shares = Arc::new(Shares::new(0));
        let mut twins = Twins::new(Arc::clone(&shares));
        let mut hold = |voter: u16, id_is_clients: bool| {
            let (job, mut answer) = job(voter, id_is_clients);
            assert!(shares.enter(slot(), 1, usize::MAX));
            twins.hold(job);
            answer.try_recv().is_err()
        };
        for _ in 0..MOST_NAMED {
            assert!(hold(1, true), "it waits");
        }
        assert!(!hold(1, true), "one more is answered at once");
        assert!(hold(1, false), "what needs no store may wait");
        assert!(hold(2, true));
        assert_eq!(twins.len(), MOST_NAMED + 2);
        assert_eq!(shares.waiting(slot()), MOST_NAMED + 2);
    }
}
