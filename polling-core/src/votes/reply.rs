//! How the outcome of a ballot gets back to whoever waits for it: by itself, or with all others of its request.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use super::repository::Outcome;
use crate::StoreError;

/// What a caller is told of their ballot.
pub(super) type Answer = Result<Outcome, StoreError>;

/// Who waits for the outcome of a ballot. Dropped without one, it says just that.
#[derive(Debug)]
pub(super) enum Reply {
    /// Who sent this ballot alone.
    Caller(oneshot::Sender<Answer>),
    /// Who sent it among others.
    Request(Seat),
}

impl Reply {
    /// Whether the ballot was sent among others.
    pub(super) const fn is_of_request(&self) -> bool {
        matches!(self, Reply::Request(_))
    }

    /// Somebody who left does not hear the answer; the ballot counts all the same.
    pub(super) fn send(self, answer: Answer) {
        match self {
            Reply::Caller(caller) => drop(caller.send(answer)),
            Reply::Request(seat) => seat.take(answer),
        }
    }
}

/// The answer to a ballot, where the lane may have ended without one: then nobody knows what became of it.
pub(super) fn or_unknown(answer: Option<Answer>) -> Answer {
    let unknown = || StoreError::unavailable("the lane ended without an answer");
    answer.unwrap_or_else(|| Err(unknown()))
}

/// The answers of a request, gathered until the last one is there: whoever waits is woken once.
#[derive(Debug)]
pub(super) struct Tray {
    answers: Mutex<Answers>,
}

#[derive(Debug)]
struct Answers {
    gathered: Vec<Option<Answer>>,
    missing: usize,
    caller: Option<oneshot::Sender<Vec<Option<Answer>>>>,
}

/// The place of one ballot on the tray of its request.
#[derive(Debug)]
pub(super) struct Seat {
    /// `None` once it is taken.
    tray: Option<Arc<Tray>>,
    place: usize,
}

impl Tray {
    /// For so many ballots, of which there is at least one; and where all answers come out, in the order of the places.
    pub(super) fn new(ballots: usize) -> (Arc<Self>, oneshot::Receiver<Vec<Option<Answer>>>) {
        let (caller, answers) = oneshot::channel();
        let tray = Self {
            answers: Mutex::new(Answers {
                gathered: std::iter::repeat_with(|| None).take(ballots).collect(),
                missing: ballots,
                caller: Some(caller),
            }),
        };
        (Arc::new(tray), answers)
    }

    /// The place of a ballot.
    pub(super) fn seat(self: &Arc<Self>, place: usize) -> Seat {
        Seat {
            tray: Some(Arc::clone(self)),
            place,
        }
    }

    fn take(&self, place: usize, answer: Option<Answer>) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.gathered[place] = answer;
        answers.missing -= 1;
        if answers.missing == 0
            && let Some(caller) = answers.caller.take()
        {
            // Who sent the request may have left.
            let _ = caller.send(std::mem::take(&mut answers.gathered));
        }
    }
}

impl Seat {
    fn take(mut self, answer: Answer) {
        if let Some(tray) = self.tray.take() {
            tray.take(self.place, Some(answer));
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(tray) = self.tray.take() {
            tray.take(self.place, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answers_of_a_request_come_out_once_all_are_there_in_its_order() {
        let (tray, mut answers) = Tray::new(2);
        let (first, second) = (tray.seat(0), tray.seat(1));
        Reply::Request(second).send(Ok(Outcome::Added(2)));
        assert!(answers.try_recv().is_err());
        Reply::Request(first).send(Ok(Outcome::Added(1)));
        let answers = answers.try_recv().unwrap().into_iter();
        let outcomes: Vec<Outcome> = answers.map(|answer| answer.unwrap().unwrap()).collect();
        assert_eq!(outcomes, [Outcome::Added(1), Outcome::Added(2)]);
    }

    #[test]
    fn a_ballot_that_is_dropped_does_not_hold_up_its_request() {
        let (tray, mut answers) = Tray::new(2);
        let (first, second) = (tray.seat(0), tray.seat(1));
        drop(first);
        Reply::Request(second).send(Ok(Outcome::Added(1)));
        let answers = answers.try_recv().unwrap();
        assert!(answers[0].is_none());
        assert!(or_unknown(answers.into_iter().next().unwrap()).is_err());
    }
}
