//! A sample poll, and simulated voters who vote for a minute, so that a watcher sees results move.

use std::time::Duration;

use polling_core::polls::{PollError, Voters};
use polling_core::{Actor, Ballot, Engine, NewPoll, PollId, Voter, log_each_second};
use tokio::task::JoinHandle;
use tokio::time::interval;
use tracing::info;

const QUESTION: &str = "Which language shall we learn next?";
const OPTIONS: [&str; 4] = ["Rust", "Elixir", "Zig", "Haskell"];

/// Out of a hundred, how many vote for each option; those beyond the last one vote for the first.
const LIKING: [u64; 4] = [40, 25, 20, 15];

const VOTES_A_SECOND: u32 = 40;
const SECONDS: u32 = 60;

pub(crate) struct Demo {
    pub(crate) poll: PollId,
    pub(crate) task: JoinHandle<()>,
}

/// Creates the poll, which everybody may vote in, and starts the voting.
pub(crate) async fn start(engine: &Engine) -> Result<Demo, PollError> {
    let new = NewPoll::single(QUESTION, OPTIONS)
        .voters(Voters::Anyone)
        .listed()
        .published();
    let poll = engine.polls().create(&Actor::System, new).await?.id;
    let engine = engine.clone();
    let task = tokio::spawn(async move { vote(engine, poll).await });
    Ok(Demo { poll, task })
}

async fn vote(engine: Engine, poll: PollId) {
    let mut pace = interval(Duration::from_secs(1) / VOTES_A_SECOND);
    for number in 0..u64::from(VOTES_A_SECOND * SECONDS) {
        pace.tick().await;
        let ballot = Ballot::of(
            poll,
            Voter::anyone(format!("simulated-{number}")),
            [option(number)],
        );
        if let Err(error) = engine.votes().cast(&Actor::System, ballot).await {
            log_each_second!(warn, "a simulated voter was refused", error = %error);
        }
    }
    info!(%poll, "the simulated voters have voted");
}

/// The same wavering in every run: a multiplicative hash of the voter's number picks a place among a hundred.
fn option(number: u64) -> u8 {
    let mut place = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    place %= 100;
    for (position, liking) in (0..).zip(LIKING) {
        if place < liking {
            return position;
        }
        place -= liking;
    }
    0
}
