//! What the rooms of the polls, votes and results ask of memberships: who, of those that a decision about a poll names, is
//! what in the workspace of the poll. Polls of users have no workspace, and are never asked for.

use std::collections::BTreeMap;

use super::model::WorkspaceRole;
use crate::polls::Poll;
use crate::votes::Voter;
use crate::{Actor, Repository, StoreError, UserId, WorkspaceId};

/// What some users are in the workspace of one poll. It is of one decision, and kept by nobody: the next one asks again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memberships(BTreeMap<UserId, WorkspaceRole>);

impl Memberships {
    /// Of nobody: for polls without a workspace, and where it makes no difference.
    pub(crate) const fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// Of the actor, and of all whom the application itself names as voters.
    pub(crate) async fn look_up<'a>(
        store: &dyn Repository,
        actor: &Actor,
        poll: &Poll,
        voters: impl IntoIterator<Item = &'a Voter> + Send,
    ) -> Result<Self, StoreError> {
        let mut found = Self::none();
        let (Some(project), Some(workspaces)) = (poll.project, store.workspaces()) else {
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
            found.0.extend(members);
        }
        Ok(found)
    }

    /// What became of this user there.
    pub(crate) fn set(&mut self, user: UserId, role: Option<WorkspaceRole>) {
        match role {
            Some(role) => self.0.insert(user, role),
            None => self.0.remove(&user),
        };
    }

    /// What this user is there; `None` for who is no member.
    pub(crate) fn of(&self, user: UserId) -> Option<WorkspaceRole> {
        self.0.get(&user).copied()
    }

    /// What the actor is there, as a user.
    pub(crate) fn of_actor(&self, actor: &Actor) -> Option<WorkspaceRole> {
        actor.user_id().and_then(|user| self.of(user))
    }
}

/// The actor's own memberships in the workspaces of many polls that are shown together: each is asked for once.
#[derive(Debug, Default)]
pub(crate) struct OfManyPolls(BTreeMap<WorkspaceId, Memberships>);

impl OfManyPolls {
    pub(crate) async fn look_up(
        &mut self,
        store: &dyn Repository,
        actor: &Actor,
        poll: &Poll,
    ) -> Result<Memberships, StoreError> {
        let workspace = poll.project.map(|project| project.workspace);
        if let Some(found) = workspace.and_then(|workspace| self.0.get(&workspace)) {
            return Ok(found.clone());
        }
        let found = Memberships::look_up(store, actor, poll, None).await?;
        if let Some(workspace) = workspace {
            self.0.insert(workspace, found.clone());
        }
        Ok(found)
    }
}

#[cfg(test)]
impl<const N: usize> From<[(UserId, WorkspaceRole); N]> for Memberships {
    fn from(members: [(UserId, WorkspaceRole); N]) -> Self {
        Self(members.into())
    }
}
