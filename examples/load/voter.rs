//! A voter's connection: takes the ballots that are due, and sends each until it is decided.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout_at};

use crate::answer::{Answer, Verdict};
use crate::arguments::Transport;
use crate::ballot::{Ballot, mixed};
use crate::book::{Book, Cast, Expected};
use crate::clock::now;
use crate::line::Line;
use crate::pace::{Due, Pace};
use crate::{Failure, Run};

/// How long a ballot that got no answer waits to be sent again at first, then twice as long each time, and at last.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// Makes the dice of duplicates others than those of polls.
const DUPLICATES: u64 = 0x5EED;

/// The connections of so many voters. They come one after the other: a crowd at the door of a server waits for seconds,
/// which says nothing about votes.
pub(crate) async fn enter(run: &Run, voters: usize) -> Result<Vec<Line>, Failure> {
    let mut lines = Vec::with_capacity(voters);
    for number in 1..=voters {
        let mut line = Line::new(run.transport, &run.server);
        let connected = line.connect().await;
        connected.map_err(|error| format!("voter {number} cannot connect: {error}"))?;
        lines.push(line);
    }
    Ok(lines)
}

/// Votes until it is enough.
pub(crate) async fn vote(run: Arc<Run>, pace: Arc<Pace>, mut line: Line) {
    while let Some(due) = pace.next(run.together).await {
        let round = plan(&run, &due);
        insist(&run, &mut line, round).await;
    }
}

/// Which ballots these are: of new voters, or of some who have voted.
fn plan(run: &Run, due: &[Due]) -> Vec<Cast> {
    let polls = run.polls.len() as u64;
    let whole = due.first().map_or(0, |first| first.number);
    let book = run.book();
    let cast = |due: &Due| {
        // A batch is of one poll.
        let batch = run.transport == Transport::Batch;
        let dice = mixed(if batch { whole } else { due.number });
        let poll = usize::try_from(dice % polls).unwrap_or_default();
        let (ballot, expected) = duplicate(run, &book, poll, due.number)
            .unwrap_or((Ballot::first(poll, due.number), Expected::Recorded));
        Cast {
            ballot,
            expected,
            due: due.at,
        }
    };
    due.iter().map(cast).collect()
}

/// What somebody sends who has voted in this poll, where the dice say that it is their turn: as often the same ballot as
/// another one.
fn duplicate(run: &Run, book: &Book, poll: usize, number: u64) -> Option<(Ballot, Expected)> {
    let dice = mixed(number ^ DUPLICATES);
    if dice % 100 >= run.duplicates {
        return None;
    }
    let held = book.held(poll);
    let choice = mixed(dice);
    let who = (choice >> 1).checked_rem(held.len() as u64)?;
    let held = held[usize::try_from(who).ok()?];
    let first = Ballot::first(poll, held.voter);
    Some(if choice.is_multiple_of(2) {
        (first, Expected::Same(held.cast_at))
    } else {
        let second = Ballot {
            second: true,
            ..first
        };
        (second, Expected::AlreadyVoted)
    })
}

/// Sends ballots until each is decided, or until the voter has no patience any more.
async fn insist(run: &Run, line: &mut Line, mut round: Vec<Cast>) {
    let patience = now() + run.patience;
    let mut pause = PAUSES.0;
    loop {
        let mut answered = vec![false; round.len()];
        let mut decided = vec![false; round.len()];
        let mut told = None;
        let mut heard = |place: usize, answer: Answer| {
            answered[place] = true;
            decided[place] = run.book().hear(&round[place], &answer, now());
            if let Verdict::PutOff(_, after) = answer.verdict {
                told = told.max(after);
            }
        };
        let sent = line.send(&run.polls, &round, &mut heard);
        // Whether it broke or took too long, what was not heard is not known.
        let _ = timeout_at(patience.into(), sent).await;
        let mut left = decided.iter().map(|decided| !decided);
        round.retain(|_| left.next().unwrap_or(false));
        let lost = answered.iter().filter(|answered| !**answered).count();
        run.book().unanswered += lost as u64;
        if round.is_empty() {
            return;
        }
        let pause_now = told.unwrap_or(pause);
        if now() + pause_now >= patience {
            let mut book = run.book();
            round.iter().for_each(|cast| book.give_up(cast));
            return;
        }
        sleep(pause_now).await;
        pause = (2 * pause).min(PAUSES.1);
    }
}
