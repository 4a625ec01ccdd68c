//! The recount: after the close every ballot is sent again, and has to be found in the store by its own row.
//!
//! A closed poll takes no ballot any more, so that the answer to one is a look at what is stored: the receipt of the row,
//! or that the poll is closed. So it does not matter what the counters say, and ballots that were never answered are
//! decided, too.

use tokio::time::{sleep, timeout};

use crate::answer::{Answer, Verdict};
use crate::arguments::Transport;
use crate::ballot::{Ballot, OPTIONS};
use crate::book::{Cast, Expected};
use crate::clock::now;
use crate::line::Line;
use crate::manager::PAUSE;
use crate::{Failure, Run};

/// Ballots that are sent again in one request.
const TOGETHER: usize = 5_000;

/// What was found of the ballots of a poll.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Recount {
    /// Ballots that are stored, for each option.
    pub(crate) found: [u64; OPTIONS.len()],
    /// Ballots that were answered as recorded, and are not stored.
    pub(crate) lost: u64,
    /// Ballots that are stored with another receipt than was answered.
    pub(crate) changed: u64,
    /// Ballots that were answered as no closed poll answers.
    pub(crate) odd: u64,
}

/// Recounts one poll, which is closed.
pub(crate) async fn recount(run: &Run, line: &mut Line, poll: usize) -> Result<Recount, Failure> {
    let mut recount = Recount::default();
    let all = everybody(run, poll);
    for round in all.chunks(TOGETHER) {
        recount_round(run, line, round.to_vec(), &mut recount).await?;
    }
    Ok(recount)
}

pub(crate) fn line(run: &Run) -> Line {
    Line::new(Transport::Batch, &run.server)
}

/// Every first ballot of a poll: those that were answered, and those that were not.
fn everybody(run: &Run, poll: usize) -> Vec<Cast> {
    let due = now();
    let cast = |ballot, expected| Cast {
        ballot,
        expected,
        due,
    };
    let book = run.book();
    let held = book.held(poll).iter();
    let held = held.map(|held| {
        cast(
            Ballot::first(poll, held.voter),
            Expected::Same(held.cast_at),
        )
    });
    let undecided = book.undecided.iter().filter(|ballot| ballot.poll == poll);
    held.chain(undecided.map(|ballot| cast(*ballot, Expected::Recorded)))
        .collect()
}

async fn recount_round(
    run: &Run,
    line: &mut Line,
    mut round: Vec<Cast>,
    recount: &mut Recount,
) -> Result<(), Failure> {
    let patience = now() + run.patience;
    loop {
        let mut decided = vec![false; round.len()];
        let mut heard = |place: usize, answer: Answer| {
            decided[place] = recount.hear(&round[place], &answer);
        };
        let sent = line.send(&run.polls, &round, &mut heard);
        let sent = timeout(run.patience, sent).await;
        let mut left = decided.iter().map(|decided| !decided);
        round.retain(|_| left.next().unwrap_or(false));
        if round.is_empty() {
            return Ok(());
        }
        if now() + PAUSE >= patience {
            let why = match sent {
                Ok(Err(error)) => format!(": {error}"),
                _ => String::new(),
            };
            return Err(format!("{} ballots could not be recounted{why}", round.len()).into());
        }
        sleep(PAUSE).await;
    }
}

impl Recount {
    /// Takes down an answer; `false` where it says nothing.
    fn hear(&mut self, cast: &Cast, answer: &Answer) -> bool {
        let known = match cast.expected {
            Expected::Same(cast_at) => Some(cast_at),
            Expected::Recorded | Expected::AlreadyVoted => None,
        };
        match &answer.verdict {
            Verdict::PutOff(..) => return false,
            Verdict::Recorded(_) if answer.status != Some(200) => self.odd += 1,
            Verdict::Recorded(receipt) => {
                let same = receipt.ballot_id == cast.ballot.id();
                if same && known.is_none_or(|cast_at| cast_at == receipt.cast_at) {
                    self.found[cast.ballot.option()] += 1;
                } else {
                    self.changed += 1;
                }
            }
            Verdict::Refused(code) if code != "poll_closed" => self.odd += 1,
            Verdict::Refused(_) => self.lost += u64::from(known.is_some()),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Receipt;

    const CAST_AT: u64 = 20_261_201_120_000_123;

    fn heard(expected: Expected, answer: &Answer) -> Recount {
        let mut recount = Recount::default();
        let ballot = Ballot::first(0, 7);
        let cast = Cast {
            ballot,
            expected,
            due: now(),
        };
        assert!(recount.hear(&cast, answer));
        recount.found.sort_unstable();
        recount
    }

    fn stored(status: u16, ballot: Ballot, cast_at: u64) -> Answer {
        let receipt = Receipt {
            ballot_id: ballot.id(),
            revision: 1,
            cast_at,
        };
        Answer::of(Some(status), Some(receipt), None)
    }

    #[test]
    fn what_is_stored_is_found() {
        let found = Recount {
            found: [0, 0, 0, 1],
            ..Recount::default()
        };
        let stored = stored(200, Ballot::first(0, 7), CAST_AT);
        assert_eq!(heard(Expected::Same(CAST_AT), &stored), found);
        assert_eq!(heard(Expected::Recorded, &stored), found);
    }

    #[test]
    fn what_was_answered_and_is_not_stored_is_lost() {
        let closed = Answer::of(Some(409), None, Some("poll_closed"));
        assert_eq!(heard(Expected::Same(CAST_AT), &closed).lost, 1);
        assert_eq!(heard(Expected::Recorded, &closed), Recount::default());
    }

    #[test]
    fn another_receipt_is_told_from_the_same() {
        let mine = Ballot::first(0, 7);
        for other in [
            stored(200, mine, CAST_AT + 1),
            stored(200, Ballot::first(0, 8), CAST_AT),
        ] {
            assert_eq!(heard(Expected::Same(CAST_AT), &other).changed, 1);
        }
    }

    #[test]
    fn a_closed_poll_that_takes_ballots_is_odd() {
        let taken = stored(201, Ballot::first(0, 7), CAST_AT);
        assert_eq!(heard(Expected::Recorded, &taken).odd, 1);
        let refused = Answer::of(Some(404), None, Some("poll_not_found"));
        assert_eq!(heard(Expected::Same(CAST_AT), &refused).odd, 1);
    }
}
