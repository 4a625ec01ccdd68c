//! What the rooms of the polls, votes and results ask the store before they decide about a poll: who, of those that the
//! decision names, is what in the workspace of the poll. Of a poll without a workspace it is asked only whether its creator
//! is there still, where they themselves come.

use std::collections::BTreeMap;

use super::model::WorkspaceRole;
use crate::polls::Poll;
use crate::polls::access::created;
use crate::users::is_deleted;
use crate::votes::Voter;
use crate::{Actor, Repository, StoreError, UserId, WorkspaceId};

/// What some users are in the workspace of one poll. It is of one decision, and kept by nobody: the next one asks again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memberships {
    roles: BTreeMap<UserId, WorkspaceRole>,
    /// The actor created the poll, and deleted the account since: they are nobody any more.
    creator_is_gone: bool,
}

impl Memberships {
    /// Of nobody: for polls without a workspace, and where it makes no difference.
    pub(crate) const fn none() -> Self {
        Self {
            roles: BTreeMap::new(),
            creator_is_gone: false,
        }
    }

    /// Of the actor, and of all whom the application itself names as voters.
    pub(crate) async fn look_up<'a>(
        store: &dyn Repository,
        actor: &Actor,
        poll: &Poll,
        voters: impl IntoIterator<Item = &'a Voter> + Send,
    ) -> Result<Self, StoreError> {
        let mut found = Self::none();
        let Some(project) = poll.project else {
            found.creator_is_gone = created(actor, poll) && is_deleted(store, actor).await?;
            return Ok(found);
        };
        // With their account a user loses every membership, so that these need no such question.
        let Some(workspaces) = store.workspaces() else {
            return Ok(found);
        };
        let mut users: Vec<UserId> = actor.user_id().into_iter().collect();
        if matches!(actor, Actor::System) {
            users.extend(voters.into_iter().filter_map(Voter::user_id));
            users.sort_unstable();
            users.dedup();
        }
        let asked: Vec<_> = users
            .into_iter()
            .map(|user| (project.workspace, user))
            .collect();
        if !asked.is_empty() {
            let roles = workspaces.roles(&asked).await?;
            let members = asked.into_iter().zip(roles);
            let members = members.filter_map(|((_, user), role)| Some((user, role?)));
            found.roles.extend(members);
        }
        Ok(found)
    }

    /// What became of this user there.
    pub(crate) fn set(&mut self, user: UserId, role: Option<WorkspaceRole>) {
        match role {
            Some(role) => self.roles.insert(user, role),
            None => self.roles.remove(&user),
        };
    }

    /// What this user is there; `None` for who is no member.
    pub(crate) fn of(&self, user: UserId) -> Option<WorkspaceRole> {
        self.roles.get(&user).copied()
    }

    /// Whether the actor created the poll, and deleted the account since.
    pub(crate) const fn creator_is_gone(&self) -> bool {
        self.creator_is_gone
    }

    /// What the actor is there, as a user.
    pub(crate) fn of_actor(&self, actor: &Actor) -> Option<WorkspaceRole> {
        actor.user_id().and_then(|user| self.of(user))
    }
}

/// The memberships in the workspaces of many polls that are shown together, of an actor whose account is there: each is
/// asked for once.
#[derive(Debug, Default)]
pub(crate) struct OfManyPolls(BTreeMap<WorkspaceId, Memberships>);

impl OfManyPolls {
    pub(crate) async fn look_up(
        &mut self,
        store: &dyn Repository,
        actor: &Actor,
        poll: &Poll,
    ) -> Result<Memberships, StoreError> {
        let Some(project) = poll.project else {
            return Ok(Memberships::none());
        };
        if let Some(found) = self.0.get(&project.workspace) {
            return Ok(found.clone());
        }
        let found = Memberships::look_up(store, actor, poll, None).await?;
        self.0.insert(project.workspace, found.clone());
        Ok(found)
    }
}

#[cfg(test)]
impl<const N: usize> From<[(UserId, WorkspaceRole); N]> for Memberships {
    fn from(members: [(UserId, WorkspaceRole); N]) -> Self {
        Self {
            roles: members.into(),
            creator_is_gone: false,
        }
    }
}
