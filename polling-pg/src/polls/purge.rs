//! Removing what deleted polls leave behind, in bounded steps.

use tracing::debug_span;
use uuid::Uuid;

use crate::PgStore;
use crate::columns::{self, first};
use crate::error::Failure;

pub(super) const NEXT: &str = "\
-- polls.purge_next
SELECT id, manage_token IS NULL FROM {schema}.polls
WHERE deleted_at IS NOT NULL AND NOT purged
ORDER BY id LIMIT 1";

/// From the last voter on whose ballot was removed, so that no step walks over what earlier ones removed. Rows
/// that another server is removing are left to it.
pub(super) const VOTES: &str = "\
-- polls.purge_votes
WITH gone AS (
    DELETE FROM {schema}.votes
    WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM {schema}.votes WHERE poll = $1 AND voter >= $3 ORDER BY voter LIMIT $2 FOR UPDATE SKIP LOCKED))
    RETURNING voter
)
SELECT count(*), (SELECT voter FROM gone ORDER BY voter DESC LIMIT 1) FROM gone";

pub(super) const SUPERSEDED: &str = "\
-- polls.purge_superseded
WITH gone AS (
    DELETE FROM {schema}.superseded_ballots
    WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM {schema}.superseded_ballots WHERE poll = $1 LIMIT $2 FOR UPDATE SKIP LOCKED))
    RETURNING 1
)
SELECT count(*) FROM gone";

pub(super) const OPTIONS: &str = "\
-- polls.purge_options
WITH gone AS (
    DELETE FROM {schema}.poll_options
    WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM {schema}.poll_options WHERE poll = $1 LIMIT $2 FOR UPDATE SKIP LOCKED))
    RETURNING 1
)
SELECT count(*) FROM gone";

pub(super) const VOTE_TOKENS: &str = "\
-- polls.purge_vote_tokens
WITH gone AS (
    DELETE FROM {schema}.vote_tokens
    WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM {schema}.vote_tokens WHERE poll = $1 LIMIT $2 FOR UPDATE SKIP LOCKED))
    RETURNING 1
)
SELECT count(*) FROM gone";

/// After the last token: what is limited to no row leaves it.
pub(super) const VOTE_TOKEN_COUNTS: &str = "\
-- polls.purge_vote_token_counts
WITH gone AS (
    DELETE FROM {schema}.vote_token_counts
    WHERE poll = $1 AND $2::bigint > 0 AND NOT EXISTS (SELECT 1 FROM {schema}.vote_tokens WHERE poll = $1)
    RETURNING 1
)
SELECT count(*) FROM gone";

/// Not while there is anything left of it, as another server may be about to remove: that one comes to its end, or does
/// not, and then the rows are found again.
macro_rules! nothing_is_left {
    () => {
        "NOT EXISTS (SELECT 1 FROM {schema}.votes WHERE poll = $1)
    AND NOT EXISTS (SELECT 1 FROM {schema}.superseded_ballots WHERE poll = $1)
    AND NOT EXISTS (SELECT 1 FROM {schema}.poll_options WHERE poll = $1)
    AND NOT EXISTS (SELECT 1 FROM {schema}.vote_tokens WHERE poll = $1)
    AND NOT EXISTS (SELECT 1 FROM {schema}.vote_token_counts WHERE poll = $1)
RETURNING 1"
    };
}

pub(super) const TOMBSTONE: &str = concat!(
    "-- polls.purge_tombstone
DELETE FROM {schema}.polls WHERE id = $1 AND ",
    nothing_is_left!()
);

/// The tombstone that a manage token needs stays, and is not looked at again.
pub(super) const KEEP_TOMBSTONE: &str = concat!(
    "-- polls.purge_keep_tombstone
UPDATE {schema}.polls SET purged = true WHERE id = $1 AND NOT purged AND ",
    nothing_is_left!()
);

/// Removes at most `rows` rows, and says whether more are left. Each statement is a transaction of its own.
pub(super) async fn purge(store: &PgStore, rows: usize) -> Result<bool, Failure> {
    let sql = &store.sql().polls;
    let mut left = rows;
    while let Some((poll, is_nameless)) = next(store).await? {
        left -= purge_votes(store, poll, left).await?;
        for sql in [
            &sql.purge_superseded,
            &sql.purge_options,
            &sql.purge_vote_tokens,
            &sql.purge_vote_token_counts,
        ] {
            let limit = columns::limit(left);
            let gone = store
                .database()
                .write(span(), sql, &[&poll, &limit])
                .await?;
            left -= number(&gone).min(left);
        }
        if left == 0 {
            return Ok(true);
        }
        let last = if is_nameless {
            &sql.purge_tombstone
        } else {
            &sql.purge_keep_tombstone
        };
        let done = store.database().write(span(), last, &[&poll]).await?;
        if done.is_empty() {
            return Ok(true);
        }
        left -= 1;
    }
    Ok(false)
}

/// Rows that one statement removes: few enough that it comes to its end in time on a slow disk.
const VOTES_AT_ONCE: usize = 1_000;

/// Goes on where the last call has stopped: what was removed is walked over again as long as any session still sees it.
async fn purge_votes(store: &PgStore, poll: Uuid, rows: usize) -> Result<usize, Failure> {
    let (walked, voter) = *store.purged_up_to();
    let mut last = if walked == poll { voter } else { Uuid::nil() };
    let mut gone = 0;
    while gone < rows {
        let limit = columns::limit(VOTES_AT_ONCE.min(rows - gone));
        let sql = &store.sql().polls.purge_votes;
        let removed = store
            .database()
            .write(span(), sql, &[&poll, &limit, &last])
            .await?;
        let voter = first(&removed, |row| Ok(row.try_get(1)?))?;
        let Some(voter) = voter.flatten() else {
            // At the end; what another server had taken in hand, and left, is found from the beginning.
            last = Uuid::nil();
            break;
        };
        gone += number(&removed);
        last = voter;
    }
    *store.purged_up_to() = (poll, last);
    Ok(gone)
}

fn span() -> tracing::Span {
    debug_span!("db.polls.purge")
}

/// The number in the first row.
fn number(rows: &[tokio_postgres::Row]) -> usize {
    let number: i64 = rows.first().map_or(0, |row| row.get(0));
    usize::try_from(number).unwrap_or(0)
}

async fn next(store: &PgStore) -> Result<Option<(Uuid, bool)>, Failure> {
    let sql = &store.sql().polls.purge_next;
    let rows = store.database().read(span(), sql, &[]).await?;
    first(&rows, |row| Ok((row.try_get(0)?, row.try_get(1)?)))
}
