//! Whose access token outlives their account.

use crate::{Actor, Repository, StoreError};

/// Whether the actor is a user whose account was deleted, and whose access token is alive still. A user whom the store
/// does not know may be an application's own.
///
/// Votes of users do not ask: until their last access token has ended, deleted users have their ballots, and cannot vote
/// twice. Everything else that a user may do and nobody else does.
pub(crate) async fn is_deleted(store: &dyn Repository, actor: &Actor) -> Result<bool, StoreError> {
    match (actor.user_id(), store.users()) {
        (Some(id), Some(users)) => users.is_deleted(id).await,
        _ => Ok(false),
    }
}
