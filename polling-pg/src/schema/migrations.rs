//! How a database gets to the schema, once, however many servers start at once.

use std::time::Duration;

use refinery::{Migration, Runner};
use tokio_postgres::Client;
use tracing::info;

use super::SchemaName;
use crate::OpenError;

/// The migrations, oldest first: their file names and templates.
const MIGRATIONS: &[(&str, &str)] = &[(
    "V1__polls_votes_results_users",
    include_str!("../../migrations/V1__polls_votes_results_users.sql"),
)];

/// The table in which refinery remembers what was run.
const HISTORY: &str = "{schema}.schema_history";

const SCHEMA_EXISTS: &str = "\
-- schema.exists
SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1)";

const CREATE: &str = "\
-- schema.create
CREATE SCHEMA IF NOT EXISTS {schema}";

const HAS_HISTORY: &str = "\
-- schema.has_history
SELECT pg_catalog.to_regclass($1) IS NOT NULL";

const VERSION: &str = "\
-- schema.version
SELECT coalesce(max(version), 0) FROM {schema}.schema_history";

/// Two halves of a lock's key: ours, and the schema's.
const TRY_LOCK: &str = "\
-- schema.try_lock
SELECT pg_catalog.pg_try_advisory_lock(1886350444, pg_catalog.hashtext($1))";

const UNLOCK: &str = "\
-- schema.unlock
SELECT pg_catalog.pg_advisory_unlock(1886350444, pg_catalog.hashtext($1))";

/// The pause before a lock that another server holds is tried again. It is tried and not waited for, so that the server
/// that migrates never waits for a transaction of one that waits for it.
const TRY_AGAIN: Duration = Duration::from_millis(50);

/// Brings a schema up to date, and says where it stands.
#[derive(Clone, Debug, Default)]
pub struct Migrations {
    schema: SchemaName,
}

impl Migrations {
    /// The migrations of the schema with this name.
    #[must_use]
    pub const fn of(schema: SchemaName) -> Self {
        Self { schema }
    }

    /// The version of the schema that this program works with.
    #[must_use]
    pub fn known() -> u32 {
        u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
    }

    /// Makes the schema where there is none, and brings it up to date. Of several that do so at once, one migrates, and
    /// the others wait for it. Needs the right to create a schema in the database, or to create tables in the one that is
    /// there.
    ///
    /// Each migration is a transaction of its own: one that fails leaves the schema at the version before it.
    ///
    /// # Errors
    /// `NewerSchema`; `Migration` where a migration was refused.
    pub async fn apply(&self, client: &mut Client) -> Result<(), OpenError> {
        self.lock(client).await?;
        let applied = self.apply_locked(client).await;
        // The end of the session frees it too.
        let unlocked = client.execute(UNLOCK, &[&self.schema.as_str()]).await;
        applied?;
        unlocked.map(drop).map_err(OpenError::migration)
    }

    /// Refuses a schema that is not the one that this program works with.
    ///
    /// # Errors
    /// `NewerSchema`, `OldSchema`.
    pub async fn check(&self, client: &Client) -> Result<(), OpenError> {
        match self.version(client).await? {
            found if found > Self::known() => Err(OpenError::NewerSchema {
                found,
                known: Self::known(),
            }),
            found if found < Self::known() => Err(OpenError::OldSchema {
                found,
                needed: Self::known(),
            }),
            _ => Ok(()),
        }
    }

    async fn apply_locked(&self, client: &mut Client) -> Result<(), OpenError> {
        let found = self.version(client).await?;
        if found > Self::known() {
            return Err(OpenError::NewerSchema {
                found,
                known: Self::known(),
            });
        }
        let exists: bool = client
            .query_one(SCHEMA_EXISTS, &[&self.schema.as_str()])
            .await
            .map_err(OpenError::migration)?
            .get(0);
        if !exists {
            // Not asked for where it is there: whoever may not create schemas may still use one.
            let create = self.schema.fill(CREATE);
            client
                .batch_execute(&create)
                .await
                .map_err(OpenError::migration)?;
        }
        let migrations = MIGRATIONS
            .iter()
            .map(|(name, template)| Migration::unapplied(name, &self.schema.fill(template)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(OpenError::migration)?;
        let mut runner = Runner::new(&migrations);
        runner.set_migration_table_name(self.schema.fill(HISTORY));
        // Also where it is current: it compares what was run with what should have been.
        runner
            .run_async(client)
            .await
            .map_err(OpenError::migration)?;
        if found < Self::known() {
            info!(schema = %self.schema, from = found, to = Self::known(), "the schema is up to date now");
        }
        Ok(())
    }

    async fn lock(&self, client: &Client) -> Result<(), OpenError> {
        loop {
            let row = client.query_one(TRY_LOCK, &[&self.schema.as_str()]).await;
            if row.map_err(OpenError::migration)?.get(0) {
                return Ok(());
            }
            tokio::time::sleep(TRY_AGAIN).await;
        }
    }

    /// The version of the schema, 0 where there is none.
    async fn version(&self, client: &Client) -> Result<u32, OpenError> {
        let history = self.schema.fill(HISTORY);
        let row = client.query_one(HAS_HISTORY, &[&history]).await;
        if !row.map_err(OpenError::migration)?.get::<_, bool>(0) {
            return Ok(0);
        }
        let row = client.query_one(&self.schema.fill(VERSION), &[]).await;
        let version: i32 = row.map_err(OpenError::migration)?.get(0);
        Ok(u32::try_from(version).unwrap_or(0))
    }
}
