//! Which voter somebody may be: one rule for voting, reading and watching.

use super::error::VoteError;
use super::voter::{Voter, VoterKey};
use crate::polls::access::{Action, Role};
use crate::polls::{Poll, Voters};
use crate::results::ResultsError;
use crate::{Actor, FieldError};

/// Bytes of a voter's id, at most.
const VOTER_BYTES: usize = 200;

/// The key of the voter that `actor` votes as.
///
/// # Errors
/// `VoterRequired`, `Unauthorized`, `Forbidden` or `Invalid`.
pub(crate) fn voter(actor: &Actor, poll: &Poll, voter: &Voter) -> Result<VoterKey, VoteError> {
    match poll.voters {
        Voters::Anyone => match voter {
            Voter::Named(id) | Voter::Anyone(id) => key("anyone", id),
            Voter::Caller => Err(VoteError::VoterRequired),
            Voter::Vouched(_) | Voter::User(_) => Err(VoteError::Forbidden(
                "this poll takes voters of the kind anyone",
            )),
        },
        Voters::Vouched if !Role::of(actor, poll).may(Action::Vouch) => Err(VoteError::Forbidden(
            "only who manages this poll may say who votes",
        )),
        Voters::Vouched => match voter {
            Voter::Named(id) | Voter::Vouched(id) => key("vouched", id),
            Voter::Caller => Err(VoteError::VoterRequired),
            Voter::Anyone(_) | Voter::User(_) => {
                Err(VoteError::Forbidden("this poll takes vouched voters"))
            }
        },
        Voters::Registered => match (voter, actor, actor.user_id()) {
            (Voter::Caller, _, Some(user)) => Ok(VoterKey::of_user(user)),
            (Voter::User(named), _, Some(user)) if *named == user => Ok(VoterKey::of_user(user)),
            (Voter::User(named), Actor::System, _) => Ok(VoterKey::of_user(*named)),
            (Voter::Caller, Actor::System, _) => Err(VoteError::VoterRequired),
            (Voter::Caller, _, None) => Err(VoteError::Unauthorized),
            _ => Err(VoteError::Forbidden(
                "on this poll users vote as themselves: leave the voter out",
            )),
        },
    }
}

/// The key of the voter that `actor` looks as: who they say, or the signed-in user where users vote; or nobody.
///
/// # Errors
/// `Forbidden` or `Invalid`.
pub(crate) fn viewer(
    actor: &Actor,
    poll: &Poll,
    viewer: Option<&Voter>,
) -> Result<Option<VoterKey>, ResultsError> {
    match voter(actor, poll, viewer.unwrap_or(&Voter::Caller)) {
        Ok(key) => Ok(Some(key)),
        // Nobody was named, which a viewer may do.
        Err(_) if matches!(viewer, None | Some(Voter::Caller)) => Ok(None),
        Err(VoteError::Invalid(fields)) => Err(ResultsError::Invalid(fields)),
        Err(_) => Err(ResultsError::Forbidden),
    }
}

fn key(tag: &str, id: &str) -> Result<VoterKey, VoteError> {
    if id.is_empty() || id.len() > VOTER_BYTES {
        let detail = format!(
            "a voter's id has from 1 to {VOTER_BYTES} bytes, not {}",
            id.len()
        );
        return Err(VoteError::Invalid(vec![FieldError::invalid(
            "/voter", detail,
        )]));
    }
    Ok(VoterKey::of_text(tag, id))
}
