//! The types of a workspace. Whatever is of one of these types is valid.

use serde::{Deserialize, Serialize};

use crate::text::text;
use crate::users::Email;
use crate::{InvitationId, ProjectId, Timestamp, UserId, WorkspaceId};

text! {
    /// What a workspace is called.
    WorkspaceName, lines: false
}
text! {
    /// What a project is called.
    ProjectName, lines: false
}

/// Characters of a name, at most.
#[cfg(feature = "accounts")]
pub(super) const NAME_CHARS: usize = 100;

/// What somebody is in a workspace. What each may do stands in the one table of the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum WorkspaceRole {
    /// May do everything. A workspace always has one at least.
    Owner,
    /// May also create and manage projects and their polls.
    Collaborator,
    /// May look at what is there.
    Viewer,
}

impl WorkspaceRole {
    /// All of them.
    pub const ALL: [WorkspaceRole; 3] = [
        WorkspaceRole::Owner,
        WorkspaceRole::Collaborator,
        WorkspaceRole::Viewer,
    ];

    /// The word as it stands in JSON and in stores.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            WorkspaceRole::Owner => "owner",
            WorkspaceRole::Collaborator => "collaborator",
            WorkspaceRole::Viewer => "viewer",
        }
    }

    /// What this word means in JSON and in stores; `None` for any other.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// A workspace, without its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// Its public id.
    pub id: WorkspaceId,
    /// What it is called.
    pub name: WorkspaceName,
    /// When it was created.
    pub created_at: Timestamp,
}

/// Somebody in a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The user. An application that signs people in by itself has its users elsewhere.
    pub user: UserId,
    /// What they are there.
    pub role: WorkspaceRole,
    /// Since when they are in.
    pub joined_at: Timestamp,
}

/// Somebody is asked to join. A workspace has one invitation for each e-mail address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Its id, which only the owners and the address know: what lets somebody answer it.
    pub id: InvitationId,
    /// Where to.
    pub workspace: WorkspaceId,
    /// What that is called now.
    pub workspace_name: WorkspaceName,
    /// Who: whoever has the account of this address when it is answered.
    pub email: Email,
    /// What they would be there.
    pub role: WorkspaceRole,
    /// When it was made.
    pub created_at: Timestamp,
    /// The first moment that is too late to accept.
    pub expires_at: Timestamp,
}

/// Polls that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Its public id.
    pub id: ProjectId,
    /// The workspace that it is in, for good.
    pub workspace: WorkspaceId,
    /// What it is called.
    pub name: ProjectName,
    /// When it was created.
    pub created_at: Timestamp,
}
