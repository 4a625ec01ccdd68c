//! Who may wait in a lane's queue: a hot poll leaves room for the others.
//!
//! The bound of a poll is what is still free (Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory
//! packet switches", 1998, with α = 1): one hot poll gets half of the queue, two get a third each, and a poll of which
//! nothing waits finds room. Nothing is configured, and nobody has to know which polls are hot.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;

/// Polls that fall on one slot share its part, as in stochastic fair queueing, until the engine is started anew; with so many
/// slots that is rare.
const SLOTS: usize = 1024;

/// How many ballots wait of each poll, in one lane.
#[derive(Debug)]
pub(super) struct Shares {
    waiting: Box<[AtomicUsize]>,
    /// Those of them that stand in the queue no more, and wait behind another one of their voter, or for something that their
    /// poll needs.
    held: AtomicUsize,
    /// Ballots of requests that may still be handed over to the queue. A single ballot needs no such turn.
    pub(super) turns: Semaphore,
}

/// Where the ballots of a poll are counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot(usize);

impl Slot {
    /// By a hash of the poll that nobody outside can aim.
    pub(super) fn of(hash: u64) -> Self {
        Self(usize::try_from(hash % SLOTS as u64).unwrap_or(0))
    }
}

impl Shares {
    /// Nobody waits; of all requests together `turns` ballots may stand in the queue.
    pub(super) fn new(turns: usize) -> Self {
        let waiting = std::iter::repeat_with(AtomicUsize::default);
        Self {
            waiting: waiting.take(SLOTS).collect(),
            held: AtomicUsize::new(0),
            turns: Semaphore::new(turns),
        }
    }

    /// Counts so many more, where that leaves room for the others in a queue with `free` places: with them, no more wait than
    /// there are places free before. A request may so take what is free, as long as nothing of its poll waits.
    ///
    /// Callers that come at the same time may each see what is free, and go beyond the share; the queue has its own bound.
    pub(super) fn enter(&self, slot: Slot, ballots: usize, free: usize) -> bool {
        let free = free.saturating_sub(self.held());
        let more = |waiting: usize| {
            let waiting = waiting + ballots;
            (ballots == 0 || waiting <= free).then_some(waiting)
        };
        let waiting = &self.waiting[slot.0];
        waiting
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .is_ok()
    }

    /// One more of those that wait is held behind another one of its voter.
    pub(super) fn hold(&self) {
        self.held.fetch_add(1, Ordering::Relaxed);
    }

    /// One that was in a batch waits again, and is held.
    pub(super) fn put_back(&self, slot: Slot) {
        self.waiting[slot.0].fetch_add(1, Ordering::Relaxed);
        self.hold();
    }

    /// One that was held goes back to the queue; it still waits.
    pub(super) fn requeue(&self) {
        self.held.fetch_sub(1, Ordering::Relaxed);
    }

    /// How many are held.
    pub(super) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// One that was held does not wait any more.
    pub(super) fn release(&self, slot: Slot) {
        self.held.fetch_sub(1, Ordering::Relaxed);
        self.leave(slot, 1);
    }

    /// How many wait.
    pub(super) fn waiting(&self, slot: Slot) -> usize {
        self.waiting[slot.0].load(Ordering::Relaxed)
    }

    /// So many do not wait any more.
    pub(super) fn leave(&self, slot: Slot, ballots: usize) {
        self.waiting[slot.0].fetch_sub(ballots, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A queue of so many places, that these slots fill one by one in turn until none of them gets in.
    fn fill(places: usize, slots: &[Slot]) -> Vec<usize> {
        let (shares, mut waiting) = (Shares::new(0), vec![0; slots.len()]);
        loop {
            let mut entered = false;
            for (slot, waiting) in slots.iter().zip(&mut waiting) {
                let free = places - shares_sum(&shares);
                if free > 0 && shares.enter(*slot, 1, free) {
                    *waiting += 1;
                    entered = true;
                }
            }
            if !entered {
                return waiting;
            }
        }
    }

    fn shares_sum(shares: &Shares) -> usize {
        let waiting = shares.waiting.iter();
        waiting.map(|slot| slot.load(Ordering::Relaxed)).sum()
    }

    #[test]
    fn hot_polls_share_the_queue_and_leave_as_much_free() {
        assert_eq!(fill(100, &[Slot(0)]), [50]);
        assert_eq!(fill(99, &[Slot(0), Slot(1)]), [33, 33]);
    }

    #[test]
    fn a_poll_of_which_nothing_waits_may_have_what_is_free() {
        let shares = Shares::new(0);
        assert!(shares.enter(Slot(0), 100, 100));
        assert!(!shares.enter(Slot(0), 1, 50));
        shares.leave(Slot(0), 100);
        assert!(shares.enter(Slot(0), 1, 1));
    }

    #[test]
    fn a_large_request_does_not_wait_for_the_last_ballot_before_it() {
        let shares = Shares::new(0);
        assert!(shares.enter(Slot(0), 1, 100));
        assert!(shares.enter(Slot(0), 98, 99));
    }

    #[test]
    fn what_is_held_is_not_free() {
        let shares = Shares::new(0);
        (0..60).for_each(|_| shares.hold());
        assert!(!shares.enter(Slot(0), 41, 100));
        assert!(shares.enter(Slot(0), 40, 100));
    }
}
