//! What can go wrong with users.

use super::passwords::PasswordError;
use super::policy;
use crate::limits::{LimitError, RateLimited, Standing};
use crate::{Code, Fault, FeatureOff, FieldError, StoreError, WorkspaceId};

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
    /// The refresh token is unknown, spent or over.
    #[error("the refresh token is not valid, or not any more: sign in again")]
    RefreshRejected,
    /// Nobody is signed in, or somebody whose account is gone.
    #[error("this needs the access token of an account")]
    Unauthorized,
    /// The signed-in user gave another password than theirs.
    #[error("the current password is wrong")]
    WrongPassword,
    /// Only administrators may do this.
    #[error("only administrators may do this")]
    Forbidden,
    /// A workspace would have no owner any more.
    #[error("the account is the last owner of workspace {0}: hand it over, or delete it, first")]
    LastOwner(WorkspaceId),
    /// As many imports are running on this server as may.
    #[error("another import is running on this server: try again when it has ended")]
    ImportBusy,
    /// This server knows no such import, or not any more.
    #[error("there is no such import, or it is forgotten")]
    ImportNotFound,
    /// Too many passwords are waiting to be hashed, or too many links to be sent.
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
            UserError::ImportNotFound => Code::ImportNotFound,
            UserError::WrongCredentials | UserError::RefreshRejected | UserError::Unauthorized => {
                Code::Unauthorized
            }
            UserError::WrongPassword | UserError::Forbidden => Code::Forbidden,
            UserError::LastOwner(_) => Code::LastOwner,
            UserError::FeatureOff(_) => Code::FeatureOff,
            UserError::RateLimited(_) => Code::RateLimited,
            UserError::Overloaded | UserError::ImportBusy => Code::Overloaded,
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

    pub(super) fn field(error: FieldError) -> Self {
        UserError::Invalid(vec![error])
    }

    /// Why the new password of the field at `pointer` was not hashed.
    pub(super) fn unset(error: PasswordError, pointer: &str) -> Self {
        match error {
            PasswordError::Weak(advice) => Self::field(policy::weak(pointer, advice)),
            error => error.into(),
        }
    }
}

impl From<PasswordError> for UserError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Overloaded => UserError::Overloaded,
            PasswordError::Failed | PasswordError::Hash(_) | PasswordError::Weak(_) => {
                UserError::Store(StoreError::internal(error))
            }
        }
    }
}
