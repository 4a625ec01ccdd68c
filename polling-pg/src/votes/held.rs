//! What a writer does where somebody else holds what its batch needs: it finds out whose gates are held, so that only those
//! polls have to wait, and ends sessions of other servers that hold something and do not go on.

use std::time::Duration;

use deadpool_postgres::ClientWrapper;
use polling_core::{PollId, log_each_second};
use uuid::Uuid;

use super::VoteStatements;
use crate::columns::each;
use crate::database::query;
use crate::error::Failure;

/// How long this session waits for a lock, and how long its transactions may wait for their client.
pub(super) const SET_WAITS: &str = "\
-- votes.set_waits
SELECT set_config('lock_timeout', $1, false), set_config('idle_in_transaction_session_timeout', $2, false)";

/// Those of some gates that somebody holds. It waits for nobody, so that the order of the gates does not matter.
pub(super) const HELD: &str = "\
-- votes.held
WITH free AS (
    SELECT t.poll FROM {schema}.poll_tallies t WHERE t.poll = ANY($1) FOR NO KEY UPDATE SKIP LOCKED
)
SELECT t.poll FROM {schema}.poll_tallies t
WHERE t.poll = ANY($1) AND NOT EXISTS (SELECT 1 FROM free WHERE free.poll = t.poll)";

/// Waits in the queue for a gate, with nothing in its hands, and lets go of it at once.
pub(super) const WAIT: &str = "\
-- votes.wait
SELECT 1 FROM {schema}.poll_tallies WHERE poll = $1 FOR NO KEY UPDATE";

/// Ends sessions that have written ballots, and for too long have sent nothing of what comes next: their server was stopped,
/// or is cut off. No time-out of PostgreSQL does that in the middle of a COPY.
///
/// They are ours: of the same user and database, with locks on this schema's ballots, and a statement of ours as their last.
pub(super) const END_FROZEN: &str = "\
-- votes.end_frozen
SELECT a.pid
FROM pg_stat_activity a
WHERE a.datname = current_database() AND a.usename = current_user AND a.pid <> pg_backend_pid()
    AND a.backend_type = 'client backend' AND a.query LIKE '-- votes.%'
    AND a.xact_start IS NOT NULL AND a.wait_event_type = 'Client' AND a.wait_event = 'ClientRead'
    AND a.state_change < clock_timestamp() - make_interval(secs => $1)
    AND EXISTS (
        SELECT 1 FROM pg_locks l
        WHERE l.pid = a.pid AND l.locktype = 'relation' AND l.granted
            AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
            AND l.relation = '{schema}.votes'::regclass)
    AND pg_terminate_backend(a.pid)";

/// Those of these polls whose gates are held.
pub(super) async fn held(
    client: &ClientWrapper,
    sql: &VoteStatements,
    polls: &[Uuid],
) -> Result<Vec<PollId>, Failure> {
    let rows = query(client, &sql.held, &[&polls]).await?;
    let poll = |row: &tokio_postgres::Row| {
        let poll: Uuid = row.try_get(0)?;
        Ok(PollId::from_bytes(poll.into_bytes()))
    };
    each(&rows, poll)
}

/// The same; where all of them are held, after one of them, which `turn` chooses, was waited for.
pub(super) async fn wait(
    client: &ClientWrapper,
    sql: &VoteStatements,
    polls: &[Uuid],
    turn: usize,
) -> Result<Vec<PollId>, Failure> {
    let are_held = held(client, sql, polls).await?;
    if are_held.is_empty() || are_held.len() < polls.len() {
        return Ok(are_held);
    }
    let poll = crate::columns::poll(are_held[turn % are_held.len()]);
    match query(client, &sql.wait, &[&poll]).await {
        Ok(_) => held(client, sql, polls).await,
        Err(failure) if failure.is_held_up() => Ok(are_held),
        Err(failure) => Err(failure),
    }
}

/// Ends the sessions that are frozen for so long.
pub(super) async fn end_frozen(
    client: &ClientWrapper,
    sql: &VoteStatements,
    frozen_for: Duration,
) -> Result<(), Failure> {
    let rows = query(client, &sql.end_frozen, &[&frozen_for.as_secs_f64()]).await?;
    let pid = |row: &tokio_postgres::Row| Ok(row.try_get::<_, i32>(0)?);
    for pid in each(&rows, pid)? {
        log_each_second!(
            warn,
            "a session of another server held ballots and did not go on: it was ended",
            pid,
            frozen_for = ?frozen_for
        );
    }
    Ok(())
}
