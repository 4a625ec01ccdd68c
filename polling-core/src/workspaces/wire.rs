//! The JSON that workspaces are asked for in.

use serde::Deserialize;

use super::model::WorkspaceRole;
use crate::UserId;

/// A workspace as somebody asks for it: raw input, and the JSON body of `POST /workspaces`.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct NewWorkspace {
    /// What it is called: 1 to 100 characters.
    pub name: String,
    /// Its first owner, where the application itself creates it; users own what they create.
    #[serde(skip)]
    pub owner: Option<UserId>,
}

impl NewWorkspace {
    /// A workspace with this name.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            owner: None,
        }
    }

    /// Owned by this user, where the application itself creates it.
    #[must_use]
    pub const fn owned_by(mut self, owner: UserId) -> Self {
        self.owner = Some(owner);
        self
    }
}

/// A change to a workspace: the JSON body of `PATCH /workspaces/{id}`.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct WorkspacePatch {
    /// Another name: 1 to 100 characters.
    pub name: String,
}

impl WorkspacePatch {
    /// Another name.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }
}

/// What a member shall be: the JSON body of `PATCH /workspaces/{id}/members/{user_id}`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct NewRole {
    /// The role.
    pub role: WorkspaceRole,
}

impl NewRole {
    /// This role.
    #[must_use]
    pub const fn of(role: WorkspaceRole) -> Self {
        Self { role }
    }
}

/// Somebody to be invited: the JSON body of `POST /workspaces/{id}/invitations`.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct NewInvitation {
    /// Their e-mail address.
    #[cfg_attr(feature = "openapi", schema(format = "email", min_length = 3))]
    pub email: String,
    /// What they would be.
    pub role: WorkspaceRole,
}

impl NewInvitation {
    /// An invitation of this address.
    pub fn of(email: impl Into<String>, role: WorkspaceRole) -> Self {
        Self {
            email: email.into(),
            role,
        }
    }
}

impl std::fmt::Debug for NewInvitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewInvitation")
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// A project as somebody asks for it: the JSON body of `POST /workspaces/{id}/projects`.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct NewProject {
    /// What it is called: 1 to 100 characters.
    pub name: String,
}

impl NewProject {
    /// A project with this name.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }
}

/// A change to a project: the JSON body of `PATCH /workspaces/{id}/projects/{project_id}`.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct ProjectPatch {
    /// Another name: 1 to 100 characters.
    pub name: String,
}

impl ProjectPatch {
    /// Another name.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }
}
