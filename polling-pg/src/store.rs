//! The handle, and the ways through it to the database.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use deadpool_postgres::ClientWrapper;
use polling_core::polls::PollRepository;
use polling_core::results::{ResultsNotifier, ResultsRepository};
use polling_core::users::UserRepository;
use polling_core::vote_tokens::VoteTokenRepository;
use polling_core::votes::VoteRepository;
use polling_core::workspaces::WorkspaceRepository;
use polling_core::{Repository, StoreError, Timestamp};
use tokio_postgres::Row;
use tracing::{Instrument, Span, debug_span};
use uuid::Uuid;

use crate::columns::{Params, first, time};
use crate::connect::Connector;
use crate::database::{self, Database};
use crate::error::Failure;
use crate::notifier::PgNotifier;
use crate::schema::SchemaName;
use crate::sql::{Statements, statements};
use crate::votes::Roads;

statements! {
    /// The statements that belong to no room.
    StoreStatements {
        ping = "\
-- store.ping
SELECT current_setting('transaction_read_only') FROM (SELECT count(*) FROM {schema}.signing_keys) AS there";

        now = "\
-- store.now
SELECT clock_timestamp()";

        notify = "\
-- store.notify
SELECT pg_notify($1, pack) FROM unnest($2::text[]) AS packs (pack)";

        take_time = "\
-- store.take_time
SELECT set_config('statement_timeout', '0', false), set_config('enable_seqscan', 'on', false),
    set_config('enable_hashjoin', 'on', false), set_config('enable_mergejoin', 'on', false)";
    }
}

/// A PostgreSQL database: a handle that is cheap to clone. When the last one is dropped its connections are closed.
#[derive(Clone)]
pub struct PgStore {
    parts: Arc<Parts>,
}

pub(crate) struct Parts {
    pub(crate) schema: SchemaName,
    pub(crate) statements: Statements,
    pub(crate) database: Database,
    /// The deleted poll whose ballots are being removed, and the last voter whose ballot was.
    pub(crate) purged_up_to: Mutex<(Uuid, Uuid)>,
    /// How a listener connects; `None` where the application's own pool is all there is.
    pub(crate) listener: Option<Connector>,
    roads: Roads,
}

impl PgStore {
    pub(crate) fn new(
        schema: SchemaName,
        database: Database,
        listener: Option<Connector>,
        roads: Roads,
    ) -> Self {
        Self {
            parts: Arc::new(Parts {
                statements: Statements::of(&schema),
                schema,
                database,
                purged_up_to: Mutex::default(),
                listener,
                roads,
            }),
        }
    }

    pub(crate) fn sql(&self) -> &Statements {
        &self.parts.statements
    }

    pub(crate) fn database(&self) -> &Database {
        &self.parts.database
    }

    pub(crate) fn schema(&self) -> &SchemaName {
        &self.parts.schema
    }

    pub(crate) fn purged_up_to(&self) -> MutexGuard<'_, (Uuid, Uuid)> {
        // Two words, which are whole whoever panics.
        let purged = self.parts.purged_up_to.lock();
        purged.unwrap_or_else(PoisonError::into_inner)
    }

    /// What the writers choose their ways by.
    pub(crate) fn roads(&self) -> Roads {
        self.parts.roads
    }

    pub(crate) fn listener(&self) -> Option<&Connector> {
        self.parts.listener.as_ref()
    }

    /// The rows of a statement that reads very much, and may take the time that it needs.
    pub(crate) async fn prove(
        &self,
        span: Span,
        sql: &str,
        params: &Params<'_>,
    ) -> Result<Vec<Row>, Failure> {
        async {
            let client: ClientWrapper = self.database().take().await?;
            database::query(&client, &self.sql().store.take_time, &[]).await?;
            database::query(&client, sql, params).await
        }
        .instrument(span)
        .await
    }
}

#[async_trait]
impl Repository for PgStore {
    fn polls(&self) -> &dyn PollRepository {
        self
    }

    fn votes(&self) -> &dyn VoteRepository {
        self
    }

    fn results(&self) -> &dyn ResultsRepository {
        self
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let sql = &self.sql().store.ping;
        let rows = self
            .database()
            .read(debug_span!("db.store.ping"), sql, &[])
            .await?;
        let takes_writes = |row: &Row| row.try_get::<_, &str>(0).is_ok_and(|said| said == "off");
        if rows.first().is_some_and(takes_writes) {
            Ok(())
        } else {
            Err(StoreError::unavailable("the database takes no writes"))
        }
    }

    fn users(&self) -> Option<&dyn UserRepository> {
        Some(self)
    }

    fn vote_tokens(&self) -> Option<&dyn VoteTokenRepository> {
        Some(self)
    }

    fn workspaces(&self) -> Option<&dyn WorkspaceRepository> {
        Some(self)
    }

    fn notifier(&self) -> Option<Arc<dyn ResultsNotifier>> {
        Some(Arc::new(PgNotifier::of(self.clone())))
    }

    async fn now(&self) -> Result<Option<Timestamp>, StoreError> {
        let sql = &self.sql().store.now;
        let rows = self
            .database()
            .read(debug_span!("db.store.now"), sql, &[])
            .await?;
        Ok(first(&rows, |row| time(row, 0))?)
    }
}

impl fmt::Debug for PgStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgStore")
            .field("schema", &self.parts.schema.as_str())
            .finish_non_exhaustive()
    }
}
