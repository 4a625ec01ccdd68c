//! One line a second for one event, however often it happens, and a count of the lines that were left out. An outage turns
//! every request into a warning: without this the log fills the disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until};

/// The least time between two lines of one event.
const PERIOD: Duration = Duration::from_secs(1);
const PERIOD_NANOS: u64 = 1_000_000_000;

/// How often one event is logged: at most once a second, by whatever clock tokio has. All clones are one.
///
/// A line carries the count of those that were left out since the line before. When a second has passed in which nothing was
/// logged, or the runtime ends, the last count is written by itself; outside of a runtime the next line carries it.
///
/// [`log_each_second!`](crate::log_each_second) has one for each place that it is written in.
#[derive(Clone, Debug)]
pub struct LogRate {
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    /// All times count from here.
    began: Instant,
    /// The next line is due from then on, in nanoseconds.
    next: AtomicU64,
    left_out: AtomicU64,
    /// Somebody waits for the end of the burst.
    is_watched: AtomicBool,
    /// Writes the last count of a burst.
    rest: fn(left_out: u64),
}

impl LogRate {
    /// For an event of which nothing was logged yet. `rest` writes how many lines were left out at the end of a burst.
    #[must_use]
    pub fn new(rest: fn(left_out: u64)) -> Self {
        Self {
            state: Arc::new(State {
                began: Instant::now(),
                next: AtomicU64::new(0),
                left_out: AtomicU64::new(0),
                is_watched: AtomicBool::new(false),
                rest,
            }),
        }
    }

    /// Whether a line is to be written now: then with how many were left out since the last one, if any were. Else this one
    /// is counted.
    #[must_use]
    pub fn due(&self) -> Option<LeftOut> {
        let state = &*self.state;
        let now = state.now();
        let next = state.next.load(Ordering::Relaxed);
        if now >= next && state.claim(next, now) {
            return Some(LeftOut(state.take_left_out()));
        }
        state.left_out.fetch_add(1, Ordering::AcqRel);
        self.watch();
        None
    }

    /// Sees to it that the last count of the burst is written.
    fn watch(&self) {
        let is_watched = &self.state.is_watched;
        if is_watched.load(Ordering::Acquire) || is_watched.swap(true, Ordering::AcqRel) {
            return;
        }
        match Handle::try_current() {
            Ok(runtime) => {
                runtime.spawn(Watch(Arc::clone(&self.state)).run());
            }
            Err(_) => is_watched.store(false, Ordering::Release),
        }
    }
}

impl State {
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Whether the line that was due from `next` on is the caller's.
    fn claim(&self, next: u64, now: u64) -> bool {
        let after = now.saturating_add(PERIOD_NANOS);
        let claimed = self
            .next
            .compare_exchange(next, after, Ordering::AcqRel, Ordering::Relaxed);
        claimed.is_ok()
    }

    fn take_left_out(&self) -> u64 {
        self.left_out.swap(0, Ordering::AcqRel)
    }

    fn write_rest(&self) {
        let left_out = self.take_left_out();
        if left_out > 0 {
            (self.rest)(left_out);
        }
    }
}

/// Waits for the end of a burst. Dropped with its runtime, it writes what is left.
struct Watch(Arc<State>);

impl Watch {
    async fn run(self) {
        let state = &*self.0;
        loop {
            let next = state.next.load(Ordering::Acquire);
            sleep_until(state.began + Duration::from_nanos(next) + PERIOD).await;
            // Else a line was written meanwhile, with the count.
            if !state.claim(next, state.now()) {
                continue;
            }
            state.write_rest();
            state.is_watched.store(false, Ordering::Release);
            // Counted before the store, and by somebody who saw that there is a watch.
            if state.left_out.load(Ordering::Acquire) == 0
                || state.is_watched.swap(true, Ordering::AcqRel)
            {
                return;
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.write_rest();
    }
}

/// How many lines were left out before one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeftOut(u64);

impl LeftOut {
    /// The count, as a field of the line: none where none were.
    #[must_use]
    pub fn count(self) -> Option<u64> {
        (self.0 > 0).then_some(self.0)
    }
}

/// A line of the log for something that one client can cause: written at most once a second from the place where it stands,
/// with the field `left_out` for the lines that were not. The level, the message, and then the fields as `tracing` takes
/// them, each with its name:
///
/// ```
/// # let error = "the disk is full";
/// polling_core::log_each_second!(warn, "a page could not be read", error = %error);
/// ```
#[macro_export]
macro_rules! log_each_second {
    ($level:ident, $message:literal $(, $($fields:tt)+)?) => {{
        static RATE: ::std::sync::LazyLock<$crate::LogRate> = ::std::sync::LazyLock::new(|| {
            $crate::LogRate::new($crate::rest_of_lines!($level, $message))
        });
        if let Some(left_out) = RATE.due() {
            ::tracing::$level!($($($fields)+,)? left_out = left_out.count(), $message);
        }
    }};
}

/// What writes the last count of a burst: the argument of [`LogRate::new`], of the level and the message of the lines.
#[macro_export]
macro_rules! rest_of_lines {
    ($level:ident, $message:literal) => {
        |left_out| ::tracing::$level!(left_out, ::std::concat!($message, " (more of the same)"))
    };
}

#[cfg(test)]
mod tests;
