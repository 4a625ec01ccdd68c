//! Time as a port: rules never look at a clock of their own, so that each can be tested without waiting.

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::Timestamp;

/// Where the engine gets its time.
#[async_trait]
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// The time by which steps are taken that cannot be undone: what is due by it is due for good. It is `now()`; earlier,
    /// while it is doubted whether the clock is right; `None` while nothing is known of the time.
    fn certain_now(&self) -> Option<Timestamp> {
        Some(self.now())
    }

    /// Returns when `now()` has reached `at`; at once where it has already.
    async fn sleep_until(&self, at: Timestamp);

    /// Returns when so much time has passed, whatever the clock is set to meanwhile; a clock for tests goes by its own
    /// time.
    async fn pause(&self, length: Duration) {
        self.sleep_until(self.now().after(length)).await;
    }
}

/// The computer's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

/// The clock is looked at again this often while waiting, because it may be set meanwhile.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the port's own clock")]
        let since_1970 = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::EPOCH.after(since_1970)
    }

    async fn sleep_until(&self, at: Timestamp) {
        loop {
            let left = at.since(self.now());
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(LOOK_AGAIN)).await;
        }
    }

    async fn pause(&self, length: Duration) {
        tokio::time::sleep(length).await;
    }
}

/// The computer's clock as it was at the start, which goes on evenly: who sets the computer's clock does not move it. It
/// stands still while the computer sleeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SteadyClock {
    began: Timestamp,
    since: tokio::time::Instant,
}

impl SteadyClock {
    pub(crate) fn start() -> Self {
        Self {
            began: SystemClock.now(),
            since: tokio::time::Instant::now(),
        }
    }
}

#[async_trait]
impl Clock for SteadyClock {
    fn now(&self) -> Timestamp {
        self.began.after(self.since.elapsed())
    }

    async fn sleep_until(&self, at: Timestamp) {
        // A time of the clock is whole milliseconds, and what passes between two of them is more.
        while self.now() < at {
            tokio::time::sleep(at.since(self.now())).await;
        }
    }

    async fn pause(&self, length: Duration) {
        tokio::time::sleep(length).await;
    }
}

/// A clock that stands still until it is told to move: for tests.
#[derive(Clone, Debug)]
pub struct FakeClock {
    now: watch::Sender<Timestamp>,
}

impl FakeClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self {
            now: watch::Sender::new(now),
        }
    }

    /// Moves the clock forward, and wakes who waits for a time that is reached now.
    pub fn advance(&self, by: Duration) {
        self.now.send_modify(|now| *now = now.after(by));
    }

    /// Moves the clock to `now`, forward or back.
    pub fn set(&self, now: Timestamp) {
        self.now.send_replace(now);
    }
}

impl Default for FakeClock {
    /// 2026-01-01, noon.
    fn default() -> Self {
        Self::at(Timestamp::from_millis(1_767_268_800_000))
    }
}

#[async_trait]
impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    async fn sleep_until(&self, at: Timestamp) {
        // The sender lives as long as `self`, so that waiting cannot fail.
        let _ = self.now.subscribe().wait_for(|now| *now >= at).await;
    }
}

#[async_trait]
impl<C: Clock + ?Sized> Clock for std::sync::Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }

    fn certain_now(&self) -> Option<Timestamp> {
        (**self).certain_now()
    }

    async fn sleep_until(&self, at: Timestamp) {
        (**self).sleep_until(at).await;
    }

    async fn pause(&self, length: Duration) {
        (**self).pause(length).await;
    }
}

/// Sleeps until `at` by a clock that adds an offset, in milliseconds, to its base; anew whenever the offset changes.
pub(crate) async fn sleep_by_offset<T>(
    clock: &dyn Clock,
    base: &dyn Clock,
    mut known: watch::Receiver<T>,
    offset_of: impl Fn(&T) -> i64,
    at: Timestamp,
) {
    loop {
        let offset = offset_of(&known.borrow_and_update());
        let by_base = Timestamp::from_millis(at.as_millis().saturating_sub(offset));
        tokio::select! {
            () = base.sleep_until(by_base) => if clock.now() >= at {
                return;
            },
            // The clock holds the sender, so that waiting cannot fail.
            _ = known.changed() => {}
        }
    }
}
