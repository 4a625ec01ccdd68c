//! What can go wrong with results.

use crate::{Code, Fault, StoreError};

/// Why there are no results to see.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResultsError {
    /// No such poll, or it is hidden from the one who asks.
    #[error("there is no such poll")]
    PollNotFound,
    /// The viewer may not see the results, or not yet.
    #[error("the results of this poll are hidden from you, now at least")]
    Hidden,
    /// The viewer may not look with this voter's eyes.
    #[error("you may not speak for this voter")]
    Forbidden,
    /// Who the viewer says to be is no voter id.
    #[error("the viewer's voter id is not valid")]
    Invalid(Vec<crate::FieldError>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Fault for ResultsError {
    fn code(&self) -> Code {
        match self {
            ResultsError::PollNotFound => Code::PollNotFound,
            ResultsError::Hidden => Code::ResultsHidden,
            ResultsError::Forbidden => Code::Forbidden,
            ResultsError::Invalid(_) => Code::Invalid,
            ResultsError::Store(error) => error.code(),
        }
    }

    fn fields(&self) -> &[crate::FieldError] {
        match self {
            ResultsError::Invalid(fields) => fields,
            _ => &[],
        }
    }
}

impl ResultsError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        Fault::code(self)
    }
}
