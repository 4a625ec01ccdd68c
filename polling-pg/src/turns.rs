//! Whose turn it is to wait for a row: what writes to one poll takes only a part of the connections, so that a poll whose row
//! somebody else holds leaves the others to all else.

use std::hash::{BuildHasher, RandomState};

use polling_core::PollId;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Polls that fall on one slot share its part of the connections.
const SLOTS: u64 = 64;

/// The part of the connections that one poll may take, and that all of them leave free.
const PART: usize = 4;

/// The statements beside the batches that may wait for the row of a poll at the same time.
#[derive(Debug)]
pub(crate) struct Turns {
    of_polls: Box<[Semaphore]>,
    of_all: Semaphore,
    hasher: RandomState,
}

/// A turn, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    _of_poll: SemaphorePermit<'a>,
    _of_all: SemaphorePermit<'a>,
}

impl Turns {
    /// For a pool of so many connections.
    pub(crate) fn of(connections: usize) -> Self {
        let part = (connections / PART).max(1);
        let of_polls = (0..SLOTS).map(|_| Semaphore::new(part));
        Self {
            of_polls: of_polls.collect(),
            of_all: Semaphore::new(connections.saturating_sub(part).max(1)),
            hasher: RandomState::new(),
        }
    }

    /// Waits for the turn of a statement that writes to this poll. Whoever waits here holds no connection. Nobody closes the
    /// semaphores, so that the answer is never `None`.
    pub(crate) async fn take(&self, poll: PollId) -> Option<Turn<'_>> {
        let slot = self.hasher.hash_one(poll) % SLOTS;
        let of_poll = &self.of_polls[usize::try_from(slot).unwrap_or(0)];
        Some(Turn {
            _of_poll: of_poll.acquire().await.ok()?,
            _of_all: self.of_all.acquire().await.ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn poll(number: u8) -> PollId {
        PollId::from_bytes([number; 16])
    }

    fn turns_now(turns: &Turns, poll: PollId) -> Option<Turn<'_>> {
        turns.take(poll).now_or_never().flatten()
    }

    #[test]
    fn a_poll_takes_a_quarter_of_the_connections_and_all_polls_leave_a_quarter() {
        let turns = Turns::of(8);
        let first: Vec<_> = std::iter::from_fn(|| turns_now(&turns, poll(0))).collect();
        assert_eq!(first.len(), 2);
        let all: Vec<_> = (1..=255)
            .filter_map(|number| turns_now(&turns, poll(number)))
            .collect();
        assert_eq!(first.len() + all.len(), 6);
        drop(first);
        assert!(turns_now(&turns, poll(0)).is_some());
        assert!(turns_now(&Turns::of(1), poll(0)).is_some());
    }
}
