//! Workspaces and what is in them, as others see them: these types are the JSON.

use std::fmt;

use serde::Serialize;

use super::model::{Invitation, Member, Project, Workspace, WorkspaceRole};
use crate::{InvitationId, ProjectId, Timestamp, UserId, WorkspaceId};

/// A workspace as its members see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct WorkspaceView {
    /// Its id.
    pub id: WorkspaceId,
    /// What it is called.
    pub name: String,
    /// What the one who asks is there; none where the application itself asks.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub role: Option<WorkspaceRole>,
    /// When it was created.
    pub created_at: Timestamp,
}

impl From<(Workspace, Option<WorkspaceRole>)> for WorkspaceView {
    fn from((workspace, role): (Workspace, Option<WorkspaceRole>)) -> Self {
        Self {
            id: workspace.id,
            name: workspace.name.as_str().to_owned(),
            role,
            created_at: workspace.created_at,
        }
    }
}

/// A member as the others see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct MemberView {
    /// Who.
    pub user_id: UserId,
    /// What they are.
    pub role: WorkspaceRole,
    /// Since when.
    pub joined_at: Timestamp,
}

impl From<Member> for MemberView {
    fn from(member: Member) -> Self {
        Self {
            user_id: member.user,
            role: member.role,
            joined_at: member.joined_at,
        }
    }
}

/// An invitation as the owners and the one who is invited see it. Whether the address has an account is nowhere in it.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct InvitationView {
    /// Its id. To be kept like a secret: whoever has it, and an account with the address, may answer.
    pub id: InvitationId,
    /// Where to.
    pub workspace_id: WorkspaceId,
    /// What that is called.
    pub workspace_name: String,
    /// Who, as it was given.
    pub email: String,
    /// What they would be there.
    pub role: WorkspaceRole,
    /// When it was made first.
    pub created_at: Timestamp,
    /// The first moment that is too late.
    pub expires_at: Timestamp,
}

impl fmt::Debug for InvitationView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InvitationView")
            .field("workspace_id", &self.workspace_id)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

impl From<Invitation> for InvitationView {
    fn from(invitation: Invitation) -> Self {
        Self {
            id: invitation.id,
            workspace_id: invitation.workspace,
            workspace_name: invitation.workspace_name.as_str().to_owned(),
            email: invitation.email.as_str().to_owned(),
            role: invitation.role,
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
        }
    }
}

/// A project as the members of its workspace see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct ProjectView {
    /// Its id.
    pub id: ProjectId,
    /// The workspace that it is in.
    pub workspace_id: WorkspaceId,
    /// What it is called.
    pub name: String,
    /// When it was created.
    pub created_at: Timestamp,
}

impl From<Project> for ProjectView {
    fn from(project: Project) -> Self {
        Self {
            id: project.id,
            workspace_id: project.workspace,
            name: project.name.as_str().to_owned(),
            created_at: project.created_at,
        }
    }
}
