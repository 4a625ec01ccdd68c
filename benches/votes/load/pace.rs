//! When the next vote is due.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// How fast clients vote.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// Each sends its next vote when the last one is answered: the maximum.
    Closed,
    /// So many requests a second in all, whatever the answers do. Each has the time when it should have started, and is
    /// measured from there: an answer that is late makes those behind it late, and all of that is seen.
    Open(f64),
}

/// The pace of one client.
#[derive(Debug)]
pub(crate) struct Own {
    next: Instant,
    /// Between two requests; zero where the answer decides.
    every: Duration,
    end: Instant,
}

impl Pace {
    /// Of the client at this place among `clients`: they take turns.
    pub(super) fn of_client(
        self,
        place: usize,
        clients: usize,
        start: Instant,
        end: Instant,
    ) -> Own {
        let (first, every) = match self {
            Self::Closed => (Duration::ZERO, Duration::ZERO),
            Self::Open(rate) => {
                let turn = Duration::from_secs_f64(1.0 / rate.max(1e-3));
                let times = |times: usize| turn * u32::try_from(times).unwrap_or(u32::MAX);
                (times(place), times(clients))
            }
        };
        Own {
            next: start + first,
            every,
            end,
        }
    }
}

impl Own {
    /// Waits until the next request is due, and returns when that was; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<Instant> {
        let now = Instant::now();
        if now >= self.end || self.next >= self.end {
            return None;
        }
        if self.every.is_zero() {
            return Some(now);
        }
        let due = self.next;
        if due > now {
            sleep_until(due).await;
        }
        self.next += self.every;
        Some(due)
    }

    /// Requests that were due before the end, and were not sent.
    pub(super) fn unsent(&self) -> u64 {
        if self.every.is_zero() {
            return 0;
        }
        let left = self.end.saturating_duration_since(self.next).as_nanos();
        u64::try_from(left.div_ceil(self.every.as_nanos())).unwrap_or(u64::MAX)
    }
}
