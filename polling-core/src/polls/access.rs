//! Who may do what with a poll: one pure table, Role x Action.
//!
//! A poll of a user is managed by its creator, as long as the account is there, and by who holds its manage token. A poll
//! of a project is managed by who may [manage polls](crate::workspaces) in its workspace, and by its creator only as long
//! as that is one of them; to all other members it is what it is to everybody.

use super::error::PollError;
use super::model::{Poll, PollRecord, ShowResults, Status};
use crate::engine::Parts;
use crate::workspaces::{Action as InWorkspace, membership::Memberships};
use crate::{Actor, PollId};

/// What somebody is to a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The application itself, the poll's creator, who holds its manage token, or who manages the polls of its project.
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
    pub(crate) fn of(actor: &Actor, poll: &Poll, memberships: &Memberships) -> Self {
        let created = || created(actor, poll) && !memberships.creator_is_gone();
        let holds_token = || {
            poll.manage_token
                .is_some_and(|token| actor.manage_tokens().contains(&token))
        };
        let in_workspace = || {
            let role = memberships.of_actor(actor);
            role.is_some_and(|role| role.may(InWorkspace::ManagePolls))
        };
        let manages = || match poll.project {
            None => created() || holds_token(),
            Some(_) => in_workspace(),
        };
        if matches!(actor, Actor::System) || manages() {
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

/// Whether the actor created the poll, which gives no right to one of a project, nor to who has deleted the account.
pub(crate) fn created(actor: &Actor, poll: &Poll) -> bool {
    poll.creator.is_some() && poll.creator == actor.user_id()
}

/// The poll, if this actor manages it.
pub(crate) async fn managed(
    parts: &Parts,
    actor: &Actor,
    id: PollId,
) -> Result<PollRecord, PollError> {
    let found = parts.store.polls().find(id).await?;
    let record = found.ok_or(PollError::NotFound)?;
    let memberships = Memberships::look_up(&*parts.store, actor, &record.poll, None).await?;
    match manage(actor, &record.poll, &memberships, record.tally.status) {
        Ok(()) => Ok(record),
        // Nobody is known by the token of an account that is gone.
        Err(PollError::Forbidden) if parts.is_deleted(actor).await? => Err(PollError::Unauthorized),
        Err(error) => Err(error),
    }
}

/// Lets only managers through: a poll that the actor cannot find is not there, whatever they want of it.
fn manage(
    actor: &Actor,
    poll: &Poll,
    memberships: &Memberships,
    status: Status,
) -> Result<(), PollError> {
    let role = Role::of(actor, poll, memberships);
    if !role.finds(status) {
        Err(PollError::NotFound)
    } else if role.may(Action::Manage) {
        Ok(())
    } else if actor.is_anonymous() || memberships.creator_is_gone() {
        Err(PollError::Unauthorized)
    } else {
        Err(PollError::Forbidden)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::polls::{NewPoll, ProjectRef};
    use crate::workspaces::WorkspaceRole;
    use crate::{
        Clock, FakeClock, PollLimits, ProjectId, SeededIds, TokenHash, UserId, WorkspaceId,
    };

    #[test]
    fn who_manages_a_poll_follows_from_whom_it_belongs_to() {
        const ADA: UserId = UserId::from_bytes([1; 16]);
        const BOB: UserId = UserId::from_bytes([2; 16]);
        let (now, ids) = (FakeClock::default().now(), SeededIds::new(1));
        let token = TokenHash::of("pm_secret");
        let new = NewPoll::single("?", ["a", "b"]);
        let limits = PollLimits::default();
        let validated = new.validate(&Actor::user(ADA), Some(token), now, &ids, &limits);
        let hers = validated.unwrap().0;
        let project = ProjectRef {
            id: ProjectId::from_bytes([3; 16]),
            workspace: WorkspaceId::from_bytes([4; 16]),
        };
        let of_project = Poll {
            project: Some(project),
            ..hers.clone()
        };
        let roles = [None].into_iter().chain(WorkspaceRole::ALL.map(Some));
        for role in roles {
            let memberships = |user| match role {
                Some(role) => Memberships::from([(user, role)]),
                None => Memberships::none(),
            };
            let by_role = matches!(
                role,
                Some(WorkspaceRole::Owner | WorkspaceRole::Collaborator)
            );
            // actor: whether they manage a poll of Ada's, and one that she created in a project
            let table = [
                (Actor::System, true, true),
                (Actor::user(ADA), true, by_role),
                (Actor::user(BOB), false, by_role),
                (Actor::manage_token(token), true, false),
                (Actor::anonymous(), false, false),
            ];
            for (actor, in_hers, in_project) in table {
                for (poll, manages) in [(&hers, in_hers), (&of_project, in_project)] {
                    let memberships = actor.user_id().map(memberships).unwrap_or_default();
                    let found = Role::of(&actor, poll, &memberships) == Role::Manager;
                    assert_eq!(
                        found, manages,
                        "{actor:?} as {role:?} of {:?}",
                        poll.project
                    );
                }
            }
        }
    }

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
