//! Reading and writing the rows of `poll_tallies`, the gate.

use polling_core::PollId;
use polling_core::results::Tally;
use rusqlite::{OptionalExtension, Row, Transaction, params};

use crate::columns::{
    counts, counts_to_bytes, millis, show_results, signed, status, unsigned, window,
};

const GATE: &str = "\
-- results.gate
SELECT p.key, p.allow_change, t.status, t.opens_at, t.closes_at, t.show_results, t.revision, t.ballots, t.counts
FROM polls p
JOIN poll_tallies t ON t.poll = p.key
WHERE p.id = ?1";

const UPDATE: &str = "\
-- results.update
UPDATE poll_tallies
SET status = ?2, opens_at = ?3, closes_at = ?4, show_results = ?5, revision = ?6, ballots = ?7, counts = ?8
WHERE poll = ?1";

/// What votes change of a tally whose poll stays as it is. Without a column that an index knows: else SQLite builds a table
/// of its own for each update.
const COUNT: &str = "\
-- results.count
UPDATE poll_tallies SET revision = ?2, ballots = ?3, counts = ?4 WHERE poll = ?1";

/// What decides over a ballot.
#[derive(Debug)]
pub(crate) struct Gate {
    /// The poll inside this database.
    pub(crate) key: i64,
    pub(crate) allow_change: bool,
    pub(crate) tally: Tally,
}

/// The gate of a poll; `None` where there is no such poll.
pub(crate) fn gate(tx: &Transaction<'_>, id: PollId) -> rusqlite::Result<Option<Gate>> {
    let mut select = tx.prepare_cached(GATE)?;
    let gate = select.query_row([id.as_bytes()], |row| {
        Ok(Gate {
            key: row.get(0)?,
            allow_change: row.get(1)?,
            tally: tally_at(row, 2, id)?,
        })
    });
    gate.optional()
}

/// The tally in seven columns, from `column` on.
pub(crate) fn tally_at(row: &Row<'_>, column: usize, poll_id: PollId) -> rusqlite::Result<Tally> {
    Ok(Tally {
        poll_id,
        status: status(row, column)?,
        window: window(row, column + 1)?,
        show_results: show_results(row, column + 3)?,
        revision: unsigned(row, column + 4)?,
        ballots: unsigned(row, column + 5)?,
        counts: counts(row, column + 6)?,
    })
}

/// Writes a tally where the one before it was read, in the same transaction.
pub(crate) fn update_tally(tx: &Transaction<'_>, key: i64, tally: &Tally) -> rusqlite::Result<()> {
    tx.prepare_cached(UPDATE)?.execute(params![
        key,
        tally.status.as_str(),
        millis(tally.window.opens_at),
        millis(tally.window.closes_at),
        tally.show_results.as_str(),
        signed(tally.revision),
        signed(tally.ballots),
        counts_to_bytes(&tally.counts),
    ])?;
    Ok(())
}

/// Writes the revision and the counters of a tally of which nothing else has changed.
pub(crate) fn count_tally(tx: &Transaction<'_>, key: i64, tally: &Tally) -> rusqlite::Result<()> {
    tx.prepare_cached(COUNT)?.execute(params![
        key,
        signed(tally.revision),
        signed(tally.ballots),
        counts_to_bytes(&tally.counts),
    ])?;
    Ok(())
}
