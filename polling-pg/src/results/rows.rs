//! Reading the rows of `poll_tallies`, the gate.

use polling_core::results::Tally;
use tokio_postgres::Row;

use crate::columns::{Read, counts, poll_id, show_results, status, unsigned, window};

/// The tally in eight columns, from `column` on: `poll, status, opens_at, closes_at, show_results, revision, ballots,
/// counts`.
pub(crate) fn tally_at(row: &Row, column: usize) -> Read<Tally> {
    Ok(Tally {
        poll_id: poll_id(row, column)?,
        status: status(row, column + 1)?,
        window: window(row, column + 2)?,
        show_results: show_results(row, column + 4)?,
        revision: unsigned(row, column + 5)?,
        ballots: unsigned(row, column + 6)?,
        counts: counts(row, column + 7)?,
    })
}
