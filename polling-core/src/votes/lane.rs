//! A lane commits whatever arrived while its last batch was being flushed. There is no timer: one ballot alone commits at
//! once, and the busier it gets the larger the batches grow.

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug_span, error, warn};

use super::model::BallotRecord;
use super::reply::Reply;
use super::repository::{Outcome, RecordError, Recorded, VoteWriter};
use super::shares::{Shares, Slot};
use super::twins::{Key, Twins, key};
use crate::StoreError;
use crate::engine::Parts;

/// A ballot that waits, where it is counted until it is in a batch, and who waits for its outcome.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) ballot: BallotRecord,
    pub(super) slot: Slot,
    pub(super) reply: Reply,
}

/// The first pause before a batch is sent again to a store that was lost; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A batch of ballots that have waited for long is sent again for this part of the time that a new one has.
const SHORT_WHILE: u32 = 8;

pub(super) struct Lane {
    pub(super) parts: Parts,
    pub(super) jobs: mpsc::Receiver<Job>,
    pub(super) shutdown: CancellationToken,
    pub(super) writer: Option<Box<dyn VoteWriter>>,
    pub(super) twins: Twins,
    pub(super) shares: Arc<Shares>,
}

impl Lane {
    /// Runs until the shutdown, and then until everything that was accepted is answered.
    pub(super) async fn run(mut self) {
        loop {
            let batch = self.next_batch().await;
            if batch.is_empty() {
                return;
            }
            let span = debug_span!("votes.batch", ballots = batch.len());
            self.commit(batch).instrument(span).await;
        }
    }

    /// What is committed next, at most one ballot for each poll and voter; empty where none will come any more.
    async fn next_batch(&mut self) -> Vec<Job> {
        let most = self.parts.settings.batch_ballots;
        // At most half of the places: a flood of twins must not keep the others out.
        let mut batch = self.twins.next(most.div_ceil(2));
        let mut keys: HashSet<Key> = batch.iter().map(|job| key(&job.ballot)).collect();
        let mut arrived = Vec::new();
        if batch.is_empty() {
            self.receive(&mut arrived).await;
        }
        for job in arrived {
            self.place(job, &mut batch, &mut keys);
        }
        // Held ones count like queued ones: beyond the bound nothing is received, and the queue fills.
        while batch.len() < most
            && self.twins.len() < self.parts.settings.queue_ballots
            && let Ok(job) = self.jobs.try_recv()
        {
            self.place(job, &mut batch, &mut keys);
        }
        batch
    }

    /// Into the batch, or behind an earlier ballot of the same voter.
    fn place(&mut self, job: Job, batch: &mut Vec<Job>, keys: &mut HashSet<Key>) {
        let key = key(&job.ballot);
        if self.twins.has(key) || !keys.insert(key) {
            self.twins.hold(job);
        } else {
            self.shares.leave(job.slot, 1);
            batch.push(job);
        }
    }

    /// Waits for jobs; none come where there will be none any more.
    async fn receive(&mut self, arrived: &mut Vec<Job>) {
        let most = self.parts.settings.batch_ballots;
        tokio::select! {
            _ = self.jobs.recv_many(arrived, most) => return,
            () = self.shutdown.cancelled() => {}
        }
        // Nobody can send any more; what was sent is still received.
        self.jobs.close();
        self.jobs.recv_many(arrived, most).await;
    }

    /// Commits a batch, and answers everyone in it. A batch that the store cannot record is halved until the ballot that
    /// spoils it stands alone.
    async fn commit(&mut self, batch: Vec<Job>) {
        let mut left = vec![(batch, false)];
        while let Some((mut jobs, mut sent_before)) = left.pop() {
            let ballots = jobs.iter().map(|job| job.ballot.clone()).collect();
            match self.record(ballots, &mut sent_before).await {
                Ok(recorded) => self.answer(jobs, recorded),
                Err(RecordError::Lost(cause)) => {
                    warn!(error = %cause, ballots = jobs.len(), "the store is lost: these ballots are not answered");
                    for job in jobs {
                        for twin in self.twins.leave(&job.ballot) {
                            twin.reply.send(Err(lost()));
                        }
                        job.reply.send(Err(lost()));
                    }
                }
                Err(RecordError::Poisoned(cause)) if jobs.len() == 1 => {
                    error!(error = %cause, "a ballot cannot be recorded");
                    for job in jobs {
                        // An earlier sending may have recorded it.
                        let cause = if sent_before {
                            lost()
                        } else {
                            StoreError::internal("the ballot cannot be recorded")
                        };
                        job.reply.send(Err(cause));
                    }
                }
                Err(RecordError::Poisoned(_)) => {
                    let second_half = jobs.split_off(jobs.len() / 2);
                    left.push((second_half, sent_before));
                    left.push((jobs, sent_before));
                }
            }
        }
    }

