//! What can go wrong with users.

use super::passwords::PasswordError;
use crate::limits::{LimitError, RateLimited, Standing};
use crate::{Code, Fault, FeatureOff, FieldError, StoreError};

/// Why a use case of the users did nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UserError {
    /// The input breaks rules; each field says which.
    #[error("the user is not valid")]
    Invalid(Vec<FieldError>),
    /// The e-mail address has an account.
    #[error("this e-mail address has an account already")]
    EmailTaken,
    /// No such user.
    #[error("there is no such user")]
    NotFound,
    /// The e-mail address or the password is wrong; which one is not said.
    #[error("the e-mail address or the password is wrong")]
    WrongCredentials,
    /// The server lets nobody do this.
    #[error(transparent)]
    FeatureOff(#[from] FeatureOff),
    /// This was asked for too often.
    #[error(transparent)]
    RateLimited(#[from] RateLimited),
    /// Too many passwords are waiting to be hashed.
    #[error("too many people sign in at the moment: try again soon")]
    Overloaded,
    /// The engine is shutting down.
    #[error("the engine is shutting down")]
    ShuttingDown,
    /// The store failed, or a computation that never should.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Fault for UserError {
    fn code(&self) -> Code {
        match self {
            UserError::Invalid(_) => Code::Invalid,
            UserError::EmailTaken => Code::EmailTaken,
            UserError::NotFound => Code::UserNotFound,
            UserError::WrongCredentials => Code::Unauthorized,
            UserError::FeatureOff(_) => Code::FeatureOff,
            UserError::RateLimited(_) => Code::RateLimited,
            UserError::Overloaded => Code::Overloaded,
            UserError::ShuttingDown => Code::Unavailable,
            UserError::Store(error) => error.code(),
        }
    }

    fn fields(&self) -> &[FieldError] {
        match self {
            UserError::Invalid(fields) => fields,
            _ => &[],
        }
    }

    fn standing(&self) -> Option<&Standing> {
        match self {
            UserError::RateLimited(limited) => Some(limited.standing()),
            _ => None,
        }
    }
}

impl From<LimitError> for UserError {
    fn from(error: LimitError) -> Self {
        match error {
            LimitError::Exceeded(limited) => limited.into(),
            LimitError::Store(error) => error.into(),
        }
    }
}

impl UserError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        Fault::code(self)
    }
}

impl From<PasswordError> for UserError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Overloaded => UserError::Overloaded,
            PasswordError::Failed => UserError::Store(StoreError::internal(error)),
        }
    }
}
