//! What an import is, and what becomes of its rows.

use serde::Serialize;

use crate::{FieldError, ImportId, Timestamp, UserId};

/// How rows are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportFormat {
    /// A table (RFC 4180), whose first row names the columns: `name`, `email`, and `password` where there are any.
    Csv,
    /// A JSON object on each line, with `name`, `email`, and perhaps `password`.
    JsonLines,
}

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowOutcome {
    /// It is an account now.
    Created(UserId),
    /// Its address had this account, which stays as it is.
    Existing(UserId),
    /// It breaks rules, and each field says which.
    Invalid(Vec<FieldError>),
}

/// Whether an import goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ImportState {
    /// Rows are being read.
    Running,
    /// Every row has its outcome.
    Done,
    /// It ended before its rows did. What is counted is written; the same rows can be sent again.
    Stopped,
}

/// How far an import has come: this is the JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct ImportProgress {
    /// Its id.
    pub id: ImportId,
    /// Whether it goes on.
    pub state: ImportState,
    /// Rows with an outcome.
    pub rows: u64,
    /// Those that became accounts.
    pub created: u64,
    /// Those whose address had an account.
    pub existing: u64,
    /// Those that broke rules.
    pub invalid: u64,
    /// When it began.
    pub started_at: Timestamp,
}

impl ImportProgress {
    /// An import that begins.
    pub(super) fn new(id: ImportId, started_at: Timestamp) -> Self {
        Self {
            id,
            state: ImportState::Running,
            rows: 0,
            created: 0,
            existing: 0,
            invalid: 0,
            started_at,
        }
    }

    /// Adds the outcomes of some rows.
    pub(super) fn count(&mut self, outcomes: &[RowOutcome]) {
        self.rows += outcomes.len() as u64;
        for outcome in outcomes {
            *match outcome {
                RowOutcome::Created(_) => &mut self.created,
                RowOutcome::Existing(_) => &mut self.existing,
                RowOutcome::Invalid(_) => &mut self.invalid,
            } += 1;
        }
    }
}
