//! When the next ballots are due, and when there are enough of them.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;

use crate::book::histogram;
use crate::clock::{micros, now};

/// The beat that all voters follow.
#[derive(Debug)]
pub(crate) struct Pace {
    begun: AtomicU64,
    votes: u64,
    start: Instant,
    end: Option<Instant>,
    /// Votes a second; a closed loop where there is none.
    rate: Option<u64>,
    enough: CancellationToken,
    /// How late waiting voters woke, in microseconds: that is not the server's doing.
    late: Mutex<Histogram<u64>>,
}

/// A ballot that is due.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Due {
    /// Each comes once.
    pub(crate) number: u64,
    /// From when on its voter waits for an answer.
    pub(crate) at: Instant,
}

impl Pace {
    /// Begins now.
    pub(crate) fn new(votes: Option<u64>, length: Option<Duration>, rate: Option<u64>) -> Self {
        let start = now();
        Self {
            begun: AtomicU64::new(0),
            votes: votes.unwrap_or(u64::MAX),
            start,
            end: length.map(|length| start + length),
            rate,
            enough: CancellationToken::new(),
            late: Mutex::new(histogram()),
        }
    }

    /// The ballots that a voter begins with now, up to so many; none where there are enough. In an open loop this waits
    /// until one is due, and takes what else is due by then.
    pub(crate) async fn next(&self, together: usize) -> Option<Vec<Due>> {
        if self.enough.is_cancelled() {
            return None;
        }
        match self.rate {
            None => self.at_once(together as u64),
            Some(rate) => self.on_time(rate, together).await,
        }
    }

    fn at_once(&self, together: u64) -> Option<Vec<Due>> {
        let at = now();
        if self.end.is_some_and(|end| at >= end) {
            return None;
        }
        let first = self.begun.fetch_add(together, Ordering::Relaxed);
        let numbers = first..self.votes.min(first.saturating_add(together));
        let due: Vec<Due> = numbers.map(|number| Due { number, at }).collect();
        (!due.is_empty()).then_some(due)
    }

    async fn on_time(&self, rate: u64, together: usize) -> Option<Vec<Due>> {
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        let at = self.due(rate, number)?;
        if at > now() {
            let waiting = sleep_until(at.into());
            self.enough.run_until_cancelled(waiting).await?;
            let late = now().saturating_duration_since(at);
            let mut histogram = self.late.lock().ok()?;
            histogram.saturating_record(micros(late));
        }
        let mut due = vec![Due { number, at }];
        let until = now();
        while due.len() < together {
            let next = |number| (self.due(rate, number)? <= until).then_some(number + 1);
            let begun = &self.begun;
            let Ok(number) = begun.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next) else {
                break;
            };
            due.extend(self.due(rate, number).map(|at| Due { number, at }));
        }
        Some(due)
    }

    /// When a ballot is due in an open loop, whatever became of those before it; `None` after the end.
    fn due(&self, rate: u64, number: u64) -> Option<Instant> {
        let nanos = u128::from(number) * 1_000_000_000 / u128::from(rate);
        let after = Duration::from_nanos(u64::try_from(nanos).ok()?);
        let at = self.start.checked_add(after)?;
        (number < self.votes && self.end.is_none_or(|end| at < end)).then_some(at)
    }

    /// Nobody begins any more.
    pub(crate) fn stop(&self) {
        self.enough.cancel();
    }

    /// How far this is, from 0 to 1, after so many ballots.
    #[expect(clippy::cast_precision_loss, reason = "it draws a bar")]
    pub(crate) fn progress(&self, ballots: u64) -> f64 {
        let of_votes = ballots as f64 / self.votes as f64;
        let of_time = self.end.map_or(0.0, |end| {
            let length = end.duration_since(self.start).as_secs_f64();
            self.elapsed().as_secs_f64() / length
        });
        of_votes.max(of_time).min(1.0)
    }

    pub(crate) fn elapsed(&self) -> Duration {
        now().saturating_duration_since(self.start)
    }

    /// How late waiting voters woke, in microseconds.
    pub(crate) fn late(&self) -> Histogram<u64> {
        let late = self.late.lock();
        late.map_or_else(|_| histogram(), |late| late.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_closed_loop_gives_each_number_once_and_ends() {
        let pace = Pace::new(Some(5), None, None);
        let mut numbers = Vec::new();
        while let Some(due) = pace.next(2).await {
            numbers.extend(due.into_iter().map(|due| due.number));
        }
        assert_eq!(numbers, [0, 1, 2, 3, 4]);
    }

    #[tokio::test]
    async fn an_open_loop_counts_from_when_a_vote_was_to_begin() {
        let pace = Pace::new(Some(2), None, Some(1_000));
        let at = |number| pace.start + Duration::from_millis(number);
        let first = pace.next(1).await.unwrap();
        assert_eq!((first[0].number, first[0].at), (0, at(0)));
        let second = pace.next(1).await.unwrap();
        assert_eq!((second[0].number, second[0].at), (1, at(1)));
        assert!(now() >= at(1), "and does not begin before");
        assert!(pace.next(1).await.is_none());
    }

    #[tokio::test]
    async fn what_was_due_while_nobody_came_is_late() {
        let mut pace = Pace::new(Some(4), None, Some(1_000));
        let began = pace.start - Duration::from_secs(1);
        pace.start = began;
        let late = pace.next(3).await.unwrap();
        for (number, late) in (0..).zip(&late) {
            assert_eq!(late.number, number);
            assert_eq!(late.at, began + Duration::from_millis(number));
        }
        assert_eq!(late.len(), 3, "and no more together than was asked for");
        assert_eq!(pace.next(3).await.unwrap().len(), 1);
        assert!(pace.next(3).await.is_none());
    }

    #[tokio::test]
    async fn who_waits_for_their_turn_is_told_that_it_is_enough() {
        let pace = Pace::new(None, None, Some(1));
        assert!(pace.next(1).await.is_some());
        let (waited, ()) = tokio::join!(pace.next(1), async { pace.stop() });
        assert!(waited.is_none());
        assert!(pace.next(1).await.is_none());
    }
}
