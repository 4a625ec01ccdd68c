//! What the bench is asked to do.

use std::num::NonZeroUsize;
use std::time::Duration;

use clap::Parser;

/// Measures votes: pgbench, raw COPY, the engine in process, over HTTP and WebSocket, side by side.
#[derive(Debug, Parser)]
#[command(name = "votes")]
pub(crate) struct Options {
    /// A smaller matrix and shorter runs: two minutes at most.
    #[arg(long)]
    pub(crate) quick: bool,

    /// Only the cases whose name contains this; may be given several times.
    #[arg(long, value_name = "SUBSTRING")]
    only: Vec<String>,

    /// Lists the cases, and runs none.
    #[arg(long)]
    pub(crate) list: bool,

    /// Rounds: each runs every case once, one after the other.
    #[arg(long, value_name = "N")]
    rounds: Option<usize>,

    /// How long each run lasts, in whole seconds.
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,

    /// Threads that the engine runs in; one for every two cores without, as the bundled server has them.
    #[arg(long, value_name = "N")]
    threads: Option<usize>,

    /// What cargo adds for every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    /// Three in any case: of two there is no middle.
    pub(crate) fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 3 } else { 5 }).max(1)
    }

    pub(crate) fn run_length(&self) -> Duration {
        let seconds = self.seconds.unwrap_or(if self.quick { 1 } else { 4 });
        Duration::from_secs(seconds.max(1))
    }

    pub(crate) fn threads(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        self.threads.unwrap_or(cores / 2).max(1)
    }

    pub(crate) fn wants(&self, case: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| case.contains(part.as_str()))
    }
}
