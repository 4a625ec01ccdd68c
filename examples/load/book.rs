//! The generator's own books: what was sent, what was answered and when, and who holds which receipt.

use std::time::Instant;

use hdrhistogram::Histogram;

use crate::answer::{Answer, Receipt, Verdict};
use crate::ballot::{Ballot, OPTIONS};
use crate::clock::micros;

/// An hour, in microseconds: whatever takes longer is shown as that.
const LONGEST: u64 = 3_600_000_000;

/// Faults that are told in words; more of them are counted.
const TOLD: usize = 5;

/// Times in microseconds, to three digits.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST, 3).expect("the bounds are in order")
}

/// A ballot that is being sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cast {
    pub(crate) ballot: Ballot,
    pub(crate) expected: Expected,
    /// From when on its voter waits for an answer.
    pub(crate) due: Instant,
}

/// What has to come of a ballot.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expected {
    /// A voter's first: it counts.
    Recorded,
    /// One that was answered already: the same receipt, of this time.
    Same(u64),
    /// Another one of somebody who has voted: `already_voted`.
    AlreadyVoted,
}

/// A ballot that was answered as recorded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    pub(crate) voter: u64,
    pub(crate) cast_at: u64,
}

/// How often an answer came.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Count {
    pub(crate) status: Option<u16>,
    pub(crate) code: String,
    pub(crate) times: u64,
}

#[derive(Debug)]
pub(crate) struct Book {
    /// By poll.
    held: Vec<Vec<Held>>,
    /// First ballots of which nobody knows whether they count.
    pub(crate) undecided: Vec<Ballot>,
    /// Ballots that are done with, duplicates included.
    pub(crate) decided: u64,
    /// Duplicates that were given up: they can change nothing.
    pub(crate) given_up: u64,
    pub(crate) answers: Vec<Count>,
    /// How often a ballot was sent whose answer was lost.
    pub(crate) unanswered: u64,
    /// From when a ballot was due to its decision, in microseconds.
    pub(crate) latency: Histogram<u64>,
    pub(crate) faults: u64,
    pub(crate) told: Vec<String>,
    /// By poll: revisions, and when a voter first knew of each. Both only grow.
    known: Vec<Vec<(u64, Instant)>>,
}

impl Book {
    pub(crate) fn new(polls: usize) -> Self {
        Self {
            held: vec![Vec::new(); polls],
            undecided: Vec::new(),
            decided: 0,
            given_up: 0,
            answers: Vec::new(),
            unanswered: 0,
            latency: histogram(),
            faults: 0,
            told: Vec::new(),
            known: vec![Vec::new(); polls],
        }
    }

    /// Takes down an answer; `false` where it decides nothing.
    pub(crate) fn hear(&mut self, cast: &Cast, answer: &Answer, at: Instant) -> bool {
        self.count(answer);
        let ballot = cast.ballot;
        match (cast.expected, &answer.verdict) {
            (_, Verdict::PutOff(..)) => return false,
            (Expected::Recorded, Verdict::Recorded(receipt))
                if receipt.ballot_id == ballot.id() =>
            {
                self.hold(ballot, *receipt, at);
            }
            (Expected::Same(cast_at), Verdict::Recorded(receipt))
                if receipt.ballot_id == ballot.id() && receipt.cast_at == cast_at => {}
            (Expected::AlreadyVoted, Verdict::Refused(code)) if code == "already_voted" => {}
            (expected, _) => self.fault(ballot, expected, answer),
        }
        self.decided += 1;
        let waited = at.saturating_duration_since(cast.due);
        self.latency.saturating_record(micros(waited));
        true
    }

    fn hold(&mut self, ballot: Ballot, receipt: Receipt, at: Instant) {
        self.held[ballot.poll].push(Held {
            voter: ballot.voter,
            cast_at: receipt.cast_at,
        });
        let known = &mut self.known[ballot.poll];
        if known
            .last()
            .is_none_or(|(last, _)| *last < receipt.revision)
        {
            known.push((receipt.revision, at));
        }
    }

    fn count(&mut self, answer: &Answer) {
        let (status, code) = (answer.status, answer.code());
        let mut counts = self.answers.iter_mut();
        match counts.find(|count| count.status == status && count.code == code) {
            Some(count) => count.times += 1,
            None => self.answers.push(Count {
                status,
                code: code.to_owned(),
                times: 1,
            }),
        }
    }

    fn fault(&mut self, ballot: Ballot, expected: Expected, answer: &Answer) {
        self.faults += 1;
        if self.told.len() < TOLD {
            let what = match expected {
                Expected::Recorded => "the first ballot",
                Expected::Same(_) => "the same ballot again",
                Expected::AlreadyVoted => "a second ballot",
            };
            let (voter, verdict) = (ballot.voter, &answer.verdict);
            self.told
                .push(format!("{what} of voter-{voter} was answered {verdict:?}"));
        }
    }

