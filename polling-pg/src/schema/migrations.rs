//! How a database gets to the schema, once, however many servers start at once.

use std::time::Duration;

use refinery::{Migration, Runner};
use tokio_postgres::Client;
use tracing::{info, warn};

use super::SchemaName;
use super::refusal::{Step, explain};
use crate::OpenError;

/// The migrations, oldest first: their file names and templates.
const MIGRATIONS: &[(&str, &str)] = &[
    (
        "V1__polls_votes_results_users",
        include_str!("../../migrations/V1__polls_votes_results_users.sql"),
    ),
    (
        "V2__voter_kinds",
        include_str!("../../migrations/V2__voter_kinds.sql"),
    ),
    (
        "V3__sessions",
        include_str!("../../migrations/V3__sessions.sql"),
    ),
    (
        "V4__workspaces",
        include_str!("../../migrations/V4__workspaces.sql"),
    ),
    (
        "V5__vote_tokens",
        include_str!("../../migrations/V5__vote_tokens.sql"),
    ),
];

/// The table in which refinery remembers what was run. It is made here, so that it is named and explained as the others.
const HISTORY: &str = "{schema}.schema_history";

const CREATE_HISTORY: &str = "\
-- schema.create_history
CREATE TABLE {schema}.schema_history (
    version    integer CONSTRAINT schema_history_key PRIMARY KEY,
    name       text    NOT NULL,
    applied_on text    NOT NULL,
    checksum   text    NOT NULL
);
COMMENT ON TABLE {schema}.schema_history IS 'The migrations that made this schema what it is.';
COMMENT ON COLUMN {schema}.schema_history.applied_on IS 'When, as RFC 3339 has it.';
COMMENT ON COLUMN {schema}.schema_history.checksum IS
    'Of the migration as it was run: a program whose migration is another one refuses to work with the schema.'";

/// What each migration begins with, for its own transaction alone. It may take the time that it needs, and it means
/// PostgreSQL's own functions, whatever an application calls its own.
const FRAME: &str = "\
SET LOCAL statement_timeout = 0;
SET LOCAL search_path = pg_catalog, pg_temp;
";

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

/// Tries between two lines that say so: 5 s.
const SAY_EVERY: u32 = 100;

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
        let newest = MIGRATIONS.last().and_then(|(name, _)| {
            let (number, _) = name.strip_prefix('V')?.split_once("__")?;
            number.parse().ok()
        });
        newest.unwrap_or(0)
    }

    /// Makes the schema where there is none, and brings it up to date. Of several that do so at once, one migrates, and
    /// the others wait for it. Needs the right to create a schema in the database, or to create tables in the one that is
    /// there; where it is up to date, only to read it.
    ///
    /// Each migration is a transaction of its own: one that fails leaves the schema at the version before it.
    ///
    /// # Errors
    /// `NewerSchema`; `Migration` where a migration was refused, with what the database says.
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
    /// `NewerSchema`, `OldSchema`; `Migration` where the schema cannot be looked at.
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
            return self.check(client).await;
        }
        let migrations = self.filled_in()?;
        let mut runner = Runner::new(&migrations);
        runner.set_migration_table_name(self.schema.fill(HISTORY));
        if found == Self::known() {
            return self.compare(client, &runner).await;
        }
        self.make_room(client).await?;
        if let Err(error) = runner.run_async(client).await {
            return Err(explain(client, &self.schema, Step::Migrate, error).await);
        }
        info!(schema = %self.schema, from = found, to = Self::known(), "the schema is up to date now");
        Ok(())
    }

    fn filled_in(&self) -> Result<Vec<Migration>, OpenError> {
        let migrations = MIGRATIONS.iter().map(|(name, template)| {
            Migration::unapplied(name, &(FRAME.to_owned() + &self.schema.fill(template)))
        });
        let migrations: Result<_, _> = migrations.collect();
        migrations.map_err(OpenError::migration)
    }

    /// Compares what was run with what should have been. It only reads: whoever uses a schema that is current needs no
    /// right to change it.
    async fn compare(&self, client: &mut Client, runner: &Runner) -> Result<(), OpenError> {
        let applied = match runner.get_applied_migrations_async(client).await {
            Ok(applied) => applied,
            Err(error) => return Err(explain(client, &self.schema, Step::Look, error).await),
        };
        let mut known = runner.get_migrations().iter();
        match known.find(|migration| !applied.contains(migration)) {
            Some(migration) => Err(OpenError::migration(format!(
                "what was run as {migration} in the schema {} is not what this program has under that name",
                self.schema
            ))),
            None => Ok(()),
        }
    }

    /// Makes the schema and its history, where they are not there. What is there is not asked for: whoever may not create
    /// schemas may still use one.
    async fn make_room(&self, client: &Client) -> Result<(), OpenError> {
        let rooms = [
            (
                SCHEMA_EXISTS,
                self.schema.to_string(),
                CREATE,
                Step::MakeSchema,
            ),
            (
                HAS_HISTORY,
                self.schema.fill(HISTORY),
                CREATE_HISTORY,
                Step::Migrate,
            ),
        ];
        for (exists, name, create, step) in rooms {
            if !self.ask(client, exists, &name).await? {
                let made = client.batch_execute(&self.schema.fill(create)).await;
                if let Err(error) = made {
                    return Err(explain(client, &self.schema, step, error).await);
                }
            }
        }
        Ok(())
    }

    async fn lock(&self, client: &Client) -> Result<(), OpenError> {
        for tries in 1_u32.. {
            if self.ask(client, TRY_LOCK, self.schema.as_str()).await? {
                break;
            }
            if tries.is_multiple_of(SAY_EVERY) {
                warn!(schema = %self.schema, "another server migrates the schema, or died while it did; waiting for it");
            }
            tokio::time::sleep(TRY_AGAIN).await;
        }
        Ok(())
    }

    /// The version of the schema, 0 where there is none.
    async fn version(&self, client: &Client) -> Result<u32, OpenError> {
        if !self
            .ask(client, HAS_HISTORY, &self.schema.fill(HISTORY))
            .await?
        {
            return Ok(0);
        }
        let row = client.query_one(&self.schema.fill(VERSION), &[]).await;
        let row = match row {
            Ok(row) => row,
            Err(error) => return Err(explain(client, &self.schema, Step::Look, error).await),
        };
        Ok(u32::try_from(row.get::<_, i32>(0)).unwrap_or(0))
    }

    /// A question with a name in it that is answered by yes or no.
    async fn ask(&self, client: &Client, question: &str, name: &str) -> Result<bool, OpenError> {
        match client.query_one(question, &[&name]).await {
            Ok(row) => Ok(row.get(0)),
            Err(error) => Err(explain(client, &self.schema, Step::Look, error).await),
        }
    }
}

#[cfg(test)]
mod tests;
