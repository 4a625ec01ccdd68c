//! How fast durable votes are, and beside what: `cargo bench`, or `cargo bench -- --quick`; while tuning
//! `cargo bench --bench votes -- --only engine`.
//!
//! It starts a PostgreSQL of its own, which syncs every commit, and measures everything on the engine's own schema, tables
//! and constraints: `cases/` says what, `load/` is who votes, `bed.rs` the database, `measure.rs` what a run came to,
//! `rounds.rs` the order of it all. Rounds are interleaved, so that a machine that changes its pace changes it for all.
//! After every run the votes are counted: answered, there as rows, and in the counters must be the same number.
#![expect(clippy::print_stdout, reason = "a bench prints its table")]

mod bed;
mod cases;
mod keys;
mod load;
mod machine;
mod measure;
mod options;
mod people;
mod processor;
mod results;
mod rounds;
mod server;
mod table;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;

use bed::Bed;
use machine::Machine;
use options::Options;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(wrong) => {
            eprintln!("{wrong} votes were lost or counted twice");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("the bench failed: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns how many votes were lost or counted twice.
fn run(options: &Options) -> Outcome<u64> {
    let mut cases = cases::all(options.quick);
    cases.retain(|case| options.wants(&case.name()));
    if options.list {
        for case in &cases {
            println!("{}", case.name());
        }
        return Ok(0);
    }
    let bed = Bed::start()?;
    let measured = Machine::look(&bed).and_then(|machine| {
        let measured = rounds::run(&cases, options, &bed)?;
        Ok((machine, measured))
    });
    bed.stop();
    let (machine, measured) = measured?;
    let keys = keys::of(&measured);
    println!("{}\n", machine.line());
    println!("{}", table::of_cases(&measured));
    println!("{}", table::of_keys(&keys));
    let path = results::write(&measured, &keys, &machine, options.quick)?;
    println!("The same, with every round: {}", path.display());
    Ok(measured.iter().map(rounds::Measured::lost_or_doubled).sum())
}
