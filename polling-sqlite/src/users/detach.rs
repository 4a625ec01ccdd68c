//! Detaching the ballots of deleted users, poll by poll, in the order of the polls' keys.

use polling_core::votes::VoterKey;
use polling_core::{Timestamp, UserId};
use rusqlite::{OptionalExtension, Transaction, params};

use crate::columns::limit;

const NEXT: &str = "\
-- users.next_to_detach
SELECT id, detached_to FROM users WHERE deleted_at < ?1 ORDER BY deleted_at LIMIT 1";

const POLLS: &str = "\
-- users.detach_polls
SELECT key FROM polls WHERE key > ?1 ORDER BY key LIMIT ?2";

const VOTE: &str = "\
-- users.detach_vote
UPDATE votes SET voter = ?3 WHERE poll = ?1 AND voter = ?2";

const SUPERSEDED: &str = "\
-- users.detach_superseded
UPDATE superseded_ballots SET voter = ?3 WHERE poll = ?1 AND voter = ?2";

const PROGRESS: &str = "\
-- users.detached_to
UPDATE users SET detached_to = ?2 WHERE id = ?1";

const GONE: &str = "\
-- users.detached
DELETE FROM users WHERE id = ?1";

/// Who comes next, and the last poll that was looked through for them.
pub(super) fn next(
    tx: &Transaction<'_>,
    deleted_before: Timestamp,
) -> rusqlite::Result<Option<(UserId, i64)>> {
    tx.prepare_cached(NEXT)?
        .query_row([deleted_before.as_millis()], |row| {
            Ok((UserId::from_bytes(row.get(0)?), row.get(1)?))
        })
        .optional()
}

/// Looks through the next polls, at most one for each of `voters`; returns whether more may be left.
pub(super) fn detach(
    tx: &Transaction<'_>,
    deleted_before: Timestamp,
    voters: &[VoterKey],
) -> rusqlite::Result<bool> {
    let Some((user, from)) = next(tx, deleted_before)? else {
        return Ok(false);
    };
    let mut polls = tx.prepare_cached(POLLS)?;
    let polls = polls.query_map([from, limit(voters.len())], |row| row.get(0))?;
    let polls: Vec<i64> = polls.collect::<rusqlite::Result<_>>()?;
    // A user's key as a voter is their id, which is the key of nobody else.
    for (poll, nobody) in polls.iter().zip(voters) {
        let values = params![poll, user.as_bytes(), nobody.as_bytes()];
        if tx.prepare_cached(VOTE)?.execute(values)? > 0 {
            tx.prepare_cached(SUPERSEDED)?.execute(values)?;
        }
    }
    match polls.last() {
        Some(last) if polls.len() == voters.len() => {
            let values = params![user.as_bytes(), last];
            tx.prepare_cached(PROGRESS)?.execute(values)?;
        }
        _ => {
            tx.prepare_cached(GONE)?.execute([user.as_bytes()])?;
        }
    }
    Ok(true)
}
