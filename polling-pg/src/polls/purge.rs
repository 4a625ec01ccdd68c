//! Removing what deleted polls leave behind, in bounded steps.

use tracing::debug_span;
use uuid::Uuid;

use crate::PgStore;
use crate::columns::{self, Read};
use crate::error::Failure;

pub(super) const NEXT: &str = "\
-- polls.purge_next
SELECT id, manage_token IS NULL FROM {schema}.polls
WHERE deleted_at IS NOT NULL AND NOT purged
ORDER BY id LIMIT 1";

pub(super) const VOTES: &str = "\
-- polls.purge_votes
WITH gone AS (
    DELETE FROM {schema}.votes
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM {schema}.votes WHERE poll = $1 LIMIT $2))
    RETURNING 1
)
SELECT count(*) FROM gone";

pub(super) const SUPERSEDED: &str = "\
-- polls.purge_superseded
WITH gone AS (
    DELETE FROM {schema}.superseded_ballots
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM {schema}.superseded_ballots WHERE poll = $1 LIMIT $2))
    RETURNING 1
)
SELECT count(*) FROM gone";

pub(super) const OPTIONS: &str = "\
-- polls.purge_options
WITH gone AS (
    DELETE FROM {schema}.poll_options
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM {schema}.poll_options WHERE poll = $1 LIMIT $2))
    RETURNING 1
)
SELECT count(*) FROM gone";

pub(super) const TOMBSTONE: &str = "\
-- polls.purge_tombstone
DELETE FROM {schema}.polls WHERE id = $1";

/// The tombstone that a manage token needs stays, and is not looked at again.
pub(super) const KEEP_TOMBSTONE: &str = "\
-- polls.purge_keep_tombstone
UPDATE {schema}.polls SET purged = true WHERE id = $1";

/// Removes at most `rows` rows, and says whether more are left. Each statement is a transaction of its own: a deleted
/// poll takes no rows any more, so that nothing can come between them, and servers that purge at once do the same work
/// twice at worst.
pub(super) async fn purge(store: &PgStore, rows: usize) -> Result<bool, Failure> {
    let span = || debug_span!("db.polls.purge");
    let sql = &store.sql().polls;
    let mut left = rows;
    while let Some((poll, is_nameless)) = next(store).await? {
        for sql in [&sql.purge_votes, &sql.purge_superseded, &sql.purge_options] {
            let limit = columns::limit(left);
            let gone = store
                .database()
                .write(span(), sql, &[&poll, &limit])
                .await?;
            let gone: i64 = gone.first().map_or(0, |row| row.get(0));
            left -= usize::try_from(gone).unwrap_or(0).min(left);
        }
        if left == 0 {
            return Ok(true);
        }
        let last = if is_nameless {
            &sql.purge_tombstone
        } else {
            &sql.purge_keep_tombstone
        };
        store.database().write(span(), last, &[&poll]).await?;
        left -= 1;
    }
    Ok(false)
}

async fn next(store: &PgStore) -> Result<Option<(Uuid, bool)>, Failure> {
    let sql = &store.sql().polls.purge_next;
    let rows = store
        .database()
        .read(debug_span!("db.polls.purge"), sql, &[])
        .await?;
    let next = rows
        .first()
        .map(|row| -> Read<_> { Ok((row.try_get(0)?, row.try_get(1)?)) });
    next.transpose().map_err(Failure::Row)
}
