//! What can go wrong with vote tokens.

use crate::limits::Standing;
use crate::polls::PollError;
use crate::{Code, Fault, FieldError, StoreError};

/// Why a use case of the vote tokens did nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VoteTokenError {
    /// The poll is not there, or not the actor's to manage, or closed; or the store failed.
    #[error(transparent)]
    Poll(#[from] PollError),
    /// The input breaks rules; each field says which.
    #[error("the request is not valid")]
    Invalid(Vec<FieldError>),
    /// The poll is for voters of another kind.
    #[error("this poll is not for the holders of tokens: its voters must be tokens")]
    NotForTokens,
    /// As many large jobs as may be are going on already: come again.
    #[error("too many large jobs are waiting: try again soon")]
    Overloaded,
}

impl From<StoreError> for VoteTokenError {
    fn from(error: StoreError) -> Self {
        Self::Poll(error.into())
    }
}

impl Fault for VoteTokenError {
    fn code(&self) -> Code {
        match self {
            VoteTokenError::Poll(error) => error.code(),
            VoteTokenError::Invalid(_) => Code::Invalid,
            VoteTokenError::NotForTokens => Code::PollNotForTokens,
            VoteTokenError::Overloaded => Code::Overloaded,
        }
    }

    fn fields(&self) -> &[FieldError] {
        match self {
            VoteTokenError::Poll(error) => error.fields(),
            VoteTokenError::Invalid(fields) => fields,
            VoteTokenError::NotForTokens | VoteTokenError::Overloaded => &[],
        }
    }

    fn standing(&self) -> Option<&Standing> {
        match self {
            VoteTokenError::Poll(error) => error.standing(),
            _ => None,
        }
    }
}

impl VoteTokenError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        Fault::code(self)
    }

    pub(super) fn invalid(pointer: &str, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::invalid(pointer, detail)])
    }
}
