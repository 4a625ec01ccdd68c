//! Who may do something in a workspace, as far as no input is needed to tell: what can be refused before a request is read
//! whole. Nothing here counts for a limit.

use super::access::Action;
use super::error::WorkspaceError;
use super::service::{Workspaces, signed_in};
use crate::limits::Rule;
use crate::{Actor, WorkspaceId};

impl Workspaces {
    /// Whether somebody may create workspaces.
    ///
    /// # Errors
    /// `Unauthorized`; `Store`.
    pub async fn may_create(&self, actor: &Actor) -> Result<(), WorkspaceError> {
        if matches!(actor, Actor::System) {
            return Ok(());
        }
        signed_in(actor)?;
        match self.inner.parts.is_deleted(actor).await? {
            true => Err(WorkspaceError::Unauthorized),
            false => Ok(()),
        }
    }

    /// Whether somebody may rename a workspace.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`, `Unauthorized`; `Store`.
    pub async fn may_rename(&self, actor: &Actor, id: WorkspaceId) -> Result<(), WorkspaceError> {
        self.may(actor, id, Action::Rename).await
    }

    /// Whether somebody may change the members of a workspace.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`, `Unauthorized`; `Store`.
    pub async fn may_manage_members(
        &self,
        actor: &Actor,
        id: WorkspaceId,
    ) -> Result<(), WorkspaceError> {
        self.may(actor, id, Action::ManageMembers).await
    }

    /// Whether somebody may create and rename the projects of a workspace.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`, `Unauthorized`; `Store`.
    pub async fn may_manage_projects(
        &self,
        actor: &Actor,
        id: WorkspaceId,
    ) -> Result<(), WorkspaceError> {
        self.may(actor, id, Action::ManageProjects).await
    }

    /// Whether somebody may invite people to a workspace.
    ///
    /// # Errors
    /// `RateLimited`; `Forbidden`; `NotFound`, `Unauthorized`; `Store`.
    pub async fn may_invite(&self, actor: &Actor, id: WorkspaceId) -> Result<(), WorkspaceError> {
        self.may(actor, id, Action::Invite).await?;
        Ok(self.inner.parts.limits.look(Rule::Invite, actor).await?)
    }

    async fn may(
        &self,
        actor: &Actor,
        id: WorkspaceId,
        action: Action,
    ) -> Result<(), WorkspaceError> {
        self.inner.allowed(actor, id, action).await.map(drop)
    }
}
