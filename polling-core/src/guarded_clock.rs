//! The computer's clock, for a store that has none of its own: followed where it goes on as time does, and doubted where it
//! jumps. Whoever sets it by an hour must not end every poll of that hour for good.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::clock::sleep_by_offset;
use crate::clock_jump::{JumpRule, Look, Trust};
use crate::{Clock, Timestamp};

/// How often the two clocks are compared.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A look that takes longer says nothing: the computer did something else between the two clocks.
const LONGEST_LOOK: Duration = Duration::from_millis(50);

/// The wall clock, guarded by a steady one. Its time is the steady clock's plus the offset that is trusted, so that a jump
/// never shows in `now()` before it is believed.
pub(crate) struct GuardedClock {
    wall: Arc<dyn Clock>,
    steady: Arc<dyn Clock>,
    rule: JumpRule,
    trust: watch::Sender<Trust>,
}

impl GuardedClock {
    /// Believes the wall clock as it is now.
    pub(crate) fn new(wall: Arc<dyn Clock>, steady: Arc<dyn Clock>, rule: JumpRule) -> Self {
        let trust = Trust::of(offset(wall.now(), steady.now()));
        Self {
            wall,
            steady,
            rule,
            trust: watch::Sender::new(trust),
        }
    }

    /// Compares the two clocks again and again.
    pub(crate) async fn run(self: Arc<Self>) {
        loop {
            self.steady.pause(LOOK_EVERY).await;
            self.look();
        }
    }

    fn look(&self) {
        let (before, wall, after) = (self.steady.now(), self.wall.now(), self.steady.now());
        if after.since(before) > LONGEST_LOOK {
            return;
        }
        let known = *self.trust.borrow();
        let (trust, look) = known.after(offset(wall, after), after, self.rule);
        if trust != known {
            self.trust.send_replace(trust);
        }
        let steady = plus(after, known.offset);
        let jump_ms = wall.as_millis() - steady.as_millis();
        match look {
            Look::Quiet => {}
            Look::Jumped => warn!(
                computer = %wall,
                %steady,
                jump_ms,
                wait_seconds = self.rule.wait.as_secs(),
                "the computer's clock has jumped: votes go by the steady time, and polls open and close only when both \
                 times say so, until the jump has stood for the wait"
            ),
            Look::Back => {
                info!(computer = %wall, "the computer's clock agrees with the steady time again");
            }
            Look::Believed => warn!(
                computer = %wall,
                %steady,
                jump_ms,
                "the computer's clock has stood by its jump: everything goes by it from now on"
            ),
        }
    }
}

/// How far `wall` is ahead of `steady`, in milliseconds.
fn offset(wall: Timestamp, steady: Timestamp) -> i64 {
    wall.as_millis().saturating_sub(steady.as_millis())
}

fn plus(at: Timestamp, offset: i64) -> Timestamp {
    Timestamp::from_millis(at.as_millis().saturating_add(offset))
}

#[async_trait]
impl Clock for GuardedClock {
    fn now(&self) -> Timestamp {
        let offset = self.trust.borrow().offset;
        plus(self.steady.now(), offset)
    }

    fn certain_now(&self) -> Option<Timestamp> {
        let trusted = self.trust.borrow().offset;
        let (wall, steady) = (self.wall.now(), self.steady.now());
        let now = plus(steady, trusted);
        // The clock may have jumped since the last look.
        if self.rule.is_jump(trusted, offset(wall, steady)) {
            Some(now.min(wall))
        } else {
            Some(now)
        }
    }

    async fn sleep_until(&self, at: Timestamp) {
        let trust = self.trust.subscribe();
        sleep_by_offset(self, &*self.steady, trust, |trust| trust.offset, at).await;
    }

    async fn pause(&self, length: Duration) {
        self.steady.pause(length).await;
    }
}

#[cfg(test)]
mod tests;
