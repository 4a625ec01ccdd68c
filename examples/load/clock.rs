//! Time, as it passes for everybody, and the processor time of this process.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

#[expect(
    clippy::disallowed_methods,
    reason = "a load generator measures real time"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// What this process has taken of the processors until now.
pub(crate) fn processor_time() -> Duration {
    let taken = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(taken).unwrap_or_default()
}

/// In the unit of every histogram here.
pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
