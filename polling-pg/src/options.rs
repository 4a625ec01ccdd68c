//! Opening a store.

use std::time::Duration;

use tokio_postgres::Client;
use tracing::info;

use crate::connect::Connector;
use crate::database::{Database, Timeouts, Waits};
use crate::schema::{Migrations, SchemaName};
use crate::votes::Roads;
use crate::{ConnectOptions, OpenError, PgStore, session};

/// How a store is opened, and the bounds that it works in.
#[derive(Clone, Debug)]
#[must_use]
pub struct PgOptions {
    schema: SchemaName,
    migrate: bool,
    connections: usize,
    wait_for: Duration,
    statement_timeout: Duration,
    waits: Waits,
    roads: Roads,
}

impl Default for PgOptions {
    fn default() -> Self {
        Self {
            schema: SchemaName::default(),
            migrate: true,
            connections: 8,
            wait_for: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(5),
            waits: Waits {
                lock: Duration::from_millis(250),
                frozen: Duration::from_secs(1),
            },
            roads: Roads::default(),
        }
    }
}

impl PgOptions {
    /// The schema in which everything lives, `polling` by default, so that it can live in an application's own database.
    /// Engines with different schemas know nothing of each other.
    pub fn schema(mut self, name: SchemaName) -> Self {
        self.schema = name;
        self
    }

    /// Whether the schema is made and brought up to date by itself; it is by default. Else a database whose schema is not
    /// current is refused, and [`Migrations::apply`] is to be called first.
    pub const fn migrate_on_open(mut self, migrate: bool) -> Self {
        self.migrate = migrate;
        self
    }

    /// Connections for everything but the batches of votes, 8 by default. Beside them each lane of the engine has one of
    /// its own (2 by default), and one listens.
    pub const fn connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    /// How long a server that is not there yet is waited for, 10 s by default; zero for not at all.
    pub const fn wait_for(mut self, patience: Duration) -> Self {
        self.wait_for = patience;
        self
    }

    /// How long a statement may take before it is ended, 5 s by default; a connection that gives no answer for a second
    /// longer is given up. So it bounds how long a vote waits for a database that does not answer. Recounts are exempt.
    /// From 1 ms to 24 days.
    pub const fn statement_timeout(mut self, timeout: Duration) -> Self {
        self.statement_timeout = timeout;
        self
    }

    /// How long a batch of votes waits for a row that somebody else holds, 250 ms by default, for each lock: then the polls
    /// whose rows are held are set aside, and tried again by themselves, and the other votes go on. Statements beside the
    /// batches wait four times as long, but no longer than the `statement_timeout`. From 1 ms to 24 days.
    pub const fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.waits.lock = timeout;
        self
    }

    /// How long another server may hold ballots that it has begun to write without sending what comes next, 1 s by default.
    /// A server that waits for them ends its session then: it was stopped, or cut off, and sends them again if it lives. From
    /// 1 ms to 24 days.
    pub const fn frozen_timeout(mut self, timeout: Duration) -> Self {
        self.waits.frozen = timeout;
        self
    }

    /// Holds the writers on the road for batches in which somebody may have voted before: for benches, which measure what it
    /// costs.
    #[doc(hidden)]
    pub const fn expect_conflicts(mut self) -> Self {
        self.roads.expects_conflicts = true;
        self
    }

    /// From how many ballots on a batch of new voters is copied in, and not inserted: for tests, which hold both to the same
    /// contract.
    #[doc(hidden)]
    pub const fn copy_from(mut self, ballots: usize) -> Self {
        self.roads.copy_from = ballots;
        self
    }

    /// Opens the store at this URL, in any of libpq's forms. Must be called within a tokio runtime. The environment is
    /// not read: see [`ConnectOptions::parse_with`].
    ///
    /// # Errors
    /// [`OpenError`] says why not, in words for people.
    pub async fn connect(self, url: &str) -> Result<PgStore, OpenError> {
        self.connect_with(ConnectOptions::parse(url)?).await
    }

    /// Opens the store that is reached in this way. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_with(self, options: ConnectOptions) -> Result<PgStore, OpenError> {
        self.check()?;
        let connector = Connector::new(options.fallback_application_name("polling"))?;
        let mut client = connector.wait(self.wait_for).await?;
        connector.check().await?;
        self.prepare(&mut client).await?;
        drop(client);
        let timeouts = Timeouts::of(self.statement_timeout, self.waits);
        let database = Database::own(connector.clone(), self.connections, timeouts)?;
        info!(database = %connector.options(), schema = %self.schema, "the database is open");
        Ok(PgStore::new(
            self.schema,
            database,
            Some(connector),
            self.roads,
        ))
    }

    /// Opens a store on an application's own pool. Each lane of the engine takes a connection out of it for good, so that
    /// the pool makes another one in its place; its other connections are used as they are, and must have
    /// `synchronous_commit` on and the isolation level READ COMMITTED, a `statement_timeout` of the application's choice,
    /// and no pooler in between that pools transactions.
    ///
    /// A listener needs a connection of its own, made with `listener`. Without one this server hears nothing from the
    /// others, and finds out by reading the store again, once a second by default.
    ///
    /// # Errors
    /// `Pool` where the connections are not what votes need, and as [`connect`](Self::connect).
    pub async fn connect_through(
        self,
        pool: deadpool_postgres::Pool,
        listener: Option<ConnectOptions>,
    ) -> Result<PgStore, OpenError> {
        self.check()?;
        let timeouts = Timeouts::of(self.statement_timeout, self.waits);
        let database = Database::lent(pool, timeouts);
        let connection = database.lend().await?;
        let checked = session::check(&connection).await;
        connection.give_back(Ok(()))?;
        checked?;
        let mut own = database.take().await?;
        self.prepare(&mut own).await?;
        let listener = listener.map(Connector::new).transpose()?;
        Ok(PgStore::new(self.schema, database, listener, self.roads))
    }

    async fn prepare(&self, client: &mut Client) -> Result<(), OpenError> {
        let migrations = Migrations::of(self.schema.clone());
        if self.migrate {
            migrations.apply(client).await
        } else {
            migrations.check(client).await
        }
    }

    fn check(&self) -> Result<(), OpenError> {
        if self.connections == 0 {
            return Err(OpenError::Option {
                name: "connections",
                rule: "must be at least 1",
            });
        }
        for (name, timeout) in [
            ("statement_timeout", self.statement_timeout),
            ("lock_timeout", self.waits.lock),
            ("frozen_timeout", self.waits.frozen),
        ] {
            // PostgreSQL counts milliseconds in 31 bits, and takes 0 for never.
            let timeout = timeout.as_millis();
            if timeout == 0 || timeout > i32::MAX.unsigned_abs().into() {
                return Err(OpenError::Option {
                    name,
                    rule: "must be from 1 ms to 24 days",
                });
            }
        }
        Ok(())
    }
}

impl PgStore {
    /// Opens the store at this URL, in any of libpq's forms, and makes or updates its schema, with the default options.
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`OpenError`] says why not, in words for people.
    pub async fn connect(url: &str) -> Result<Self, OpenError> {
        Self::builder().connect(url).await
    }

    /// Options to open a store with.
    pub fn builder() -> PgOptions {
        PgOptions::default()
    }
}
