//! What is measured. **A new case is one more line in [`all`]**, and where it takes another road a module beside these.

mod engine;
mod pgbench;
mod raw;
mod web;

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use tokio::runtime::{self, Runtime};

use crate::Outcome;
use crate::bed::{Bed, Counters, Polls};
use crate::load::Pace;
use crate::measure::Run;
use crate::people::Proof;

use engine::{EngineCase, Load, Store};
use pgbench::Pgbench;
use raw::{Raw, Way};
use web::{Noop, Proved, Road, Web};

/// One thing that is measured, again in every round.
pub(crate) trait Case {
    /// As it stands in the table: the road, where the votes go, and how they come.
    fn name(&self) -> String;

    /// What the keys take it for.
    fn kind(&self) -> Kind;

    /// Runs it once, on tables that are empty, and verifies what is there afterwards.
    fn run(&self, bench: &Bench<'_>) -> Outcome<Run>;
}

/// What the keys with goals take a case for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// With so many clients.
    Pgbench(Polls, u32),
    Copy,
    /// The engine in process, at its maximum.
    Engine(Polls),
    /// The engine where nine of ten votes were cast before.
    Repeated(Load),
    /// The engine on the road that expects conflicts, where there are none.
    Conflicts(Load),
    /// One vote a request, into one poll, over so many connections.
    Http(usize),
    /// The same, at half of its maximum.
    HttpAtHalf,
    /// The same requests to a handler that does nothing.
    Noop(usize),
    /// Many votes at once, over WebSocket or through the batch end point.
    ManyAtOnce,
    /// Only to be seen.
    Other,
}

/// What a run has at hand.
pub(crate) struct Bench<'a> {
    pub(crate) bed: &'a Bed,
    /// How long it is to last.
    pub(crate) length: Duration,
    /// Threads that the engine runs in.
    pub(crate) threads: usize,
    /// What was measured before, in votes a second.
    pub(crate) paces: &'a HashMap<String, f64>,
}

impl Bench<'_> {
    /// What the engine runs in.
    fn runtime(&self) -> io::Result<Runtime> {
        let mut builder = match self.threads {
            1 => runtime::Builder::new_current_thread(),
            _ => runtime::Builder::new_multi_thread(),
        };
        builder.worker_threads(self.threads);
        builder.enable_all().build()
    }

    /// A share of the maximum in an open loop, or the maximum itself. It is measured now where it was not before.
    fn pace(&self, share: Option<u32>, maximum: &dyn Case) -> Outcome<Pace> {
        let Some(percent) = share else {
            return Ok(Pace::Closed);
        };
        let known = self.paces.get(&maximum.name()).copied();
        let pace = match known {
            Some(pace) => pace,
            None => maximum.run(self)?.pace(),
        };
        Ok(Pace::Open(pace * f64::from(percent) / 100.0))
    }
}

/// Every case, in the order in which a round runs them. An open loop comes after its maximum.
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
    for way in [Way::Copy, Way::Unnest] {
        for batch in [1000, 4096] {
            cases.push(Box::new(Raw { way, batch }));
        }
    }
    cases.extend(engine(quick));
    cases.extend(web(quick));
    cases
}

fn engine(quick: bool) -> Vec<Box<dyn Case>> {
    let mut cases: Vec<Box<dyn Case>> = Vec::new();
    let mut add = |case: EngineCase| cases.push(Box::new(case));
    let one = EngineCase {
        store: Store::Postgres,
        polls: Polls::One,
        load: Load::Voters(4096),
        before: 0,
        repeated: 0,
        expects_conflicts: false,
        share: None,
    };
    let voters: &[usize] = if quick {
        &[4096]
    } else {
        &[1, 8, 96, 1024, 4096]
    };
    for polls in [Polls::One, Polls::Many] {
        for &voters in voters {
            let load = Load::Voters(voters);
            add(EngineCase { polls, load, ..one });
        }
    }
    let calls = EngineCase {
        load: Load::Calls(16),
        ..one
    };
    add(calls);
    let shares: &[u32] = if quick { &[] } else { &[50, 80] };
    for &share in shares {
        let share = Some(share);
        add(EngineCase { share, ..one });
    }
    let repeated: &[u64] = if quick { &[90] } else { &[10, 50, 90] };
    let expects_conflicts = true;
    for case in [one, calls] {
        for &repeated in repeated {
            add(EngineCase { repeated, ..case });
        }
        add(EngineCase {
            expects_conflicts,
            ..case
        });
    }
    if !quick {
        let before = 10_000_000;
        add(EngineCase { before, ..one });
        add(EngineCase { before, ..calls });
    }
    let stores: &[Store] = if quick {
        &[Store::File]
    } else {
        &[Store::File, Store::Memory]
    };
    for &store in stores {
        add(EngineCase { store, ..one });
        if !quick {
            add(EngineCase { store, ..calls });
        }
    }
    cases
}

fn web(quick: bool) -> Vec<Box<dyn Case>> {
    let mut cases: Vec<Box<dyn Case>> = Vec::new();
    let connections: &[usize] = if quick { &[256] } else { &[64, 256, 1024] };
    for &connections in connections {
        cases.push(Box::new(Noop { connections }));
        let one = Web {
            road: Road::Request(connections),
            polls: Polls::One,
            share: None,
        };
        cases.push(Box::new(one));
        if connections == 256 {
            let shares: &[u32] = if quick { &[50] } else { &[50, 80] };
            for &share in shares {
                let share = Some(share);
                cases.push(Box::new(Web { share, ..one }));
            }
            let polls = Polls::Many;
            cases.push(Box::new(Web { polls, ..one }));
            for proof in [Proof::Registered, Proof::Tokens, Proof::Members] {
                cases.push(Box::new(Proved(proof)));
            }
        }
    }
    for road in [Road::Batch(16, 1000), Road::WebSocket(32, 128)] {
        cases.push(Box::new(Web {
            road,
            polls: Polls::One,
            share: None,
        }));
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

/// How the names call an open loop.
fn share_name(share: Option<u32>) -> String {
    share.map_or(String::new(), |percent| format!(", at {percent} %"))
}
