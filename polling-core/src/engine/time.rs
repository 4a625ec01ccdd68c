//! Which clock an engine goes by.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::builder::BuildError;
use super::health::StoreHealth;
use crate::clock::SteadyClock;
use crate::clock_jump::JumpRule;
use crate::guarded_clock::GuardedClock;
use crate::store_clock::{SURE_FOR, StoreClock};
use crate::{Clock, Repository, Settings, StoreError, SystemClock};

/// A task that runs as long as the engine does.
pub(super) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where the application says that the time comes from.
#[derive(Clone)]
pub(super) enum TimeSource {
    /// A clock that is taken as it is.
    Given(Arc<dyn Clock>),
    /// A computer's clocks.
    Computer {
        wall: Arc<dyn Clock>,
        steady: Arc<dyn Clock>,
    },
}

impl TimeSource {
    /// This computer's.
    pub(super) fn this_computer() -> Self {
        Self::Computer {
            wall: Arc::new(SystemClock),
            steady: Arc::new(SteadyClock::start()),
        }
    }

    /// The clock of an engine on this store, and the task that keeps it right.
    pub(super) async fn clock(
        self,
        store: &Arc<dyn Repository>,
        health: &Arc<StoreHealth>,
        settings: &Settings,
    ) -> Result<(Arc<dyn Clock>, Option<Task>), StoreError> {
        let (wall, steady) = match self {
            Self::Given(clock) => return Ok((clock, None)),
            Self::Computer { wall, steady } => (wall, steady),
        };
        let rule = JumpRule {
            least: settings.clock_jump,
            wait: settings.clock_jump_wait,
        };
        let measured = StoreClock::measure_first(Arc::clone(&steady), &**store, rule).await?;
        let (clock, task): (Arc<dyn Clock>, Task) = if let Some(measured) = measured {
            let clock = Arc::new(measured);
            let (store, health) = (Arc::clone(store), Arc::clone(health));
            let measure = Arc::clone(&clock).run(store, settings.clock_interval, health);
            (clock, Box::pin(measure))
        } else {
            let clock = Arc::new(GuardedClock::new(wall, steady, rule));
            (Arc::clone(&clock) as _, Box::pin(clock.run()))
        };
        Ok((clock, Some(task)))
    }
}

const LEAST_JUMP: Duration = Duration::from_millis(100);

/// Whether the settings of the clock fit together.
pub(super) fn check(settings: &Settings) -> Result<(), BuildError> {
    let rule = |name, rule| Err(BuildError::Setting { name, rule });
    if settings.clock_interval.is_zero() || settings.clock_interval > SURE_FOR / 4 {
        return rule(
            "clock_interval",
            "must be more than zero and at most 30 seconds, or a slow answer stops the clock",
        );
    }
    if settings.clock_jump < LEAST_JUMP {
        return rule(
            "clock_jump",
            "must be at least 100 milliseconds, or every correction of the clock is a jump",
        );
    }
    Ok(())
}
