//! What every connection of ours is set to.

use std::time::Duration;

use tokio_postgres::Client;
use tracing::debug;

use crate::OpenError;
use crate::database::Timeouts;

/// A commit is on disk when it returns, and on the standbys where the server says so. Isolation is READ COMMITTED, on
/// which the gate is built. Statements, locks and sessions that nobody waits for any more come to an end by themselves;
/// so does one whose client takes no answer, which no other timeout ends, and which may hold a gate.
///
/// Every statement of ours looks rows up by their keys: a plan that was made while a table was empty must not read the
/// whole of it for ever. And none is worth being planned anew, compiled or shared out, which takes longer than any of them.
///
/// Functions are PostgreSQL's own, whatever an application calls its own. What a version of PostgreSQL does not know is
/// passed over.
const PREPARE: &str = "\
-- session.prepare
SELECT set_config(known.name, wanted.value, false)
FROM (VALUES
    ('synchronous_commit',
        CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END),
    ('default_transaction_isolation', 'read committed'),
    ('default_transaction_read_only', 'off'),
    ('search_path', 'pg_catalog, pg_temp'),
    ('statement_timeout', $1),
    ('lock_timeout', $2),
    ('idle_in_transaction_session_timeout', $1),
    ('transaction_timeout', '0'),
    ('idle_session_timeout', '0'),
    ('tcp_user_timeout', $1),
    ('tcp_keepalives_idle', '30s'),
    ('tcp_keepalives_interval', '5s'),
    ('tcp_keepalives_count', '3'),
    ('enable_seqscan', 'off'),
    ('enable_hashjoin', 'off'),
    ('enable_mergejoin', 'off'),
    ('max_parallel_workers_per_gather', '0'),
    ('plan_cache_mode', 'force_generic_plan'),
    ('jit', 'off')
) AS wanted (name, value)
JOIN pg_settings known ON known.name = wanted.name";

/// Not every operating system can do it.
const CHECK_CLIENT: &str = "\
-- session.check_client
SELECT set_config('client_connection_check_interval', $1, false)";

const DURABILITY: &str = "\
-- session.durability
SELECT current_setting('synchronous_commit'), current_setting('default_transaction_isolation'),
    current_setting('transaction_read_only'), current_setting('server_version_num')::int / 10000";

/// The oldest server that the statements were written for.
const OLDEST: i32 = 14;

/// Sets up a connection that is ours alone.
pub(crate) async fn prepare(
    client: &Client,
    timeouts: Timeouts,
) -> Result<(), tokio_postgres::Error> {
    let millis = |timeout: Duration| format!("{}ms", timeout.as_millis());
    let timeout = millis(timeouts.statement);
    client
        .query(PREPARE, &[&timeout, &millis(timeouts.lock())])
        .await?;
    if let Err(error) = client.query(CHECK_CLIENT, &[&timeout]).await {
        debug!(error = %error, "the server cannot look whether its clients are still there");
    }
    Ok(())
}

/// Refuses a connection that belongs to somebody else, and whose commits are not what a vote needs.
pub(crate) async fn check(client: &Client) -> Result<(), OpenError> {
    let row = client.query_one(DURABILITY, &[]).await;
    let row = row.map_err(|error| OpenError::Database(error.into()))?;
    let (commit, isolation): (String, String) = (row.get(0), row.get(1));
    let (read_only, version): (String, i32) = (row.get(2), row.get(3));
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
    if read_only != "off" {
        return Err(OpenError::Pool {
            setting: "transaction_read_only",
            found: read_only,
            needed: "off",
        });
    }
    if version < OLDEST {
        return Err(OpenError::Pool {
            setting: "server_version",
            found: version.to_string(),
            needed: "14 or newer",
        });
    }
    Ok(())
}
