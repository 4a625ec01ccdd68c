//! What can go wrong with polls.

use crate::limits::{LimitError, RateLimited, Standing};
use crate::results::ResultsError;
use crate::{Code, Fault, FieldError, StoreError};

/// Why a use case of the polls did nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PollError {
    /// The input breaks rules; each field says which.
    #[error("the poll is not valid")]
    Invalid(Vec<FieldError>),
    /// No such poll, or it is hidden from the one who asks.
    #[error("there is no such poll")]
    NotFound,
    /// No such project, or the one who asks is no member of its workspace.
    #[error("there is no such project")]
    ProjectNotFound,
    /// Managing a poll needs a credential.
    #[error("this needs an access token, or the poll's manage token")]
    Unauthorized,
    /// This server lets only who is signed in create polls.
    #[error("creating a poll needs an account on this server: sign in")]
    AccountNeeded,
    /// Only the poll's managers may do this.
    #[error("only who manages the poll, or the polls of its project, may do this")]
    Forbidden,
    /// The poll must be published first.
    #[error("the poll is a draft: publish it first")]
    Draft,
    /// These fields are fixed since the poll was published.
    #[error("this is fixed since the poll was published")]
    Fixed(Vec<FieldError>),
    /// The poll is over; only what describes it can change.
    #[error("the poll is closed")]
    Closed(Vec<FieldError>),
    /// Another edit came first: read the poll again.
    #[error("the poll was changed meanwhile: it is at version {current}")]
    VersionConflict {
        /// The version that is current.
        current: u64,
    },
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

impl Fault for PollError {
    fn code(&self) -> Code {
        match self {
            PollError::Invalid(_) => Code::Invalid,
            PollError::NotFound => Code::PollNotFound,
            PollError::ProjectNotFound => Code::ProjectNotFound,
            PollError::Unauthorized | PollError::AccountNeeded => Code::Unauthorized,
            PollError::Forbidden => Code::Forbidden,
            PollError::Draft => Code::PollDraft,
            PollError::Fixed(_) => Code::OptionsFixed,
            PollError::Closed(_) => Code::PollClosed,
            PollError::VersionConflict { .. } => Code::VersionConflict,
            PollError::RateLimited(_) => Code::RateLimited,
            PollError::ShuttingDown => Code::Unavailable,
            PollError::Store(error) => error.code(),
        }
    }

    fn fields(&self) -> &[FieldError] {
        match self {
            PollError::Invalid(fields) | PollError::Fixed(fields) | PollError::Closed(fields) => {
                fields
            }
            _ => &[],
        }
    }

    fn standing(&self) -> Option<&Standing> {
        match self {
            PollError::RateLimited(limited) => Some(limited.standing()),
            _ => None,
        }
    }
}

impl From<LimitError> for PollError {
    fn from(error: LimitError) -> Self {
        match error {
            LimitError::Exceeded(limited) => limited.into(),
            LimitError::Store(error) => error.into(),
        }
    }
}

impl PollError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        Fault::code(self)
    }
}

/// Why somebody cannot look at a poll as the voter that they say to be.
impl From<ResultsError> for PollError {
    fn from(error: ResultsError) -> Self {
        match error {
            ResultsError::Invalid(fields) => PollError::Invalid(fields),
            ResultsError::Forbidden => PollError::Forbidden,
            ResultsError::Store(error) => PollError::Store(error),
            ResultsError::PollNotFound | ResultsError::Hidden => PollError::NotFound,
        }
    }
}
