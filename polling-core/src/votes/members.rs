//! The memberships on which it depends who may vote, asked for at each vote: whoever has gone votes no more, on any server.

use super::error::VoteError;
use super::voter::Voter;
use crate::polls::access::Role;
use crate::polls::{Poll, Status, Voters};
use crate::workspaces::membership::Memberships;
use crate::{Actor, Repository};

/// Whether it depends on memberships who may vote in this poll; mostly it does not, and nothing is asked for.
pub(super) const fn matter(poll: &Poll) -> bool {
    poll.project.is_some() && matches!(poll.voters, Voters::Members | Voters::Vouched)
}

/// What the actor, and whom the application itself names, are in the poll's workspace, where it [matters](matter).
pub(super) async fn look_up<'a>(
    store: &dyn Repository,
    actor: &Actor,
    poll: &Poll,
    voters: impl IntoIterator<Item = &'a Voter> + Send,
) -> Result<Memberships, VoteError> {
    if !matter(poll) {
        return Ok(Memberships::none());
    }
    Ok(Memberships::look_up(store, actor, poll, voters).await?)
}

/// Why nobody votes in a draft: whoever may not know of it is told that it is not there.
pub(super) async fn refuse_draft(store: &dyn Repository, actor: &Actor, poll: &Poll) -> VoteError {
    match Memberships::look_up(store, actor, poll, None).await {
        Ok(members) if Role::of(actor, poll, &members).finds(Status::Draft) => VoteError::Draft,
        Ok(_) => VoteError::PollNotFound,
        Err(error) => error.into(),
    }
}
