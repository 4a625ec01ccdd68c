//! All connections: how many there may be, and how they are told to end.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::{CancellationToken, DropGuard, WaitForCancellationFutureOwned};
use tokio_util::task::TaskTracker;

use crate::close::Close;
use crate::problem::Problem;

/// Owns the tasks of all connections. When it is dropped they are told to leave.
#[derive(Debug)]
pub(crate) struct Registry {
    places: Arc<Semaphore>,
    tasks: TaskTracker,
    stop: Stop,
    /// Ends whatever did not end by itself.
    abandon: CancellationToken,
    _stop_on_drop: DropGuard,
}

/// Tells a connection to end.
#[derive(Clone, Debug)]
pub(crate) struct Stop {
    token: CancellationToken,
    close: Arc<OnceLock<Close>>,
}

impl Stop {
    pub(crate) fn stopped(&self) -> WaitForCancellationFutureOwned {
        self.token.clone().cancelled_owned()
    }

    /// What to tell the client.
    pub(crate) fn close(&self) -> Close {
        *self.close.get().unwrap_or(&Close::Leaving)
    }
}

/// A place among the connections, held as long as the connection lives.
#[derive(Debug)]
pub(crate) struct Place(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

impl Registry {
    pub(crate) fn new(connections: usize) -> Self {
        let token = CancellationToken::new();
        Self {
            places: Arc::new(Semaphore::new(connections.min(Semaphore::MAX_PERMITS))),
            tasks: TaskTracker::new(),
            _stop_on_drop: token.clone().drop_guard(),
            stop: Stop {
                token,
                close: Arc::default(),
            },
            abandon: CancellationToken::new(),
        }
    }

    /// A place for a new connection, where there is one.
    pub(crate) fn admit(&self) -> Result<Place, Problem> {
        if self.stop.token.is_cancelled() {
            return Err(Problem::ShuttingDown);
        }
        let permit = Arc::clone(&self.places).try_acquire_owned();
        permit.map(Place).map_err(|_| Problem::Full)
    }

    pub(crate) fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Runs a connection.
    pub(crate) fn spawn(
        &self,
        place: Place,
        connection: impl Future<Output = ()> + Send + 'static,
    ) {
        let abandon = self.abandon.clone();
        self.tasks.spawn(async move {
            abandon.run_until_cancelled(connection).await;
            drop(place);
        });
    }

    /// How many connections there are.
    pub(crate) fn connections(&self) -> usize {
        self.tasks.len()
    }

    /// Takes no new connections, tells all to end, and waits until they have.
    pub(crate) async fn shut_down(&self, close: Close, timeout: Duration) {
        // The first reason counts.
        self.stop.close.get_or_init(|| close);
        self.stop.token.cancel();
        self.tasks.close();
        if tokio::time::timeout(timeout, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                connections = self.tasks.len(),
                "connections did not end in time, and are cut off"
            );
            self.abandon.cancel();
            self.tasks.wait().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_so_many_places_and_no_more() {
        let registry = Registry::new(1);
        let place = registry.admit().unwrap();
        assert!(matches!(registry.admit(), Err(Problem::Full)));
        drop(place);
        assert!(registry.admit().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_shutdown_tells_all_why_and_lets_nobody_in() {
        let registry = Registry::new(10);
        let stop = registry.stop().clone();
        let (told, why) = tokio::sync::oneshot::channel();
        registry.spawn(registry.admit().unwrap(), async move {
            stop.stopped().await;
            let _ = told.send(stop.close());
        });
        assert_eq!(registry.connections(), 1);
        registry
            .shut_down(Close::Restarting, Duration::from_secs(1))
            .await;
        assert_eq!(why.await, Ok(Close::Restarting));
        assert_eq!(registry.connections(), 0);
        assert!(matches!(registry.admit(), Err(Problem::ShuttingDown)));
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_end_in_time_is_cut_off() {
        let registry = Registry::new(10);
        registry.spawn(registry.admit().unwrap(), std::future::pending());
        registry
            .shut_down(Close::Leaving, Duration::from_secs(1))
            .await;
        assert_eq!(registry.connections(), 0);
    }

    #[tokio::test]
    async fn connections_leave_with_the_last_handle() {
        let registry = Registry::new(10);
        let stop = registry.stop().clone();
        drop(registry);
        stop.stopped().await;
        assert_eq!(stop.close(), Close::Leaving);
    }
}
