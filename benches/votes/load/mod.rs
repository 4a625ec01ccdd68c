//! Voters who vote, again and again, and what they see: the same for every road that a vote can take.

pub(crate) mod http;
pub(crate) mod in_process;
mod pace;
mod votes;
pub(crate) mod ws;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::time::Instant;

use crate::Outcome;
use crate::measure::{Run, Stopwatch, histogram};

pub(crate) use pace::Pace;
pub(crate) use votes::{Vote, Votes, mix, voter_text};

/// Somebody who sends one request, waits for its answer, and sends the next.
pub(crate) trait Client: Send + 'static {
    fn vote(&mut self) -> impl Future<Output = Outcome<Answer>> + Send;
}

/// What became of the votes of one request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Answer {
    /// Recorded by this request.
    pub(crate) created: u64,
    /// Recorded before: the same vote was sent again.
    pub(crate) repeated: u64,
    /// Refused, and so not recorded.
    pub(crate) refused: u64,
}

/// What all clients of a run saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) votes: Answer,
    /// Votes that were not sent, because the ones before were late.
    unsent: u64,
    /// Of each request, in microseconds.
    latencies: Vec<u32>,
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.votes.created += other.votes.created;
        self.votes.repeated += other.votes.repeated;
        self.votes.refused += other.votes.refused;
        self.unsent += other.unsent;
        self.latencies.extend(other.latencies);
    }
}

/// Lets these clients vote for so long, and returns what they saw: measured, and not verified.
pub(crate) async fn drive<C: Client>(
    clients: Vec<C>,
    pace: Pace,
    length: Duration,
    postmaster: Option<u32>,
) -> Outcome<(Run, Seen)> {
    let watch = Stopwatch::start(postmaster);
    let start = Instant::now();
    let count = clients.len();
    let tasks = clients.into_iter().enumerate().map(|(place, client)| {
        let pace = pace.of_client(place, count, start, start + length);
        tokio::spawn(repeat(client, pace))
    });
    let ended = try_join_all(tasks).await?;
    // Before the clients are dropped: a connection that closes is not what is measured.
    let spent = watch.stop();
    let mut all = Seen::default();
    for ended in ended {
        all.add(ended?.0);
    }
    let run = Run {
        answered: all.votes.created + all.votes.repeated,
        spent,
        latency: Some(histogram(all.latencies.iter().map(|&micros| micros.into()))),
        drops: all.votes.refused + all.unsent,
        ..Run::default()
    };
    Ok((run, all))
}

/// Returns the client, too, so that it is dropped when the clock has stopped.
async fn repeat<C: Client>(mut client: C, mut pace: pace::Own) -> Outcome<(Seen, C)> {
    let mut seen = Seen::default();
    while let Some(intended) = pace.next().await {
        let answer = client.vote().await?;
        let late = u32::try_from(intended.elapsed().as_micros());
        seen.latencies.push(late.unwrap_or(u32::MAX));
        seen.votes.created += answer.created;
        seen.votes.repeated += answer.repeated;
        seen.votes.refused += answer.refused;
    }
    seen.unsent = pace.unsent();
    Ok((seen, client))
}

/// Clients, each with a number of its own.
pub(crate) fn clients<C>(count: usize, mut make: impl FnMut(u64) -> C) -> Vec<C> {
    (0..count as u64).map(&mut make).collect()
}

/// A list that all clients share.
pub(crate) type Shared<T> = Arc<[T]>;
