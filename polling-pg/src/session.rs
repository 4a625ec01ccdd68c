//! What every connection of ours is set to.

use std::time::Duration;

use tokio_postgres::Client;

use crate::OpenError;

/// A commit is on disk when it returns, and on the standbys where the server says so. Isolation is READ COMMITTED, on
/// which the gate is built. Statements, locks and sessions that nobody waits for any more come to an end by themselves.
/// Every statement of ours looks rows up by their keys: a plan that was made while a table was empty must not read the
/// whole of it for ever. And none is worth being compiled, which takes longer than any of them.
const PREPARE: &str = "\
-- session.prepare
SELECT
    set_config('synchronous_commit',
        CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false),
    set_config('default_transaction_isolation', 'read committed', false),
    set_config('default_transaction_read_only', 'off', false),
    set_config('statement_timeout', $1, false),
    set_config('lock_timeout', $1, false),
    set_config('idle_in_transaction_session_timeout', $1, false),
    set_config('client_connection_check_interval', $1, false),
    set_config('enable_seqscan', 'off', false),
    set_config('enable_hashjoin', 'off', false),
    set_config('enable_mergejoin', 'off', false),
    set_config('jit', 'off', false)";

const DURABILITY: &str = "\
-- session.durability
SELECT current_setting('synchronous_commit'), current_setting('default_transaction_isolation')";

/// Sets up a connection that is ours alone.
pub(crate) async fn prepare(
    client: &Client,
    statement_timeout: Duration,
) -> Result<(), tokio_postgres::Error> {
    let timeout = format!("{}ms", statement_timeout.as_millis());
    client.query(PREPARE, &[&timeout]).await.map(drop)
}

/// Refuses a connection that belongs to somebody else, and whose commits are not what a vote needs.
pub(crate) async fn check(client: &Client) -> Result<(), OpenError> {
    let row = client.query_one(DURABILITY, &[]).await;
    let row = row.map_err(|error| OpenError::Database(error.into()))?;
    let (commit, isolation): (String, String) = (row.get(0), row.get(1));
    if !matches!(commit.as_str(), "on" | "remote_apply") {
        return Err(OpenError::Pool {
            setting: "synchronous_commit",
            found: commit,
            needed: "on",
        });
    }
    if isolation != "read committed" {
        return Err(OpenError::Pool {
            setting: "default_transaction_isolation",
            found: isolation,
            needed: "read committed",
        });
    }
    Ok(())
}
