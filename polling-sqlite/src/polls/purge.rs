//! Removing what deleted polls leave behind, in bounded steps.

use rusqlite::{OptionalExtension, Transaction, params};

use super::rows::PollKey;
use crate::columns;

const NEXT: &str = "\
-- polls.purge_next
SELECT key, manage_token IS NULL FROM polls
WHERE deleted_at IS NOT NULL AND purged = 0
ORDER BY key LIMIT 1";

const VOTES: &str = "\
-- polls.purge_votes
DELETE FROM votes
WHERE poll = ?1 AND voter IN (SELECT voter FROM votes WHERE poll = ?1 LIMIT ?2)";

const SUPERSEDED: &str = "\
-- polls.purge_superseded
DELETE FROM superseded_ballots
WHERE poll = ?1
    AND (voter, ballot) IN (SELECT voter, ballot FROM superseded_ballots WHERE poll = ?1 LIMIT ?2)";

const OPTIONS: &str = "\
-- polls.purge_options
DELETE FROM poll_options
WHERE poll = ?1 AND position IN (SELECT position FROM poll_options WHERE poll = ?1 LIMIT ?2)";

const VOTE_TOKENS: &str = "\
-- polls.purge_vote_tokens
DELETE FROM vote_tokens
WHERE token IN (SELECT token FROM vote_tokens WHERE poll = ?1 LIMIT ?2)";

/// After the last token: what is limited to no row leaves it.
const VOTE_TOKEN_COUNTS: &str = "\
-- polls.purge_vote_token_counts
DELETE FROM vote_token_counts WHERE poll = ?1 AND ?2 > 0";

const TOMBSTONE: &str = "\
-- polls.purge_tombstone
DELETE FROM polls WHERE key = ?1";

/// The tombstone that a manage token needs stays, and is not looked at again.
const KEEP_TOMBSTONE: &str = "\
-- polls.purge_keep_tombstone
UPDATE polls SET purged = 1 WHERE key = ?1";

/// Removes at most `rows` rows, and says whether more are left.
pub(super) fn purge(tx: &Transaction<'_>, rows: usize) -> rusqlite::Result<bool> {
    let mut left = rows;
    while let Some((key, is_nameless)) = next(tx)? {
        for sql in [VOTES, SUPERSEDED, OPTIONS, VOTE_TOKENS, VOTE_TOKEN_COUNTS] {
            let limit = columns::limit(left);
            left -= tx.prepare_cached(sql)?.execute(params![key, limit])?;
        }
        if left == 0 {
            return Ok(true);
        }
        let last = if is_nameless {
            TOMBSTONE
        } else {
            KEEP_TOMBSTONE
        };
        left -= tx.prepare_cached(last)?.execute([key])?;
    }
    Ok(false)
}

fn next(tx: &Transaction<'_>) -> rusqlite::Result<Option<(PollKey, bool)>> {
    tx.prepare_cached(NEXT)?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}
