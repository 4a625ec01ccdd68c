//! The project's own commands. `cargo xtask test` runs every test there is; `cargo xtask tidy`
//! holds the tree against the project's laws that no compiler knows.

#![expect(
    clippy::print_stdout,
    reason = "a command for people at a terminal: printing is what it does"
)]

mod needs;
mod packages;
mod postgres;
mod schemathesis;
mod test;
mod tidy;
mod tools;

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What a command answers; the error is one that a person can act on.
type Outcome<T> = Result<T, Box<dyn Error>>;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own commands")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run every test of the workspace
    Test {
        /// First install what the tests need from the system (as root, on Debian)
        #[arg(long)]
        install: bool,
    },
    /// Check the laws of the project that no compiler knows
    Tidy,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Test { install } => test::run(install),
        Command::Tidy => tidy::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
