//! What is said to whom asks too often.

use super::model::Standing;
use crate::{Code, Fault, StoreError};

/// Somebody asked for more than a limit lets them: nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this was asked for too often: try again in {} s", .0.retry_after_seconds())]
pub struct RateLimited(Box<Standing>);

impl RateLimited {
    pub(super) fn new(standing: Standing) -> Self {
        Self(Box::new(standing))
    }

    /// Which limit, and when to try again.
    #[must_use]
    pub fn standing(&self) -> &Standing {
        &self.0
    }
}

impl Fault for RateLimited {
    fn code(&self) -> Code {
        Code::RateLimited
    }

    fn standing(&self) -> Option<&Standing> {
        Some(&self.0)
    }
}

/// Why something was not let through; every room's errors have both.
#[derive(Debug)]
pub(crate) enum LimitError {
    Exceeded(RateLimited),
    Store(StoreError),
}

impl From<StoreError> for LimitError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
