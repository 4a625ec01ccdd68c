//! A lane commits whatever arrived while its last batch was being flushed. There is no timer: one ballot alone commits at
//! once, and the busier it gets the larger the batches grow.

use futures_util::future::join;
use tokio::task::yield_now;
use tracing::{Instrument, debug_span, error, warn};

use super::recorder::Recorder;
use super::reply::Reply;
use super::repository::{Outcome, RecordError, Recorded};
use super::waiting::{Job, Waiting};
use crate::StoreError;
use crate::engine::Parts;

/// So many answers are given at a time while the next batch is on its way, which is sent in between.
const ANSWERS_AT_ONCE: usize = 256;

pub(super) struct Lane {
    pub(super) parts: Parts,
    pub(super) waiting: Waiting,
    pub(super) recorder: Recorder,
}

/// What is known, and not told yet.
type Told = Vec<(Reply, Outcome)>;

impl Lane {
    /// Runs until the shutdown, and then until everything that was accepted is answered.
    ///
    /// The answers to a batch are given while the next one is on its way, so that the store need not wait for them.
    pub(super) async fn run(mut self) {
        let mut told = Told::new();
        loop {
            let batch = self.waiting.next(told.is_empty()).await;
            if !batch.is_empty() {
                let span = debug_span!("votes.batch", ballots = batch.len());
                told = self.commit(batch, told).instrument(span).await;
            } else if told.is_empty() {
                return;
            } else {
                tell_all(std::mem::take(&mut told));
            }
        }
    }

    /// Commits a batch, and meanwhile tells what is known of the one before; returns what is known of this one then. A batch
    /// that the store cannot record is halved until the ballot that spoils it stands alone.
    async fn commit(&mut self, batch: Vec<Job>, mut told: Told) -> Told {
        let mut left = vec![(batch, false)];
        while let Some((mut jobs, mut sent_before)) = left.pop() {
            let ballots = jobs.iter().map(|job| job.ballot.clone()).collect();
            let record = self.recorder.record(ballots, &mut sent_before);
            // In this order: the batch goes first.
            let (recorded, ()) = join(record, tell(std::mem::take(&mut told))).await;
            match recorded {
                Ok(recorded) => self.decide(jobs, recorded, &mut told),
                Err(RecordError::Lost(cause)) => {
                    warn!(error = %cause, ballots = jobs.len(), "the store is lost: these ballots are not answered");
                    for job in jobs {
                        for twin in self.waiting.twins.leave(&job.ballot) {
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
        told
    }

    /// What was recorded is shown to viewers, decides over twins, and is left to be told.
    fn decide(&mut self, jobs: Vec<Job>, recorded: Recorded, told: &mut Told) {
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
        told.reserve(jobs.len());
        for (job, outcome) in jobs.into_iter().zip(recorded.outcomes) {
            self.waiting.twins.follow(&job.ballot, &outcome);
            told.push((job.reply, outcome));
        }
    }
}

/// Tells some, lets what else there is to do be done, and so on.
async fn tell(told: Told) {
    let mut told = told.into_iter();
    while told.len() > 0 {
        yield_now().await;
        tell_all(told.by_ref().take(ANSWERS_AT_ONCE));
    }
}

fn tell_all(told: impl IntoIterator<Item = (Reply, Outcome)>) {
    for (reply, outcome) in told {
        reply.send(Ok(outcome));
    }
}

fn lost() -> StoreError {
    StoreError::unavailable("the store was lost while the ballot was recorded")
}
