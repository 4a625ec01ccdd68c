//! A lane commits whatever arrived while its last batch was being flushed. There is no timer: one ballot alone commits at
//! once, and the busier it gets the larger the batches grow.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug_span, error, warn};

use super::model::BallotRecord;
use super::repository::{Outcome, RecordError, Recorded, VoteWriter};
use crate::StoreError;
use crate::engine::Parts;

/// What a caller is told of their ballot.
pub(super) type Answer = Result<Outcome, StoreError>;

/// A ballot, and who waits for its outcome.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) ballot: BallotRecord,
    pub(super) answer: oneshot::Sender<Answer>,
}

/// The first pause before a batch is sent again to a store that was lost; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Lane {
    pub(super) parts: Parts,
    pub(super) jobs: mpsc::Receiver<Job>,
    pub(super) shutdown: CancellationToken,
    pub(super) writer: Option<Box<dyn VoteWriter>>,
}

impl Lane {
    /// Runs until the shutdown, and then until everything that was accepted is answered.
    pub(super) async fn run(mut self) {
        let mut waiting = Vec::new();
        loop {
            if waiting.is_empty() && self.receive(&mut waiting).await == 0 {
                return;
            }
            while waiting.len() < self.parts.settings.batch_ballots
                && let Ok(job) = self.jobs.try_recv()
            {
                waiting.push(job);
            }
            let twins = take_twins(&mut waiting);
            let batch = std::mem::replace(&mut waiting, twins);
            let span = debug_span!("votes.batch", ballots = batch.len());
            self.commit(batch).instrument(span).await;
        }
    }

    /// Waits for jobs; 0 where none will come any more.
    async fn receive(&mut self, waiting: &mut Vec<Job>) -> usize {
        tokio::select! {
            received = self.jobs.recv_many(waiting, self.parts.settings.batch_ballots) => return received,
            () = self.shutdown.cancelled() => {}
        }
        // Nobody can send any more; what was sent is still received.
        self.jobs.close();
        self.jobs
            .recv_many(waiting, self.parts.settings.batch_ballots)
            .await
    }

    /// Commits a batch, and answers everyone in it. A batch that the store cannot record is halved until the ballot that
    /// spoils it stands alone.
    async fn commit(&mut self, batch: Vec<Job>) {
        let mut left = vec![batch];
        while let Some(mut jobs) = left.pop() {
            match self
                .record(jobs.iter().map(|job| job.ballot.clone()).collect())
                .await
            {
                Ok(recorded) => self.answer(jobs, recorded),
                Err(RecordError::Lost(cause)) => {
                    warn!(error = %cause, ballots = jobs.len(), "the store is lost: these ballots are not answered");
                    for job in jobs {
                        answer(
                            job,
                            Err(StoreError::unavailable(
                                "the store was lost while the ballot was recorded",
                            )),
                        );
                    }
                }
                Err(RecordError::Poisoned(cause)) if jobs.len() == 1 => {
                    error!(error = %cause, "a ballot cannot be recorded");
                    for job in jobs {
                        answer(
                            job,
                            Err(StoreError::internal("the ballot cannot be recorded")),
                        );
                    }
                }
                Err(RecordError::Poisoned(_)) => {
                    let second_half = jobs.split_off(jobs.len() / 2);
                    left.push(second_half);
                    left.push(jobs);
                }
            }
        }
    }

    fn answer(&self, jobs: Vec<Job>, recorded: Recorded) {
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
            answer(job, Ok(outcome));
        }
    }

    /// Records a batch; where the store is lost, sends the same batch again for a while. It never decides by looking
    /// the ballots up: the lost commit may still come through, and only the primary key makes us wait for it.
    async fn record(&mut self, batch: Arc<[BallotRecord]>) -> Result<Recorded, RecordError> {
        let deadline = self.parts.clock.now().after(self.parts.settings.retry_for);
        let mut pause = FIRST_PAUSE;
        let mut sent_before = false;
        loop {
            let lost = match self.try_record(Arc::clone(&batch)).await {
                Ok(mut recorded) => {
                    if sent_before {
                        own_what_is_ours(&batch, &mut recorded);
                    }
                    return Ok(recorded);
                }
                Err(RecordError::Lost(cause)) => cause,
                Err(poisoned) => return Err(poisoned),
            };
            let again_at = self.parts.clock.now().after(pause);
            if again_at > deadline {
                return Err(RecordError::Lost(lost));
            }
            sent_before = true;
            self.parts.clock.sleep_until(again_at).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn try_record(&mut self, batch: Arc<[BallotRecord]>) -> Result<Recorded, RecordError> {
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
        writer.record(batch).await
    }
}

/// Somebody who left does not hear the answer; the ballot counts all the same.
fn answer(job: Job, outcome: Answer) {
    let _ = job.answer.send(outcome);
}

/// Takes out all but the first of those with the same poll and voter: they are decided in a later batch, as if they had
/// come after its outcome.
fn take_twins(jobs: &mut Vec<Job>) -> Vec<Job> {
    let mut seen = HashSet::with_capacity(jobs.len());
    jobs.extract_if(.., |job| !seen.insert((job.ballot.poll, job.ballot.voter)))
        .collect()
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
