//! The ballots that wait at a lane, and the batches that are gathered from them.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::model::BallotRecord;
use super::reply::Reply;
use super::shares::{Shares, Slot};
use super::twins::{Key, Twins, key};

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
        jobs: mpsc::Receiver<Job>,
        shares: Arc<Shares>,
        shutdown: CancellationToken,
        (most, most_held): (usize, usize),
    ) -> Self {
        Self {
            jobs,
            shutdown,
            twins: Twins::new(Arc::clone(&shares)),
            shares,
            most,
            most_held,
            keys: HashSet::new(),
            of_requests: 0,
        }
    }

    /// What is committed next, at most one ballot for each poll and voter; empty where there is nothing, or, where it may
    /// wait, where nothing will come any more.
    pub(super) async fn next(&mut self, may_wait: bool) -> Vec<Job> {
        self.keys.clear();
        // At most half of the places: a flood of twins must not keep the others out.
        let mut batch = self.twins.next(self.most.div_ceil(2));
        self.keys.extend(batch.iter().map(|job| key(&job.ballot)));
        if batch.is_empty() && may_wait {
            for job in self.receive().await {
                self.place(job, &mut batch);
            }
        }
        // Held ones count like queued ones: beyond the bound nothing is received, and the queue fills.
        while batch.len() < self.most
            && self.twins.len() < self.most_held
            && let Ok(job) = self.jobs.try_recv()
        {
            self.place(job, &mut batch);
        }
        // Only now, so that ballots which came meanwhile stand before those of the next turns.
        self.shares.turns.add_permits(self.of_requests);
        self.of_requests = 0;
        batch
    }

    /// Into the batch, or behind an earlier ballot of the same voter.
    fn place(&mut self, job: Job, batch: &mut Vec<Job>) {
        self.of_requests += usize::from(job.reply.is_of_request());
        let key = key(&job.ballot);
        if self.twins.has(key) || !self.keys.insert(key) {
            self.twins.hold(job);
        } else {
            self.shares.leave(job.slot, 1);
            batch.push(job);
        }
    }

    /// Waits for jobs; none come where there will be none any more.
    async fn receive(&mut self) -> Vec<Job> {
        let mut arrived = Vec::new();
        tokio::select! {
            _ = self.jobs.recv_many(&mut arrived, self.most) => return arrived,
            () = self.shutdown.cancelled() => {}
        }
        // Nobody can send any more; what was sent is still received.
        self.jobs.close();
        self.jobs.recv_many(&mut arrived, self.most).await;
        arrived
    }
}

impl Drop for Waiting {
    /// Nobody waits for a turn that nobody gives.
    fn drop(&mut self) {
        self.shares.turns.close();
    }
}
