//! What it depends on who may vote and is not said by the poll and the actor: memberships, and whether the creator's account
//! is there where they manage the poll. It is asked for at each vote: whoever has gone votes no more, on any server.

use super::error::VoteError;
use crate::polls::access::{Role, created};
use crate::polls::{Poll, Status, Voters};
use crate::workspaces::membership::Memberships;
use crate::{Actor, Repository};

/// Whether it depends on them who may vote in this poll, or, where votes have a limit, how often; mostly it does not, and
/// nothing is asked for.
pub(super) fn matter(actor: &Actor, poll: &Poll, limited: bool) -> bool {
    let of_project = poll.project.is_some();
    match poll.voters {
        Voters::Members => of_project,
        Voters::Vouched => of_project || created(actor, poll),
        Voters::Anyone => limited && !of_project && created(actor, poll),
        Voters::Registered | Voters::Tokens => false,
    }
}

/// Why nobody votes in a draft: whoever may not know of it is told that it is not there.
pub(super) async fn refuse_draft(store: &dyn Repository, actor: &Actor, poll: &Poll) -> VoteError {
    match Memberships::look_up(store, actor, poll, None).await {
        Ok(members) if Role::of(actor, poll, &members).finds(Status::Draft) => VoteError::Draft,
        Ok(_) => VoteError::PollNotFound,
        Err(error) => error.into(),
    }
}
