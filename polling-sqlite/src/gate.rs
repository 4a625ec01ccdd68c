//! Lets reads pass, but for the moment in which the write-ahead log starts over.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Reads that overlap without a gap would keep the log from ever starting over: each needs it as it was when the read
/// began. So new ones wait at this gate for a moment, until those that are under way have ended.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    closed: bool,
    reading: usize,
}

/// A read that has passed the gate, until this is dropped.
#[derive(Debug)]
pub(crate) struct Reading<'a>(&'a Gate);

/// The gate is closed until this is dropped.
#[derive(Debug)]
pub(crate) struct Closed<'a>(&'a Gate);

impl Gate {
    /// Waits while the gate is closed.
    pub(crate) fn enter(&self) -> Reading<'_> {
        let state = self.state();
        let mut state = self
            .changed
            .wait_while(state, |state| state.closed)
            .unwrap_or_else(PoisonError::into_inner);
        state.reading += 1;
        Reading(self)
    }

    /// Closes the gate and waits for the reads that have passed it; `None`, and open again, where they do not end in time.
    pub(crate) fn close(&self, within: Duration) -> Option<Closed<'_>> {
        let mut state = self.state();
        state.closed = true;
        let closed = Closed(self);
        let state = self
            .changed
            .wait_timeout_while(state, within, |state| state.reading > 0);
        let (state, _) = state.unwrap_or_else(PoisonError::into_inner);
        let is_empty = state.reading == 0;
        // Else the guard would lock it once more.
        drop(state);
        is_empty.then_some(closed)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.reading -= 1;
        if state.closed {
            self.0.changed.notify_all();
        }
    }
}

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        self.0.state().closed = false;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn the_gate_closes_once_the_reads_under_way_have_ended() {
        let gate = Gate::default();
        let reading = gate.enter();
        assert!(gate.close(Duration::ZERO).is_none());
        // It is open again.
        drop(gate.enter());
        thread::scope(|scope| {
            let closing = scope.spawn(|| gate.close(LONG).is_some());
            drop(reading);
            assert!(closing.join().unwrap());
        });
    }

    #[test]
    fn a_read_waits_while_the_gate_is_closed() {
        let gate = Gate::default();
        let closed = gate.close(Duration::ZERO).unwrap();
        thread::scope(|scope| {
            let entering = scope.spawn(|| drop(gate.enter()));
            drop(closed);
            entering.join().unwrap();
        });
        assert_eq!(gate.state().reading, 0);
    }
}
