//! What a run came to: how much in how long, at what cost, and whether it is exact.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::processor::Processor;

/// The time now.
#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Runs while something is measured, and not while it is set up or verified.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    postmaster: Option<u32>,
    before: Processor,
    start: Instant,
}

/// What was spent between start and stop.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spent {
    pub(crate) took: Duration,
    /// Processor time of all that takes part: the load, the engine and the database.
    pub(crate) processor: Duration,
    /// Processors that others used meanwhile, as a share of the machine from 0 to 1.
    pub(crate) foreign: f64,
}

impl Stopwatch {
    pub(crate) fn start(postmaster: Option<u32>) -> Self {
        let before = Processor::now(postmaster);
        Self {
            postmaster,
            before,
            start: now(),
        }
    }

    pub(crate) fn stop(&self) -> Spent {
        let took = self.start.elapsed();
        let after = Processor::now(self.postmaster);
        let (own, cluster) = (
            after.own.saturating_sub(self.before.own),
            after.cluster.saturating_sub(self.before.cluster),
        );
        let processor = own + cluster;
        let all = after.all.saturating_sub(self.before.all);
        let foreign = all.saturating_sub(processor).as_secs_f64();
        let there = took.as_secs_f64() * processors();
        Spent {
            took,
            processor,
            foreign: if there > 0.0 { foreign / there } else { 0.0 },
        }
    }
}

/// How many processors there are.
pub(crate) fn processors() -> f64 {
    let found = std::thread::available_parallelism();
    found.map_or(1.0, |found| number(found.get()))
}

/// One case, run once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    /// Requests that were answered with a receipt, repeated votes included.
    pub(crate) answered: u64,
    pub(crate) spent: Spent,
    /// From the intended start of a request to its answer, in microseconds.
    pub(crate) latency: Option<Histogram<u64>>,
    /// Requests that were refused, or not sent because those before them were late.
    pub(crate) drops: u64,
    /// Votes that were answered and are not there, or are there twice, or are counted otherwise than they are there.
    pub(crate) lost_or_doubled: u64,
    /// Ballots in a commit, on average, where that is known.
    pub(crate) batch: Option<f64>,
}

impl Run {
    /// Votes a second.
    pub(crate) fn pace(&self) -> f64 {
        number(self.answered) / self.spent.took.as_secs_f64().max(f64::EPSILON)
    }

    /// Microseconds of processor time a vote.
    pub(crate) fn cost(&self) -> f64 {
        self.spent.processor.as_secs_f64() * 1e6 / number(self.answered.max(1))
    }
}

/// Latencies up to a minute, to three digits.
pub(crate) fn histogram(latencies: impl IntoIterator<Item = u64>) -> Histogram<u64> {
    let mut histogram = Histogram::new_with_bounds(1, 60_000_000, 3)
        .expect("these bounds are ones that a histogram can have");
    for micros in latencies {
        histogram.saturating_record(micros.max(1));
    }
    histogram
}

/// A count as a number to calculate with.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of votes are far below 2^52"
)]
pub(crate) fn number(count: impl TryInto<u64>) -> f64 {
    count.try_into().unwrap_or(0) as f64
}
