//! The ballots that wait at a lane, and the batches that are gathered from them.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::aside::Aside;
use super::model::BallotRecord;
use super::reply::Reply;
use super::shares::{Shares, Slot};
use super::split::Part;
use super::twins::{Key, Twins, key};
use crate::PollId;
use crate::engine::Parts;

/// A ballot that waits, where it is counted until it is in a batch, and who waits for its outcome.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) ballot: BallotRecord,
    pub(super) slot: Slot,
    pub(super) reply: Reply,
}

/// What waits at a lane, in the order in which it came, and behind whom.
pub(super) struct Waiting {
    jobs: mpsc::Receiver<Job>,
    shutdown: CancellationToken,
    shares: Arc<Shares>,
    pub(super) twins: Twins,
    /// The ballots of polls that are stuck.
    pub(super) aside: Aside,
    /// Ballots that were set aside, and come before those in the queue.
    taken_back: VecDeque<Job>,
    /// Whether nothing will come any more.
    ended: bool,
    /// Ballots of a batch, at most.
    most: usize,
    /// Ballots that wait behind others, at most.
    most_held: usize,
    /// The keys of the batch that is being gathered; its memory is used again and again.
    keys: HashSet<Key>,
    /// Ballots of requests that were taken from the queue for it.
    of_requests: usize,
}

impl Waiting {
    pub(super) fn new(
        parts: &Parts,
        jobs: mpsc::Receiver<Job>,
        shares: Arc<Shares>,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            jobs,
            shutdown,
            twins: Twins::new(Arc::clone(&shares)),
            aside: Aside::new(parts.clone(), Arc::clone(&shares)),
            taken_back: VecDeque::new(),
            ended: false,
            shares,
            most: parts.settings.batch_ballots,
            most_held: parts.settings.queue_ballots,
            keys: HashSet::new(),
            of_requests: 0,
        }
    }

    /// What is committed next, at most one ballot for each poll and voter; empty where there is nothing. Where it may wait,
    /// that is where nothing will come any more, or there is something to be done with what was set aside.
    pub(super) async fn next(&mut self, may_wait: bool) -> Vec<Job> {
        self.keys.clear();
        // At most half of the places: a flood of twins must not keep the others out.
        let mut batch = self.twins.next(self.most.div_ceil(2));
        self.keys.extend(batch.iter().map(|job| key(&job.ballot)));
        while batch.len() < self.most
            && let Some(job) = self.taken_back.pop_front()
        {
            self.shares.requeue();
            self.place(job, &mut batch);
        }
        if batch.is_empty() && may_wait {
            for job in self.receive().await {
                self.take(job, &mut batch);
            }
        }
        // Held ones count like queued ones: beyond the bound nothing is received, and the queue fills.
        while batch.len() < self.most
            && self.twins.len() < self.most_held
            && let Ok(job) = self.jobs.try_recv()
        {
            self.take(job, &mut batch);
        }
        // Only now, so that ballots which came meanwhile stand before those of the next turns.
        self.shares.turns.add_permits(self.of_requests);
        self.of_requests = 0;
        batch
    }

    /// Whether nothing waits, and nothing will come any more.
    pub(super) fn has_ended(&self) -> bool {
        self.ended && self.taken_back.is_empty() && self.twins.len() == 0 && self.aside.is_empty()
    }

    /// Sets aside ballots that were sent, and whatever else waits of their polls.
    pub(super) fn set_aside(&mut self, part: Part) {
        let polls: HashSet<PollId> = part.jobs.iter().map(|job| job.ballot.poll).collect();
        self.aside.set_aside(part);
        for poll in polls {
            for twin in self.twins.of_poll(poll) {
                self.shares.put_back(twin.slot);
                self.shares.requeue();
                self.aside.hold(twin);
            }
        }
    }

    /// What was set aside of this poll is committed like everything else again.
    pub(super) fn take_back(&mut self, poll: PollId) {
        self.taken_back.extend(self.aside.free(poll));
    }

    /// Takes a job out of the queue.
    fn take(&mut self, job: Job, batch: &mut Vec<Job>) {
        self.of_requests += usize::from(job.reply.is_of_request());
        self.place(job, batch);
    }

    /// Into the batch, or behind an earlier ballot of the same voter, or of a poll that is stuck.
    fn place(&mut self, job: Job, batch: &mut Vec<Job>) {
        let key = key(&job.ballot);
        if self.aside.has(job.ballot.poll) {
            self.aside.hold(job);
        } else if self.twins.has(key) || !self.keys.insert(key) {
            self.twins.hold(job);
        } else {
            self.shares.leave(job.slot, 1);
            batch.push(job);
        }
    }

    /// Waits for jobs, or until there is something to be done with those that were set aside; none come where there will be
    /// none any more.
    async fn receive(&mut self) -> Vec<Job> {
        let mut arrived = Vec::new();
        if self.ended {
            if !self.aside.is_empty() {
                self.aside.wakes().await;
            }
            return arrived;
        }
        tokio::select! {
            received = self.jobs.recv_many(&mut arrived, self.most) => {
                self.ended = received == 0;
                return arrived;
            }
            () = self.aside.wakes() => return arrived,
            () = self.shutdown.cancelled() => {}
        }
        // Nobody can send any more; what was sent is still received.
        self.jobs.close();
        self.ended = self.jobs.recv_many(&mut arrived, self.most).await == 0;
        arrived
    }
}

impl Drop for Waiting {
    /// Nobody waits for a turn that nobody gives.
    fn drop(&mut self) {
        self.shares.turns.close();
    }
}
