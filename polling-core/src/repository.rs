//! The store as the engine sees it: the sum of the rooms' ports.

use std::sync::Arc;

use async_trait::async_trait;

use crate::StoreError;
use crate::polls::PollRepository;
use crate::results::ResultsRepository;
use crate::users::UserRepository;
use crate::votes::VoteRepository;

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
}
