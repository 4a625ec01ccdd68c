//! Vote throughput of the engine in process, on the embedded store and on a PostgreSQL of its own, which syncs every
//! commit: `cargo bench`, or `cargo bench -- --quick`.
//!
//! Every figure is of durable votes: each was answered after its commit. The rounds of all cases are interleaved, so that
//! a machine that changes its pace changes it for all; the median round is shown, beside its ratio to one voter at a time,
//! who pays for one flush a vote. After each round the counters must equal the votes that were answered, and a recount.
#![expect(clippy::print_stdout, reason = "a bench prints its table")]

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use pg_cluster::{Cluster, ClusterOptions, Version};
use polling_core::polls::Voters;
use polling_core::{Actor, Ballot, Engine, NewPoll, PollId, Repository, Voter};
use polling_pg::PgStore;
use polling_sqlite::SqliteStore;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// How the votes come in.
#[derive(Clone, Copy)]
enum Load {
    /// So many voters, each of whom waits for the answer before the next vote comes.
    Voters(usize),
    /// Whole requests of the batch end point, with so many ballots each, two at a time.
    Requests(usize),
}

/// Where the votes are kept.
#[derive(Clone, Copy)]
enum Kept {
    File,
    Memory,
    Postgres,
}

impl Kept {
    const fn as_str(self) -> &'static str {
        match self {
            Kept::File => "SQLite file",
            Kept::Memory => "SQLite memory",
            Kept::Postgres => "PostgreSQL",
        }
    }
}

struct Case {
    name: &'static str,
    kept: Kept,
    load: Load,
    polls: usize,
    votes: usize,
    rounds: Vec<f64>,
}

impl Case {
    const fn new(name: &'static str, kept: Kept, load: Load, polls: usize, votes: usize) -> Self {
        Self {
            name,
            kept,
            load,
            polls,
            votes,
            rounds: Vec::new(),
        }
    }

    /// Votes a second, of the round in the middle.
    fn median(&self) -> f64 {
        let mut rounds = self.rounds.clone();
        rounds.sort_by(f64::total_cmp);
        rounds[rounds.len() / 2]
    }
}

fn main() -> ExitCode {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    match runtime
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(run(quick)))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the bench failed: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(quick: bool) -> Outcome<()> {
    let (scale, rounds) = if quick { (1, 3) } else { (5, 7) };
    let mut cases = Vec::new();
    for kept in [Kept::File, Kept::Postgres] {
        let mut case = |name, load, polls, votes: usize| {
            cases.push(Case::new(name, kept, load, polls, votes * scale));
        };
        case("1 voter at a time", Load::Voters(1), 1, 1_000);
        case("8 voters", Load::Voters(8), 1, 4_000);
        case("96 voters", Load::Voters(96), 1, 20_000);
        case("1024 voters", Load::Voters(1024), 1, 40_000);
        case("1024 voters, 1000 polls", Load::Voters(1024), 1000, 40_000);
        case("requests of 1000", Load::Requests(1000), 1, 60_000);
    }
    let memory = Load::Voters(1024);
    cases.push(Case::new(
        "1024 voters",
        Kept::Memory,
        memory,
        1,
        40_000 * scale,
    ));
    // As a server for this would be set up: its memory holds what is written.
    let options = ClusterOptions::new(Version::Installed).durable();
    let options = options.config("shared_buffers = 1GB");
    let cluster = Cluster::start(&options.config("max_wal_size = 8GB"))?;
    for round in 1..=rounds {
        for case in &mut cases {
            let (kept, name) = (case.kept.as_str(), case.name);
            eprint!("\rround {round} of {rounds}: {kept}, {name:<40}");
            let pace = measure(case, &cluster).await?;
            case.rounds.push(pace);
        }
    }
    eprintln!("\r{:60}", "");
    print_table(&cases);
    cluster.stop();
    Ok(())
}

