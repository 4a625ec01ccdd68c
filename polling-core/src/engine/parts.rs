//! What all services share.

use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::bulk::Bulk;
use super::health::StoreHealth;
use crate::limits::Limits;
use crate::polls::cache::PollCache;
use crate::results::Hub;
use crate::{Actor, Clock, IdSource, Repository, Settings, StoreError};

/// The ports, and the rooms' common state: every service holds a clone.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) store: Arc<dyn Repository>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) cache: Arc<PollCache>,
    pub(crate) limits: Limits,
    pub(crate) bulk: Bulk,
    pub(crate) tasks: Tasks,
    /// Whether the store answers.
    pub(crate) health: Arc<StoreHealth>,
}

impl Parts {
    /// Whether the actor is a user whose account was deleted, and whose access token is alive still.
    pub(crate) async fn is_deleted(&self, actor: &Actor) -> Result<bool, StoreError> {
        crate::users::is_deleted(&*self.store, actor).await
    }
}

/// What changes something runs as a task of its own: it comes to its end, and everyone is told, whether or not the
/// caller still waits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tasks {
    tracker: TaskTracker,
}

impl Tasks {
    /// What `work` gives; `None` where the engine is shutting down and it was not started.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        if self.are_closed() {
            return None;
        }
        match self.tracker.spawn(work.in_current_span()).await {
            Ok(done) => Some(done),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => None,
        }
    }

    /// Runs what the shutdown waits for the end of: a lane, or what is tidied up after a caller was answered.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tracker.spawn(work);
    }

    /// Starts something that a lane waits for by itself, also while the engine is shutting down.
    pub(crate) fn start<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.tracker.spawn(work)
    }

    pub(super) fn close(&self) {
        self.tracker.close();
    }

    pub(crate) fn are_closed(&self) -> bool {
        self.tracker.is_closed()
    }

    pub(super) async fn wait(&self) {
        self.tracker.wait().await;
    }
}
