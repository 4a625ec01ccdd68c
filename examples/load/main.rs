//! The load generator: many voters and viewers against a running server, and a proof at the end that every vote that was
//! answered is counted, once.
//!
//! ```console
//! $ cargo run --release --example load -- --voters 512 --viewers 100 --duplicates 20
//! ```
//!
//! `voter.rs` sends ballots over one of the transports in `line/`, in the beat of `pace.rs`; `book.rs` remembers what was
//! answered, `viewer.rs` what was shown. At the end `manager.rs` closes the polls, `recount.rs` sends every ballot again,
//! and `proof.rs` compares. All of it is one thread, which leaves the other processors to the server.

mod answer;
mod arguments;
mod ballot;
mod book;
mod chart;
mod clock;
mod http;
mod kept;
mod line;
mod manager;
mod pace;
mod progress;
mod proof;
mod recount;
mod server;
mod socket;
mod summary;
mod viewer;
mod voter;

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clap::Parser;
use tokio::signal;
use tokio::task::JoinSet;

use arguments::{Arguments, Transport};
use ballot::Poll;
use book::{Book, by_option};
use clock::processor_time;
use line::Line;
use manager::Manager;
use pace::Pace;
use progress::Progress;
use proof::Case;
use server::Server;
use summary::Summary;
use viewer::Viewers;

type Failure = Box<dyn Error + Send + Sync>;

/// What all voters and viewers of a run share.
#[derive(Debug)]
pub(crate) struct Run {
    server: Server,
    transport: Transport,
    together: usize,
    duplicates: u64,
    patience: Duration,
    polls: Vec<Poll>,
    book: Mutex<Book>,
}

impl Run {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(summary) => {
            // Whether anybody reads it changes nothing about the proof.
            let _ = write!(std::io::stdout(), "{summary}");
            if summary.doubts().is_empty() {
                return ExitCode::SUCCESS;
            }
            eprintln!("the proof fails");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("the load was not run to its end: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn run(arguments: &Arguments) -> Result<Summary, Failure> {
    let together = arguments.together()?;
    let server = Server::find(&arguments.url, arguments.anywhere).await?;
    let mut manager = Manager::new(server.clone(), arguments.patience());
    let mut polls = Vec::with_capacity(arguments.polls);
    for number in 1..=arguments.polls {
        polls.push(manager.create(number, arguments.polls).await?);
    }
    let run = Arc::new(Run {
        server,
        transport: arguments.transport,
        together,
        duplicates: arguments.duplicates,
        patience: arguments.patience(),
        book: Mutex::new(Book::new(polls.len())),
        polls,
    });
    let viewers = Viewers::enter(&run, arguments.viewers).await?;
    let voters = voter::enter(&run, arguments.voters).await?;

    let processor = processor_time();
    let pace = Pace::new(arguments.votes, arguments.length(), arguments.rate);
    let pace = Arc::new(pace);
    vote(&run, &pace, voters).await;
    let (took, processor) = (pace.elapsed(), processor_time() - processor);

    let recounting = Progress::words("closing and recounting");
    let cases = count(&run, &mut manager).await?;
    drop(recounting);
    let (sights, staleness) = viewers.leave(run.patience).await;
    let book = run.book();
    Ok(Summary {
        task: arguments.in_words(),
        took,
        decided: book.decided,
        answers: book.answers.clone(),
        unanswered: book.unanswered,
        given_up: book.given_up,
        latency: book.latency.clone(),
        late: pace.late(),
        processor,
        sights,
        staleness,
        cases,
        faults: book.faults,
        told: book.told.clone(),
    })
}

/// Lets everybody vote, until it is enough or the keyboard says so.
async fn vote(run: &Arc<Run>, pace: &Arc<Pace>, voters: Vec<Line>) {
    let progress = Progress::votes(run, pace);
    let mut voting = JoinSet::new();
    for line in voters {
        voting.spawn(voter::vote(Arc::clone(run), Arc::clone(pace), line));
    }
    let interrupted = async {
        if signal::ctrl_c().await.is_ok() {
            pace.stop();
        }
        std::future::pending::<()>().await;
    };
    let voted = async { while voting.join_next().await.is_some() {} };
    tokio::select! {
        () = voted => {}
        () = interrupted => {}
    }
    drop(progress);
}

/// Closes every poll, reads what it counted, and counts again.
async fn count(run: &Run, manager: &mut Manager) -> Result<Vec<Case>, Failure> {
    let mut line = recount::line(run);
    let mut cases = Vec::with_capacity(run.polls.len());
    for (place, poll) in run.polls.iter().enumerate() {
        let counted = manager.close(poll).await?;
        let recounted = recount::recount(run, &mut line, place).await?;
        let book = run.book();
        let undecided = book.undecided.iter().copied();
        cases.push(Case {
            poll: poll.id.clone(),
            answered: book.answered(place),
            undecided: by_option(undecided.filter(|ballot| ballot.poll == place)),
            counted,
            recounted,
        });
    }
    Ok(cases)
}