    /// A ballot that nobody answered within the patience of its voter.
    pub(crate) fn give_up(&mut self, cast: &Cast) {
        match cast.expected {
            Expected::Recorded => self.undecided.push(cast.ballot),
            Expected::Same(_) | Expected::AlreadyVoted => self.given_up += 1,
        }
    }

    /// Those who hold a receipt of a poll.
    pub(crate) fn held(&self, poll: usize) -> &[Held] {
        &self.held[poll]
    }

    /// How many ballots were answered as recorded, for each option of a poll.
    pub(crate) fn answered(&self, poll: usize) -> [u64; OPTIONS.len()] {
        let held = self.held[poll].iter();
        by_option(held.map(|held| Ballot::first(poll, held.voter)))
    }

    /// When a voter first knew of one of the revisions after the one, up to the other.
    pub(crate) fn known(&self, poll: usize, after: u64, until: u64) -> Option<Instant> {
        let known = &self.known[poll];
        let next = known.partition_point(|(revision, _)| *revision <= after);
        let (revision, at) = known.get(next)?;
        (*revision <= until).then_some(*at)
    }
}

/// How many of these choose each option.
pub(crate) fn by_option(ballots: impl Iterator<Item = Ballot>) -> [u64; OPTIONS.len()] {
    let mut chosen = [0; OPTIONS.len()];
    for ballot in ballots {
        chosen[ballot.option()] += 1;
    }
    chosen
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::now;

    const CAST_AT: u64 = 20_261_201_120_000_123;

    fn cast(expected: Expected) -> Cast {
        let second = matches!(expected, Expected::AlreadyVoted);
        Cast {
            ballot: Ballot {
                second,
                ..Ballot::first(0, 7)
            },
            expected,
            due: now(),
        }
    }

    fn recorded(ballot: Ballot, revision: u64) -> Answer {
        let receipt = Receipt {
            ballot_id: ballot.id(),
            revision,
            cast_at: CAST_AT,
        };
        Answer::of(Some(201), Some(receipt), None)
    }

    fn refused(code: &str) -> Answer {
        Answer::of(Some(409), None, Some(code))
    }

    /// Whether this answer decides, and is what has to come.
    fn heard(expected: Expected, answer: &Answer) -> (bool, u64) {
        let mut book = Book::new(1);
        let decided = book.hear(&cast(expected), answer, now());
        (decided, book.faults)
    }

    #[test]
    fn what_has_to_come_is_no_fault() {
        let first = Ballot::first(0, 7);
        let (again, second) = (Expected::Same(CAST_AT), Expected::AlreadyVoted);
        assert_eq!(heard(Expected::Recorded, &recorded(first, 1)), (true, 0));
        assert_eq!(heard(again, &recorded(first, 1)), (true, 0));
        assert_eq!(heard(second, &refused("already_voted")), (true, 0));
    }

    #[test]
    fn what_must_not_come_is_a_fault() {
        let other = Ballot::first(0, 8);
        let second = cast(Expected::AlreadyVoted).ballot;
        for (expected, answer) in [
            (Expected::Recorded, recorded(other, 1)),
            (Expected::Recorded, refused("already_voted")),
            (
                Expected::Same(CAST_AT + 1),
                recorded(Ballot::first(0, 7), 1),
            ),
            (Expected::Same(CAST_AT), recorded(other, 1)),
            (Expected::Same(CAST_AT), refused("already_voted")),
            (Expected::AlreadyVoted, recorded(second, 1)),
            (Expected::AlreadyVoted, refused("ballot_id_reused")),
        ] {
            assert_eq!(heard(expected, &answer), (true, 1), "{expected:?}");
        }
    }

    #[test]
    fn what_was_put_off_is_counted_and_decides_nothing() {
        let mut book = Book::new(1);
        let answer = Answer::of(Some(503), None, Some("overloaded"));
        assert!(!book.hear(&cast(Expected::Recorded), &answer, now()));
        assert_eq!((book.answers[0].times, book.decided), (1, 0));
        assert!(book.held(0).is_empty());
    }

    #[test]
    fn the_first_who_knew_of_a_revision_counts() {
        let mut book = Book::new(1);
        let start = now();
        for (millis, revision) in [(1, 5), (2, 4), (3, 5), (4, 9)] {
            let at = start + Duration::from_millis(millis);
            let cast = cast(Expected::Recorded);
            book.hear(&cast, &recorded(cast.ballot, revision), at);
        }
        let known = |after, until| {
            let at = book.known(0, after, until)?;
            Some(at.duration_since(start).as_millis())
        };
        assert_eq!(known(0, 5), Some(1));
        assert_eq!(known(5, 9), Some(4));
        assert_eq!(known(5, 8), None);
        assert_eq!(known(9, 20), None);
    }
}
