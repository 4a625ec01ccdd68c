//! A lane commits whatever arrived while its last batch was being flushed. There is no timer: one ballot alone commits at
//! once, and the busier it gets the larger the batches grow.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::join;
use tokio::task::yield_now;
use tracing::{Instrument, debug_span};

use super::aside::{Fate, SHORT_WHILE};
use super::recorder::Recorder;
use super::reply::Reply;
use super::repository::{Outcome, RecordError, Recorded};
use super::split::{Part, Split};
use super::waiting::{Job, Waiting};
use crate::engine::Parts;
use crate::{Cause, Clock, PollId, StoreError, Timestamp, log_each_second};

/// So many answers are given at a time while the next batch is on its way, which is sent in between.
const ANSWERS_AT_ONCE: usize = 256;

/// The pause before a batch is sent again to a store that was lost; it doubles up to [`LONGEST_PAUSE`], which ends at once,
/// but for the first pause, where anything shows that the store is back.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

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
            if !self.waiting.aside.is_unused() {
                self.look_aside(&mut told);
            }
            if !batch.is_empty() {
                let span = debug_span!("votes.batch", ballots = batch.len());
                told = self.commit(batch, told).instrument(span).await;
            } else if !told.is_empty() {
                tell_all(std::mem::take(&mut told));
            } else if self.waiting.has_ended() {
                return;
            }
        }
    }

    /// Commits a batch, and meanwhile tells what is known of the one before; returns what is known of this one then. What the
    /// store cannot record as a whole is sent in parts.
    async fn commit(&mut self, batch: Vec<Job>, mut told: Told) -> Told {
        let limits = Limits::of(&self.parts);
        let mut split = Split::of(Part::new(batch));
        while let Some(mut part) = split.next() {
            let record = self.record(&mut part, &limits);
            // In this order: the batch goes first.
            let (recorded, ()) = join(record, tell(std::mem::take(&mut told))).await;
            match recorded {
                Ok(recorded) => self.decide(part.jobs, recorded, &mut told),
                // They are answered.
                Err(RecordError::Lost(_)) => {}
                Err(RecordError::Poisoned(cause)) => {
                    if let Some(alone) = split.poisoned(part) {
                        spoiled(alone, &cause);
                    }
                }
                Err(RecordError::Blocked { polls, .. }) => {
                    if let Some(waits) = split.blocked(part, &polls) {
                        self.waiting.set_aside(waits);
                        self.waiting.aside.try_again();
                    }
                }
            }
        }
        told
    }

    /// Records a part; where the store is lost, sends it again for each of its ballots until `retry_for` after that came in;
    /// and answers each `answer_within` after it came in, in the queue and while the store waits by itself. Those that cannot
    /// wait any longer are answered, and are not in the part any more; it is `Lost` once there are none.
    ///
    /// What waited in the queue for longer is sent all the same, and again for a short while only.
    async fn record(&mut self, part: &mut Part, limits: &Limits) -> Result<Recorded, RecordError> {
        let mut pause = FIRST_PAUSE;
        loop {
            // Nothing is sent behind a batch that the store has not answered.
            let left = limits.left(part, self.parts.clock.now());
            if !self.recorder.is_free(left).await {
                let now = self.parts.clock.now();
                let overdue = take_overdue(part, |at| limits.deadline(at) <= now);
                let cause = Cause::from("it does not answer");
                self.give_up(overdue, &cause);
                if part.jobs.is_empty() {
                    return Err(RecordError::Lost(cause));
                }
                continue;
            }
            let left = limits.left(part, self.parts.clock.now());
            let patience = left.max(limits.least_patience);
            let cause = match self.recorder.send(part, patience).await {
                Err(RecordError::Lost(cause)) => cause,
                ended => return ended,
            };
            let next = self.parts.clock.now().after(FIRST_PAUSE);
            let overdue = take_overdue(part, |at| limits.last_try(at) < next);
            self.give_up(overdue, &cause);
            let last_tries = part
                .jobs
                .iter()
                .map(|job| limits.last_try(job.ballot.received_at));
            let Some(first) = last_tries.min() else {
                return Err(RecordError::Lost(cause));
            };
            let left = first.since(self.parts.clock.now());
            let pauses = (FIRST_PAUSE, pause.min(left));
            self.parts.health.pause(&*self.parts.clock, pauses).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Answers ballots, and those behind them, of which nobody knows whether they were recorded.
    fn give_up(&mut self, jobs: Vec<Job>, cause: &Cause) {
        if jobs.is_empty() {
            return;
        }
        log_each_second!(
            warn,
            "the store is lost: these ballots are answered unavailable",
            error = %cause,
            ballots = jobs.len()
        );
        for job in jobs {
            for twin in self.waiting.twins.leave(&job.ballot) {
                twin.reply.send(Err(lost()));
            }
            job.reply.send(Err(lost()));
        }
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

    /// What became of the ballots that were set aside, and what is to be done with the others.
    fn look_aside(&mut self, told: &mut Told) {
        let (mut tried, mut waiting) = (HashSet::<PollId>::new(), HashSet::new());
        for (part, fate) in self.waiting.aside.tried().unwrap_or_default() {
            let polls = part.jobs.iter().map(|job| job.ballot.poll);
            match fate {
                Fate::Waits => {
                    waiting.extend(polls);
                    self.waiting.aside.set_aside(part);
                }
                Fate::Recorded(recorded) => {
                    tried.extend(polls);
                    self.decide(part.jobs, recorded, told);
                }
                Fate::Poisoned(cause) => {
                    tried.extend(polls);
                    spoiled(part, &cause);
                }
            }
        }
        for poll in tried.difference(&waiting) {
            self.waiting.take_back(*poll);
        }
        for job in self.waiting.aside.overdue() {
            let held = "something that the ballot needs was held for too long";
            job.reply.send(Err(StoreError::unavailable(held)));
        }
        self.waiting.aside.try_again();
    }
}

/// How long the ballots of a batch can wait.
struct Limits {
    begun: Timestamp,
    answer_within: Duration,
    retry_for: Duration,
    /// For so long what has waited long enough is sent again.
    short_while: Duration,
    /// For so long an answer is waited for in any case: a store that is slow is not lost.
    least_patience: Duration,
}

impl Limits {
    fn of(parts: &Parts) -> Self {
        let (answer_within, retry_for) = (
            parts.settings.answer_within,
            parts.settings.retry_for.min(parts.settings.answer_within),
        );
        // What has waited long enough behind a store that is away does not wait once more.
        let (short_while, least_patience) = if parts.health.is_lost() {
            (Duration::ZERO, answer_within / SHORT_WHILE)
        } else {
            (retry_for / SHORT_WHILE, answer_within / 2)
        };
        Self {
            begun: parts.clock.now(),
            answer_within,
            retry_for,
            short_while,
            least_patience,
        }
    }

    /// When a ballot that was received then has waited for long enough.
    fn deadline(&self, received_at: Timestamp) -> Timestamp {
        received_at.after(self.answer_within)
    }

    /// Until when a ballot that was received then is sent again.
    fn last_try(&self, received_at: Timestamp) -> Timestamp {
        let last_try = received_at.after(self.retry_for);
        last_try.max(self.begun.after(self.short_while))
    }

    /// How long the first of these ballots can wait from now on.
    fn left(&self, part: &Part, now: Timestamp) -> Duration {
        let oldest = part.jobs.iter().map(|job| job.ballot.received_at).min();
        let left = self.deadline(oldest.unwrap_or(now)).since(now);
        // A clock that was set back must not make it longer.
        left.min(self.answer_within)
    }
}

/// Takes those ballots out of a part of which this is true, by when they were received.
fn take_overdue(part: &mut Part, is_overdue: impl Fn(Timestamp) -> bool) -> Vec<Job> {
    let is_overdue = |job: &mut Job| is_overdue(job.ballot.received_at);
    part.jobs.extract_if(.., is_overdue).collect()
}

/// Answers a ballot that cannot be recorded.
fn spoiled(alone: Part, cause: &Cause) {
    log_each_second!(error, "a ballot cannot be recorded", error = %cause);
    for job in alone.jobs {
        // An earlier sending may have recorded it.
        let cause = if alone.sent_before {
            lost()
        } else {
            StoreError::internal("the ballot cannot be recorded")
        };
        job.reply.send(Err(cause));
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

#[cfg(test)]
mod tests {
    use super::*;

    const RETRY_FOR: Duration = Duration::from_secs(2);

    fn limits(short_while: Duration) -> Limits {
        Limits {
            begun: at(10_000),
            answer_within: RETRY_FOR * 2,
            retry_for: RETRY_FOR,
            short_while,
            least_patience: RETRY_FOR,
        }
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_ballot_is_sent_again_and_waited_for_from_when_it_came_in() {
        let limits = limits(RETRY_FOR / SHORT_WHILE);
        assert_eq!(limits.last_try(at(9_990)), at(11_990));
        assert_eq!(limits.deadline(at(9_990)), at(13_990));
    }

    #[test]
    fn what_has_waited_for_longer_is_sent_again_for_a_short_while_unless_the_store_is_lost() {
        let late = at(5_000);
        assert_eq!(limits(RETRY_FOR / SHORT_WHILE).last_try(late), at(10_250));
        assert_eq!(limits(Duration::ZERO).last_try(late), at(10_000));
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nobody_wait_for_longer() {
        let (limits, nobody) = (limits(Duration::ZERO), Part::default());
        assert_eq!(limits.left(&nobody, at(10_000)), RETRY_FOR * 2);
        assert_eq!(limits.left(&nobody, at(0)), RETRY_FOR * 2);
    }
}
