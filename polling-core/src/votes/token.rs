//! Whether a vote token is still good when it is used.

use super::error::VoteError;
use crate::polls::Poll;
use crate::{Actor, Repository};

/// Asks the store whether the token by which `actor` votes in this poll was revoked since it was shown: a connection may
/// hold it for long. One row, by its key; exact, whichever server revoked it.
///
/// # Errors
/// `Unauthorized` where it is good no more; `Store`.
pub(super) async fn confirm(
    store: &dyn Repository,
    actor: &Actor,
    poll: &Poll,
) -> Result<(), VoteError> {
    let (Some(tokens), Some(token)) = (store.vote_tokens(), actor.vote_token_for(poll.id)) else {
        return Err(VoteError::Unauthorized);
    };
    if tokens.poll_of(token.hash()).await? == Some(poll.id) {
        Ok(())
    } else {
        Err(VoteError::Unauthorized)
    }
}
