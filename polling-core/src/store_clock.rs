//! The time that all servers of a store share: the computer's clock, plus how far it is behind the store's own.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tracing::{debug, info, warn};

use crate::clock::sleep_by_offset;
use crate::clock_jump::{JumpRule, Look, Trust};
use crate::engine::StoreHealth;
use crate::{Clock, Repository, StoreError, Timestamp};

/// How often the store is asked in a row; the answer that took the least time counts, because it can be the least wrong.
const TRIES: usize = 3;
/// The longest pause before a store that could not say its time is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// Offsets over this are told to people, and those that differ from what was told by more than this.
const NOTABLE_MILLIS: u64 = 100;
/// A clock that was not measured for so long may be anywhere.
pub(crate) const SURE_FOR: Duration = Duration::from_secs(2 * 60);

/// A clock that is measured against the store's.
pub(crate) struct StoreClock {
    base: Arc<dyn Clock>,
    rule: JumpRule,
    measured: watch::Sender<Measurement>,
}

/// What the store said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Measurement {
    /// What is to be added to the base, in milliseconds.
    offset: i64,
    /// How long the answer took: the offset is wrong by half of it, at most.
    round_trip: Duration,
    /// When, by the base.
    at: Timestamp,
    /// The offset that people were told of; zero where none was notable.
    told: i64,
    /// The offset by which steps are taken that cannot be undone: a jump has to stand first.
    trust: Trust,
}

impl StoreClock {
    /// Measures `base` against the clock of the store; `None` where the store has none of its own.
    pub(crate) async fn measure_first(
        base: Arc<dyn Clock>,
        store: &dyn Repository,
        rule: JumpRule,
    ) -> Result<Option<Self>, StoreError> {
        let Some(first) = ask(&*base, store).await? else {
            return Ok(None);
        };
        let measured = watch::Sender::new(first);
        let clock = Self {
            base,
            rule,
            measured,
        };
        clock.adopt(first);
        Ok(Some(clock))
    }

    /// Measures again every `interval`.
    pub(crate) async fn run(
        self: Arc<Self>,
        store: Arc<dyn Repository>,
        interval: Duration,
        health: Arc<StoreHealth>,
    ) {
        loop {
            self.base.pause(interval).await;
            while !self.measure(&*store).await {
                self.base.pause(interval.min(ASK_AGAIN)).await;
            }
            health.answers();
        }
    }

    /// Whether the store has said its time.
    pub(crate) async fn measure(&self, store: &dyn Repository) -> bool {
        match ask(&*self.base, store).await {
            Ok(Some(new)) => self.adopt(self.refined(new)),
            Ok(None) => {}
            Err(error) => {
                debug!(error = %error, "the store's clock cannot be read");
                return false;
            }
        }
        true
    }

    /// Whether the offset is known from a measurement that is not too old.
    fn is_sure(&self) -> bool {
        let (at, now) = (self.measured.borrow().at, self.base.now());
        at <= now && now.since(at) <= SURE_FOR
    }

    /// The new measurement; but where a slower answer says no more than that the known offset may still be right, that one.
    fn refined(&self, new: Measurement) -> Measurement {
        let known = *self.measured.borrow();
        let apart = Duration::from_millis(known.offset.abs_diff(new.offset));
        if known.round_trip < new.round_trip && apart <= new.round_trip / 2 {
            Measurement {
                at: new.at,
                ..known
            }
        } else {
            new
        }
    }

    /// Goes by this measurement from now on, and says so where people should know.
    fn adopt(&self, new: Measurement) {
        let Measurement { told, trust, .. } = *self.measured.borrow();
        let (offset_ms, round_trip) = (new.offset, new.round_trip);
        let is_notable = offset_ms.unsigned_abs() > NOTABLE_MILLIS;
        let news = if offset_ms.abs_diff(told) <= NOTABLE_MILLIS {
            told
        } else if is_notable {
            warn!(
                offset_ms,
                ?round_trip,
                "this computer's clock is not the store's: the offset is added"
            );
            offset_ms
        } else {
            info!(
                offset_ms,
                ?round_trip,
                "this computer's clock agrees with the store's again"
            );
            0
        };
        let (trust, look) = trust.after(new.offset, new.at, self.rule);
        match look {
            Look::Quiet => {}
            Look::Jumped => warn!(
                offset_ms,
                wait_seconds = self.rule.wait.as_secs(),
                "the store's clock has jumped against this computer's: votes go by it, and polls open and close only when \
                 both times say so, until the jump has stood for the wait"
            ),
            Look::Back => info!(offset_ms, "the store's clock is back where it was"),
            Look::Believed => warn!(
                offset_ms,
                "the store's clock has stood by its jump: everything goes by it from now on"
            ),
        }
        self.measured.send_replace(Measurement {
            told: news,
            trust,
            ..new
        });
    }
}

/// How far the store's clock is ahead of `base`, by the middle of the quickest of a few round trips; `None` where it has none.
async fn ask(base: &dyn Clock, store: &dyn Repository) -> Result<Option<Measurement>, StoreError> {
    let mut best: Option<Measurement> = None;
    for _ in 0..TRIES {
        let sent = base.now();
        let theirs = match store.now().await {
            Ok(Some(theirs)) => theirs,
            Ok(None) => return Ok(None),
            Err(_) if best.is_some() => break,
            Err(error) => return Err(error),
        };
        let at = base.now();
        let round_trip = at.since(sent);
        let is_quicker = best.is_none_or(|best| round_trip < best.round_trip);
        // A clock that was set back meanwhile measures nothing.
        if at >= sent && is_quicker {
            let middle = sent.after(round_trip / 2);
            let offset = theirs.as_millis() - middle.as_millis();
            best = Some(Measurement {
                offset,
                round_trip,
                at,
                told: 0,
                trust: Trust::of(offset),
            });
        }
    }
    best.map(Some).ok_or_else(|| {
        StoreError::unavailable("this computer's clock was set while it was measured")
    })
}

#[async_trait]
impl Clock for StoreClock {
    fn now(&self) -> Timestamp {
        let offset = self.measured.borrow().offset;
        Timestamp::from_millis(self.base.now().as_millis().saturating_add(offset))
    }

    fn certain_now(&self) -> Option<Timestamp> {
        let Measurement { offset, trust, .. } = *self.measured.borrow();
        let certain = if self.rule.is_jump(offset, trust.offset) {
            offset.min(trust.offset)
        } else {
            offset
        };
        let by_base = self.base.now().as_millis();
        self.is_sure()
            .then(|| Timestamp::from_millis(by_base.saturating_add(certain)))
    }

    async fn sleep_until(&self, at: Timestamp) {
        let measured = self.measured.subscribe();
        sleep_by_offset(self, &*self.base, measured, |measured| measured.offset, at).await;
    }

    async fn pause(&self, length: Duration) {
        self.base.pause(length).await;
    }
}

#[cfg(test)]
mod tests;
