//! The store as the engine sees it: the sum of the rooms' ports.

use std::sync::Arc;

use async_trait::async_trait;

use crate::polls::PollRepository;
use crate::results::{ResultsNotifier, ResultsRepository};
use crate::users::UserRepository;
use crate::vote_tokens::VoteTokenRepository;
use crate::votes::VoteRepository;
use crate::workspaces::WorkspaceRepository;
use crate::{StoreError, Timestamp};

/// A store. Each part is a small object-safe port with a written contract; every method of theirs is one atomic step.
///
/// The package `polling-conformance` holds the contracts as tests, for any store.
#[async_trait]
pub trait Repository: Send + Sync + 'static {
    /// The polls.
    fn polls(&self) -> &dyn PollRepository;

    /// The ballots.
    fn votes(&self) -> &dyn VoteRepository;

    /// The counters.
    fn results(&self) -> &dyn ResultsRepository;

    /// Returns when the store has answered something: whether it can be reached.
    async fn ping(&self) -> Result<(), StoreError>;

    /// The accounts, where the store keeps them.
    fn users(&self) -> Option<&dyn UserRepository> {
        None
    }

    /// The one-time vote tokens, where the store keeps them.
    fn vote_tokens(&self) -> Option<&dyn VoteTokenRepository> {
        None
    }

    /// The workspaces, where the store keeps them.
    fn workspaces(&self) -> Option<&dyn WorkspaceRepository> {
        None
    }

    /// The store's own way to tell the other servers that use it; `None` where it is only ever used by this process. An
    /// engine that is given no other notifier asks once, when it is built, and uses this one.
    fn notifier(&self) -> Option<Arc<dyn ResultsNotifier>> {
        None
    }

    /// The time of the store's own clock, read while this is answered, with at least milliseconds; `None` where the store
    /// has no clock but this computer's. It is the one clock that all servers of a store share.
    async fn now(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }
}

/// A store that others hold too, or whose type was chosen while running.
#[async_trait]
impl<R: Repository + ?Sized> Repository for Arc<R> {
    fn polls(&self) -> &dyn PollRepository {
        (**self).polls()
    }

    fn votes(&self) -> &dyn VoteRepository {
        (**self).votes()
    }

    fn results(&self) -> &dyn ResultsRepository {
        (**self).results()
    }

    async fn ping(&self) -> Result<(), StoreError> {
        (**self).ping().await
    }

    fn users(&self) -> Option<&dyn UserRepository> {
        (**self).users()
    }

    fn vote_tokens(&self) -> Option<&dyn VoteTokenRepository> {
        (**self).vote_tokens()
    }

    fn workspaces(&self) -> Option<&dyn WorkspaceRepository> {
        (**self).workspaces()
    }

    fn notifier(&self) -> Option<Arc<dyn ResultsNotifier>> {
        (**self).notifier()
    }

    async fn now(&self) -> Result<Option<Timestamp>, StoreError> {
        (**self).now().await
    }
}
