//! Whether the store answers, as far as somebody has noticed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use crate::Clock;

/// What a batch that waits for a lost store looks at: whatever gets an answer from the store says so here.
#[derive(Debug, Default)]
pub(crate) struct StoreHealth {
    is_lost: AtomicBool,
    back: Notify,
}

impl StoreHealth {
    /// The store did not answer.
    pub(crate) fn lost(&self) {
        self.is_lost.store(true, Ordering::Relaxed);
    }

    /// The store has answered something. That is one look at an atomic while nobody has missed it.
    pub(crate) fn answers(&self) {
        if self.is_lost.load(Ordering::Relaxed) && self.is_lost.swap(false, Ordering::Relaxed) {
            self.back.notify_waiters();
        }
    }

    /// The answer of the store, after a look at whether it is one.
    pub(crate) fn heard<T, E>(&self, answer: Result<T, E>) -> Result<T, E> {
        if answer.is_ok() {
            self.answers();
        }
        answer
    }

    /// Whether it did not answer when somebody asked last.
    pub(crate) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed)
    }

    /// Returns after the longer pause, or when the store is back, but not before the shorter one is over.
    pub(crate) async fn pause(&self, clock: &dyn Clock, (least, most): (Duration, Duration)) {
        clock.pause(least).await;
        let rest = most.saturating_sub(least);
        if !rest.is_zero() {
            tokio::select! {
                () = clock.pause(rest) => {}
                () = self.is_back() => {}
            }
        }
    }

    /// Returns when the store answers; at once where nobody misses it.
    async fn is_back(&self) {
        loop {
            let back = self.back.notified();
            tokio::pin!(back);
            // From here on no notification is missed.
            back.as_mut().enable();
            if !self.is_lost() {
                return;
            }
            back.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::poll;

    use super::*;
    use crate::FakeClock;

    const LEAST: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn a_pause_ends_when_the_store_is_back_but_not_before_its_least() {
        let (clock, health) = (FakeClock::default(), StoreHealth::default());
        health.lost();
        let pause = health.pause(&clock, (LEAST, LEAST * 4));
        tokio::pin!(pause);
        assert!(poll!(&mut pause).is_pending());
        health.answers();
        assert!(poll!(&mut pause).is_pending(), "it never asks in a loop");
        health.lost();
        clock.advance(LEAST);
        assert!(poll!(&mut pause).is_pending());
        health.answers();
        assert!(poll!(&mut pause).is_ready(), "no time has passed");
    }

    #[tokio::test]
    async fn a_pause_while_the_store_is_lost_is_as_long_as_it_is() {
        let (clock, health) = (FakeClock::default(), StoreHealth::default());
        health.lost();
        let pause = health.pause(&clock, (LEAST, LEAST * 2));
        tokio::pin!(pause);
        for _ in 0..2 {
            assert!(poll!(&mut pause).is_pending());
            clock.advance(LEAST);
        }
        assert!(poll!(&mut pause).is_ready());
    }

    #[tokio::test]
    async fn whoever_waits_for_a_lost_store_is_woken_by_its_first_answer() {
        let health = StoreHealth::default();
        health.is_back().await;
        health.lost();
        let first = health.is_back();
        tokio::pin!(first);
        assert!(poll!(&mut first).is_pending());
        let _ = health.heard(Err::<(), ()>(()));
        assert!(poll!(&mut first).is_pending());
        let _ = health.heard(Ok::<(), ()>(()));
        assert!(poll!(&mut first).is_ready());
        health.is_back().await;
    }
}
