//! What can go wrong with workspaces.

use crate::limits::{LimitError, RateLimited, Standing};
use crate::polls::PollError;
use crate::{Code, Fault, FieldError, StoreError};

/// Why a use case of the workspaces did nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkspaceError {
    /// The input breaks rules; each field says which.
    #[error("what was sent is not valid")]
    Invalid(Vec<FieldError>),
    /// Workspaces are for signed-in users.
    #[error("workspaces need an access token")]
    Unauthorized,
    /// The role of the one who asks does not allow it.
    #[error("your role in this workspace does not allow this")]
    Forbidden,
    /// No such workspace, or the one who asks is no member.
    #[error("there is no such workspace")]
    NotFound,
    /// No such member.
    #[error("the workspace has no such member")]
    MemberNotFound,
    /// No such invitation, or it is somebody else's, or over.
    #[error("there is no such invitation")]
    InvitationNotFound,
    /// No such project in this workspace.
    #[error("the workspace has no such project")]
    ProjectNotFound,
    /// The workspace would have no owner any more.
    #[error("a workspace keeps at least one owner: make somebody else one first")]
    LastOwner,
    /// There are as many as there may be.
    #[error("there may be no more {0}")]
    LimitReached(&'static str),
    /// This was asked for too often.
    #[error(transparent)]
    RateLimited(#[from] RateLimited),
    /// The engine is shutting down.
    #[error("the engine is shutting down")]
    ShuttingDown,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Fault for WorkspaceError {
    fn code(&self) -> Code {
        match self {
            WorkspaceError::Invalid(_) => Code::Invalid,
            WorkspaceError::Unauthorized => Code::Unauthorized,
            WorkspaceError::Forbidden => Code::Forbidden,
            WorkspaceError::NotFound => Code::WorkspaceNotFound,
            WorkspaceError::MemberNotFound => Code::MemberNotFound,
            WorkspaceError::InvitationNotFound => Code::InvitationNotFound,
            WorkspaceError::ProjectNotFound => Code::ProjectNotFound,
            WorkspaceError::LastOwner => Code::LastOwner,
            WorkspaceError::LimitReached(_) => Code::LimitReached,
            WorkspaceError::RateLimited(_) => Code::RateLimited,
            WorkspaceError::ShuttingDown => Code::Unavailable,
            WorkspaceError::Store(error) => error.code(),
        }
    }

    fn fields(&self) -> &[FieldError] {
        match self {
            WorkspaceError::Invalid(fields) => fields,
            _ => &[],
        }
    }

    fn standing(&self) -> Option<&Standing> {
        match self {
            WorkspaceError::RateLimited(limited) => Some(limited.standing()),
            _ => None,
        }
    }
}

impl From<LimitError> for WorkspaceError {
    fn from(error: LimitError) -> Self {
        match error {
            LimitError::Exceeded(limited) => limited.into(),
            LimitError::Store(error) => error.into(),
        }
    }
}

impl WorkspaceError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        Fault::code(self)
    }

    /// Why a poll of it was not deleted; `None` where it is gone, which is what was wanted.
    pub(super) fn of_a_poll(error: PollError) -> Option<Self> {
        match error {
            PollError::NotFound => None,
            PollError::ShuttingDown => Some(Self::ShuttingDown),
            PollError::Store(error) => Some(Self::Store(error)),
            other => Some(Self::Store(StoreError::internal(other))),
        }
    }
}
