//! Vote throughput of the engine in process, on the embedded store: `cargo bench`, or `cargo bench -- --quick`.
//!
//! Every figure is of durable votes: each was answered after its commit. The rounds of all cases are interleaved, so that
//! a machine that changes its pace changes it for all; the median round is shown, beside its ratio to one voter at a time,
//! who pays for one flush a vote. After each round the counters must equal the votes that were answered, and a recount.
#![expect(clippy::print_stdout, reason = "a bench prints its table")]

use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use polling_core::polls::Voters;
use polling_core::{Actor, Ballot, Engine, NewPoll, PollId, Voter};
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

struct Case {
    name: &'static str,
    durable: bool,
    load: Load,
    polls: usize,
    votes: usize,
    rounds: Vec<f64>,
}

impl Case {
    const fn new(
        name: &'static str,
        durable: bool,
        load: Load,
        polls: usize,
        votes: usize,
    ) -> Self {
        Self {
            name,
            durable,
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
    let mut cases = [
        Case::new(
            "file, 1 voter at a time",
            true,
            Load::Voters(1),
            1,
            1_000 * scale,
        ),
        Case::new("file, 8 voters", true, Load::Voters(8), 1, 4_000 * scale),
        Case::new("file, 96 voters", true, Load::Voters(96), 1, 20_000 * scale),
        Case::new(
            "file, 1024 voters",
            true,
            Load::Voters(1024),
            1,
            40_000 * scale,
        ),
        Case::new(
            "file, 1024 voters, 1000 polls",
            true,
            Load::Voters(1024),
            1000,
            40_000 * scale,
        ),
        Case::new(
            "file, requests of 1000",
            true,
            Load::Requests(1000),
            1,
            60_000 * scale,
        ),
        Case::new(
            "memory, 1024 voters",
            false,
            Load::Voters(1024),
            1,
            40_000 * scale,
        ),
    ];
    for round in 1..=rounds {
        for case in &mut cases {
            eprint!("\rround {round} of {rounds}: {:<40}", case.name);
            let pace = measure(case).await?;
            case.rounds.push(pace);
        }
    }
    eprintln!("\r{:60}", "");
    print_table(&cases);
    Ok(())
}

/// Votes a second of one round, on a store of its own.
async fn measure(case: &Case) -> Outcome<f64> {
    let folder = tempfile::tempdir()?;
    let store = if case.durable {
        SqliteStore::open(folder.path().join("bench.db")).await?
    } else {
        SqliteStore::in_memory().await?
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
    let alone = cases[0].median();
    println!(
        "| engine in process, durable where it says file | votes/s | x one at a time | exact |"
    );
    println!("| --- | ---: | ---: | --- |");
    for case in cases {
        println!(
            "| {} | {:.0} | {:.1} | yes |",
            case.name,
            case.median(),
            case.median() / alone
        );
    }
}
