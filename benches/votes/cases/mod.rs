//! What is measured. **A new case is one more line in [`all`]**, and where it takes another road a module beside these.

mod engine;
mod pgbench;
mod raw;

use std::io;
use std::time::Duration;

use tokio::runtime::{self, Runtime};

use crate::Outcome;
use crate::bed::{Bed, Counters, Polls};
use crate::measure::Run;

use engine::{EngineCase, Load};
use pgbench::Pgbench;
use raw::{Raw, Way};

/// One thing that is measured, again in every round.
pub(crate) trait Case {
    /// As it stands in the table: the road, where the votes go, and how they come.
    fn name(&self) -> String;

    /// Runs it once, on tables that are empty, and verifies what is there afterwards.
    fn run(&self, bench: &Bench<'_>) -> Outcome<Run>;
}

/// What a run has at hand.
pub(crate) struct Bench<'a> {
    pub(crate) bed: &'a Bed,
    /// How long it is to last.
    pub(crate) length: Duration,
    /// Worker threads of the engine's runtime; without any, one thread does all. On two processors, which it shares with
    /// the database, that was faster.
    pub(crate) threads: Option<usize>,
}

impl Bench<'_> {
    /// What the engine runs in.
    fn runtime(&self) -> io::Result<Runtime> {
        let mut builder = match self.threads {
            Some(threads) => {
                let mut builder = runtime::Builder::new_multi_thread();
                builder.worker_threads(threads.max(1));
                builder
            }
            None => runtime::Builder::new_current_thread(),
        };
        builder.enable_all().build()
    }
}

/// Every case, in the order in which a round runs them.
pub(crate) fn all(quick: bool) -> Vec<Box<dyn Case>> {
    let mut cases: Vec<Box<dyn Case>> = Vec::new();
    for polls in [Polls::One, Polls::Many] {
        let clients: &[u32] = match (quick, polls) {
            (true, Polls::One) => &[8, 96],
            (true, Polls::Many) => &[96],
            (false, _) => &[1, 8, 32, 96],
        };
        for &clients in clients {
            for counters in [Counters::Options, Counters::Tallies] {
                cases.push(Box::new(Pgbench {
                    clients,
                    polls,
                    counters,
                }));
            }
        }
    }
    for (way, batch) in [
        (Way::Copy, 1000),
        (Way::Copy, 4096),
        (Way::Unnest, 1000),
        (Way::Unnest, 4096),
    ] {
        cases.push(Box::new(Raw { way, batch }));
    }
    let mut engine = |polls, load, repeated| {
        cases.push(Box::new(EngineCase {
            polls,
            load,
            repeated,
        }));
    };
    let voters: &[usize] = if quick {
        &[4096]
    } else {
        &[1, 8, 96, 1024, 4096]
    };
    for polls in [Polls::One, Polls::Many] {
        for &voters in voters {
            engine(polls, Load::Voters(voters), 0);
        }
    }
    engine(Polls::One, Load::Requests(16), 0);
    let repeated: &[u64] = if quick { &[90] } else { &[10, 50, 90] };
    for &repeated in repeated {
        engine(Polls::One, Load::Voters(4096), repeated);
    }
    cases
}

/// How the names call it.
fn polls_name(polls: Polls) -> &'static str {
    match polls {
        Polls::One => "one poll",
        Polls::Many => "1000 polls",
    }
}