/// Votes a second of one round, on a store of its own.
async fn measure(case: &Case, cluster: &Cluster) -> Outcome<f64> {
    let folder = tempfile::tempdir()?;
    let store: Arc<dyn Repository> = match case.kept {
        Kept::File => Arc::new(SqliteStore::open(folder.path().join("bench.db")).await?),
        Kept::Memory => Arc::new(SqliteStore::in_memory().await?),
        Kept::Postgres => Arc::new(PgStore::connect(cluster.database().await.url()).await?),
    };
    let engine = Engine::builder(store).build().await?;
    let mut polls = Vec::with_capacity(case.polls);
    for number in 0..case.polls {
        let new = NewPoll::single(format!("Poll {number}"), ["a", "b", "c", "d"])
            .voters(Voters::Anyone)
            .published();
        polls.push(engine.polls().create(&Actor::System, new).await?.id);
    }
    #[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
    let start = Instant::now();
    match case.load {
        Load::Voters(voters) => one_by_one(&engine, &polls, case.votes, voters).await?,
        Load::Requests(ballots) => by_requests(&engine, polls[0], case.votes, ballots).await?,
    }
    let took = start.elapsed();
    verify(&engine, &polls, case.votes).await?;
    engine.shutdown().await;
    Ok(pace(case.votes, took))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of votes are far below 2^52"
)]
fn pace(votes: usize, took: Duration) -> f64 {
    votes as f64 / took.as_secs_f64()
}

fn ballot(poll: PollId, number: usize) -> Ballot {
    let option = u8::try_from(number % 4).unwrap_or(0);
    Ballot::of(poll, Voter::anyone(format!("voter-{number}")), [option])
}

async fn one_by_one(engine: &Engine, polls: &[PollId], votes: usize, voters: usize) -> Outcome<()> {
    let voter = |first: usize| {
        let (engine, polls) = (engine.clone(), polls.to_vec());
        tokio::spawn(async move {
            for number in (first..votes).step_by(voters) {
                engine
                    .votes()
                    .cast(&Actor::System, ballot(polls[number % polls.len()], number))
                    .await?;
            }
            Outcome::Ok(())
        })
    };
    for done in try_join_all((0..voters).map(voter)).await? {
        done?;
    }
    Ok(())
}

async fn by_requests(engine: &Engine, poll: PollId, votes: usize, ballots: usize) -> Outcome<()> {
    let sender = |first: usize| {
        let engine = engine.clone();
        tokio::spawn(async move {
            for start in (first * ballots..votes).step_by(2 * ballots) {
                let request =
                    (start..(start + ballots).min(votes)).map(|number| Ok(ballot(poll, number)));
                for receipt in engine
                    .votes()
                    .cast_all(&Actor::System, poll, request.collect())
                    .await?
                {
                    receipt?;
                }
            }
            Outcome::Ok(())
        })
    };
    for done in try_join_all((0..2).map(sender)).await? {
        done?;
    }
    Ok(())
}

/// Answered, counted and recounted must be the same number.
async fn verify(engine: &Engine, polls: &[PollId], votes: usize) -> Outcome<()> {
    let mut counted = 0;
    for poll in polls {
        let recount = engine.results().recount(&Actor::System, *poll).await?;
        if !recount.agrees() {
            return Err(format!("the counters of poll {poll} do not equal a recount").into());
        }
        counted += recount.ballots;
    }
    if counted == votes as u64 {
        Ok(())
    } else {
        Err(format!("{votes} answered, {counted} counted").into())
    }
}

fn print_table(cases: &[Case]) {
    println!("| store | engine in process | votes/s | x one at a time | exact |");
    println!("| --- | --- | ---: | ---: | --- |");
    let mut alone = cases[0].median();
    for case in cases {
        if matches!(case.load, Load::Voters(1)) {
            alone = case.median();
        }
        println!(
            "| {} | {} | {:.0} | {:.1} | yes |",
            case.kept.as_str(),
            case.name,
            case.median(),
            case.median() / alone
        );
    }
}