    fn answer(&mut self, jobs: Vec<Job>, recorded: Recorded) {
        debug_assert_eq!(
            jobs.len(),
            recorded.outcomes.len(),
            "one outcome for each ballot"
        );
        metrics::counter!("polling_vote_batches_total").increment(1);
        metrics::counter!("polling_vote_ballots_total").increment(jobs.len() as u64);
        // Viewers first: who is told of their vote finds it in every result that they read after it. And not by those who
        // are told, because they may have left.
        let decided = jobs.iter().zip(&recorded.outcomes);
        let voters = decided
            .filter(|(_, outcome)| matches!(outcome, Outcome::Added(_)))
            .map(|(job, _)| (job.ballot.poll, &job.ballot.voter));
        self.parts.hub.put_batch(&recorded.tallies, voters);
        for (job, outcome) in jobs.into_iter().zip(recorded.outcomes) {
            self.twins.follow(&job.ballot, &outcome);
            job.reply.send(Ok(outcome));
        }
    }

    /// Records a batch; where the store is lost, sends the same batch again for a while. It never decides by looking
    /// the ballots up: the lost commit may still come through, and only the primary key makes us wait for it.
    ///
    /// The while begins when the oldest ballot came in: what waited in the queue behind a store that is away does not wait
    /// as long once more, and is sent again for a short while only. `sent_before` is whether any of it may be recorded
    /// already, by a sending of which nobody heard.
    async fn record(
        &mut self,
        batch: Arc<[BallotRecord]>,
        sent_before: &mut bool,
    ) -> Result<Recorded, RecordError> {
        let oldest = batch.iter().map(|ballot| ballot.received_at).min();
        let now = self.parts.clock.now();
        let retry_for = self.parts.settings.retry_for;
        let deadline = oldest.unwrap_or(now).after(retry_for);
        let deadline = deadline.max(now.after(retry_for / SHORT_WHILE));
        let mut pause = FIRST_PAUSE;
        loop {
            let lost = match self.try_record(Arc::clone(&batch), sent_before).await {
                Ok(mut recorded) => {
                    if *sent_before {
                        own_what_is_ours(&batch, &mut recorded);
                    }
                    return Ok(recorded);
                }
                Err(RecordError::Lost(cause)) => cause,
                Err(poisoned) => return Err(poisoned),
            };
            *sent_before = true;
            if self.parts.clock.now().after(pause) > deadline {
                return Err(RecordError::Lost(lost));
            }
            self.parts.clock.pause(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn try_record(
        &mut self,
        batch: Arc<[BallotRecord]>,
        sent_before: &mut bool,
    ) -> Result<Recorded, RecordError> {
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => {
                let writer = self
                    .parts
                    .store
                    .votes()
                    .writer()
                    .await
                    .map_err(|error| RecordError::Lost(error.into()))?;
                none.insert(writer)
            }
        };
        // A writer that panics is a store's fault: its batch is halved like one that cannot be written, and the writer
        // replaced. It may have panicked after its commit.
        match AssertUnwindSafe(writer.record(batch)).catch_unwind().await {
            Ok(recorded) => recorded,
            Err(_) => {
                self.writer = None;
                *sent_before = true;
                Err(RecordError::Poisoned("the store's writer panicked".into()))
            }
        }
    }
}

fn lost() -> StoreError {
    StoreError::unavailable("the store was lost while the ballot was recorded")
}

/// A ballot that an earlier sending of this batch recorded is ours, and no retry of the client's.
fn own_what_is_ours(batch: &[BallotRecord], recorded: &mut Recorded) {
    for (ballot, outcome) in batch.iter().zip(&mut recorded.outcomes) {
        if let Outcome::Existing(existing) = outcome
            && (existing.id, existing.cast_at) == (ballot.id, ballot.received_at)
            && existing.selection == ballot.selection
        {
            *outcome = Outcome::Added(existing.revision);
        }
    }
}
