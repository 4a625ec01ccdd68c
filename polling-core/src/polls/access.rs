//! Who may do what with a poll: one pure table, Role x Action.

use super::error::PollError;
use super::model::{Poll, ShowResults, Status};
use crate::Actor;

/// What somebody is to a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The application itself, the poll's creator, or who holds its manage token.
    Manager,
    /// Everybody else.
    Visitor,
}

/// What somebody may want of a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// See that it exists, and read it.
    Read,
    /// See it while it is a draft.
    ReadDraft,
    /// See its results whatever its visibility says.
    ReadHiddenResults,
    /// Vote for a voter that one vouches for.
    Vouch,
    /// Edit, publish, close and delete it.
    Manage,
}

impl Role {
    pub(crate) fn of(actor: &Actor, poll: &Poll) -> Self {
        let created = || poll.creator.is_some() && poll.creator == actor.user_id();
        let holds_token = || {
            poll.manage_token
                .is_some_and(|token| actor.manage_tokens().contains(&token))
        };
        if matches!(actor, Actor::System) || created() || holds_token() {
            Role::Manager
        } else {
            Role::Visitor
        }
    }

    /// The table.
    pub(crate) const fn may(self, action: Action) -> bool {
        match (self, action) {
            (Role::Manager, _) | (Role::Visitor, Action::Read) => true,
            (
                Role::Visitor,
                Action::ReadDraft | Action::ReadHiddenResults | Action::Vouch | Action::Manage,
            ) => false,
        }
    }

    /// Whether a poll in this status is there at all for this role.
    pub(crate) fn finds(self, status: Status) -> bool {
        self.may(if status == Status::Draft {
            Action::ReadDraft
        } else {
            Action::Read
        })
    }

    /// Whether this role may see the results now; `voted` where the viewer has a recorded ballot.
    pub(crate) fn sees_results(self, show: ShowResults, status: Status, voted: bool) -> bool {
        let is_final = status == Status::Closed;
        self.may(Action::ReadHiddenResults)
            || match show {
                ShowResults::Always => true,
                ShowResults::AfterVote => voted || is_final,
                ShowResults::AfterClose => is_final,
                ShowResults::Managers => false,
            }
    }
}

/// Lets only managers through: a poll that the actor cannot find is not there, whatever they want of it.
pub(crate) fn manage(actor: &Actor, poll: &Poll, status: Status) -> Result<(), PollError> {
    let role = Role::of(actor, poll);
    if !role.finds(status) {
        Err(PollError::NotFound)
    } else if role.may(Action::Manage) {
        Ok(())
    } else if actor.is_anonymous() {
        Err(PollError::Unauthorized)
    } else {
        Err(PollError::Forbidden)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visitors_see_results_exactly_when_the_poll_says_so() {
        use ShowResults::{AfterClose, AfterVote, Always, Managers};
        for status in Status::ALL {
            let is_final = status == Status::Closed;
            for voted in [false, true] {
                let sees = |show| Role::Visitor.sees_results(show, status, voted);
                assert!(sees(Always));
                assert_eq!(sees(AfterVote), voted || is_final);
                assert_eq!(sees(AfterClose), is_final);
                assert!(!sees(Managers));
                for show in [Always, AfterVote, AfterClose, Managers] {
                    assert!(Role::Manager.sees_results(show, status, voted));
                }
            }
        }
    }

    #[test]
    fn visitors_may_read_what_is_published_and_nothing_else() {
        use Action::{Manage, Read, ReadDraft, ReadHiddenResults, Vouch};
        for action in [Read, ReadDraft, ReadHiddenResults, Vouch, Manage] {
            assert!(Role::Manager.may(action));
            assert_eq!(Role::Visitor.may(action), action == Read);
        }
        assert!(!Role::Visitor.finds(Status::Draft));
        assert!(Role::Visitor.finds(Status::Scheduled));
    }
}
