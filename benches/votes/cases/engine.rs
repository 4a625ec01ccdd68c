//! The engine in process: each vote is answered after its commit.

use std::sync::Arc;

use polling_core::{Actor, Engine, Repository};
use polling_pg::PgStore;
use polling_sqlite::SqliteStore;

use super::{Bench, Case, Kind, polls_name, share_name};
use crate::Outcome;
use crate::bed::{Counters, MANY, Poll, Polls, create_polls, for_anyone};
use crate::load::in_process::{Caster, Sender, in_each, prime};
use crate::load::{Pace, Shared, Votes, clients, drive};
use crate::measure::{Run, number};

/// Where the votes are kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Store {
    Postgres,
    File,
    Memory,
}

/// How the votes come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// So many voters, each of whom waits for the answer before the next vote comes.
    Voters(usize),
    /// So many calls in flight, with [`CALL`] ballots each.
    Calls(usize),
}

/// Ballots of a call.
const CALL: usize = 1000;

#[derive(Clone, Copy)]
pub(super) struct EngineCase {
    pub(super) store: Store,
    pub(super) polls: Polls,
    pub(super) load: Load,
    /// Votes that the poll has before.
    pub(super) before: u64,
    /// Votes among a hundred that were cast before.
    pub(super) repeated: u64,
    /// Held on the road that expects voters to have voted.
    pub(super) expects_conflicts: bool,
    /// Percent of the maximum, in an open loop; `None` for the maximum itself.
    pub(super) share: Option<u32>,
}

impl Case for EngineCase {
    fn name(&self) -> String {
        let store = match self.store {
            Store::Postgres => "engine",
            Store::File => "engine on a SQLite file",
            Store::Memory => "engine on SQLite in memory",
        };
        let load = match self.load {
            Load::Voters(1) => "1 voter".to_owned(),
            Load::Voters(voters) => format!("{voters} voters"),
            Load::Calls(calls) => format!("{calls} calls of {CALL}"),
        };
        let repeated = match self.repeated {
            0 => String::new(),
            repeated => format!(", {repeated} % repeated"),
        };
        let before = match self.before / 1_000_000 {
            0 => String::new(),
            millions => format!(" with {millions} million votes"),
        };
        let (polls, share) = (polls_name(self.polls), share_name(self.share));
        let conflicts = if self.expects_conflicts {
            ", held on the road for conflicts"
        } else {
            ""
        };
        format!("{store}, {polls}{before}, {load}{repeated}{conflicts}{share}")
    }

    fn kind(&self) -> Kind {
        match self {
            Self { store, .. } if *store != Store::Postgres => Kind::Other,
            Self { share: Some(_), .. } => Kind::Other,
            Self {
                expects_conflicts: true,
                ..
            } => Kind::Conflicts(self.load),
            Self {
                repeated: 0,
                before: 0,
                ..
            } => Kind::Engine(self.polls),
            Self { repeated: 90, .. } => Kind::Repeated(self.load),
            Self { .. } => Kind::Other,
        }
    }

    fn run(&self, bench: &Bench<'_>) -> Outcome<Run> {
        let maximum = Self {
            share: None,
            ..*self
        };
        let pace = bench.pace(self.share, &maximum)?;
        match self.store {
            Store::Postgres => self.on_postgres(bench, pace),
            Store::File | Store::Memory => self.on_sqlite(bench, pace),
        }
    }
}

impl EngineCase {
    fn on_postgres(&self, bench: &Bench<'_>, pace: Pace) -> Outcome<Run> {
        let bed = bench.bed;
        bed.reset()?;
        if self.before > 0 {
            bed.fill(self.before)?;
        }
        let (mut run, created) = bench.runtime()?.block_on(async {
            let mut options = PgStore::builder();
            if self.expects_conflicts {
                options = options.expect_conflicts();
            }
            let engine = Engine::builder(options.connect(&bed.url()).await?);
            let engine = engine.build().await?;
            let done = self
                .measure(bench, &engine, bed.polls(self.polls), pace)
                .await?;
            engine.shutdown().await;
            Outcome::Ok(done)
        })?;
        let found = bed.found(Counters::Tallies)?;
        run.lost_or_doubled = found.lost_or_doubled(self.before + created);
        if self.polls == Polls::One {
            run.batch = Some(number(created) / number(found.revisions.max(1)));
        }
        Ok(run)
    }

    fn on_sqlite(&self, bench: &Bench<'_>, pace: Pace) -> Outcome<Run> {
        let folder = tempfile::tempdir()?;
        bench.runtime()?.block_on(async {
            let store: Arc<dyn Repository> = match self.store {
                Store::Memory => Arc::new(SqliteStore::in_memory().await?),
                _ => Arc::new(SqliteStore::open(folder.path().join("bench.db")).await?),
            };
            let engine = Engine::builder(store).build().await?;
            let count = match self.polls {
                Polls::One => 1,
                Polls::Many => MANY,
            };
            let polls: Shared<Poll> = create_polls(&engine, count, for_anyone).await?.into();
            let (mut run, created) = self.measure(bench, &engine, polls.clone(), pace).await?;
            let (mut rows, mut is_counted) = (0, true);
            for poll in polls.iter() {
                let recount = engine.results().recount(&Actor::System, poll.id).await?;
                rows += recount.ballots;
                is_counted &= recount.agrees();
            }
            run.lost_or_doubled = match rows.abs_diff(created) {
                0 if !is_counted => 1,
                wrong => wrong,
            };
            engine.shutdown().await;
            Ok(run)
        })
    }

    /// Returns how many votes were recorded, too.
    async fn measure(
        &self,
        bench: &Bench<'_>,
        engine: &Engine,
        polls: Shared<Poll>,
        pace: Pace,
    ) -> Outcome<(Run, u64)> {
        let primed = prime(engine, in_each(&polls)).await?;
        let postmaster = match self.store {
            Store::Postgres => bench.bed.cluster().pid(),
            Store::File | Store::Memory => None,
        };
        let caster = |client| Caster {
            engine: engine.clone(),
            polls: polls.clone(),
            votes: Votes::of(client, polls.len(), self.repeated),
        };
        let (run, seen) = match self.load {
            Load::Voters(voters) => {
                let voters = clients(voters, caster);
                drive(voters, pace, bench.length, postmaster).await?
            }
            Load::Calls(calls) => {
                let sender = |client| Sender {
                    caster: caster(client),
                    ballots: CALL,
                };
                drive(clients(calls, sender), pace, bench.length, postmaster).await?
            }
        };
        Ok((run, primed + seen.votes.created))
    }
}
