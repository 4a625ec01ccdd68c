//! The connections, and the ways through them.

use std::ops::Deref;
use std::time::Duration;

use deadpool::managed::{Hook, HookError, Object, Pool, PoolError};
use deadpool_postgres::ClientWrapper;
use polling_core::PollId;
use tokio::time::timeout;
use tokio_postgres::{Row, Statement};
use tracing::{Instrument, Span, debug};

use crate::OpenError;
use crate::columns::Params;
use crate::connect::{ConnectError, Connector};
use crate::error::Failure;
use crate::session;
use crate::turns::{Turn, Turns};

/// The pool of connections, for everything but the batches of votes.
#[derive(Debug)]
pub(crate) struct Database {
    connections: Connections,
    timeouts: Timeouts,
    turns: Turns,
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    /// A statement, before the server ends it.
    pub(crate) statement: Duration,
    /// Waiting for a connection, and then for an answer. It is longer, so that the server's own word comes first.
    pub(crate) patience: Duration,
    pub(crate) waits: Waits,
}

/// How long is waited for others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waits {
    /// A lane's statement, for a lock that somebody else holds.
    pub(crate) lock: Duration,
    /// A session that holds ballots, for what its server sends next, before it is ended.
    pub(crate) frozen: Duration,
}

/// Statements that do not come from a lane are rare, and nothing waits behind them: for so many times as long.
const MORE_PATIENT: u32 = 4;

impl Timeouts {
    pub(crate) fn of(statement: Duration, waits: Waits) -> Self {
        Self {
            statement,
            patience: statement.saturating_add(Duration::from_secs(1)),
            waits,
        }
    }

    /// How long statements that do not come from a lane wait for a lock.
    pub(crate) fn lock(&self) -> Duration {
        self.waits
            .lock
            .saturating_mul(MORE_PATIENT)
            .min(self.statement)
    }
}

#[derive(Debug)]
enum Connections {
    /// Made by us, each set up for us.
    Own(Pool<Connector>),
    /// The application's own pool.
    Lent(deadpool_postgres::Pool),
}

/// A connection that goes back to its pool when it is given back. Where nobody does, because whoever asked on it has left,
/// it is closed: nobody shall wait behind what is still under way there.
#[derive(Debug)]
pub(crate) struct Lease(Option<Connection>);

#[derive(Debug)]
enum Connection {
    Own(Object<Connector>),
    Lent(deadpool_postgres::Object),
}

impl Connection {
    /// It does not go back.
    fn take(self) -> ClientWrapper {
        match self {
            Connection::Own(connection) => Object::take(connection),
            Connection::Lent(connection) => deadpool_postgres::Object::take(connection),
        }
    }
}

impl Lease {
    /// Goes back to its pool, unless what was asked on it says that it is of no more use.
    pub(crate) fn give_back<T>(mut self, result: Result<T, Failure>) -> Result<T, Failure> {
        if !result.as_ref().is_err_and(Failure::ends_connection) {
            drop(self.0.take());
        }
        result
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        drop(self.0.take().map(Connection::take));
    }
}

impl Deref for Lease {
    type Target = ClientWrapper;

    fn deref(&self) -> &ClientWrapper {
        match &self.0 {
            Some(Connection::Own(connection)) => connection,
            Some(Connection::Lent(connection)) => connection,
            None => unreachable!("only who gives a connection back empties its lease"),
        }
    }
}

impl Database {
    /// Connects when it has to, with at most so many connections at once.
    pub(crate) fn own(
        connector: Connector,
        connections: usize,
        timeouts: Timeouts,
    ) -> Result<Self, OpenError> {
        let target = connector.options().to_string();
        let set_up = Hook::async_fn(move |client: &mut ClientWrapper, _| {
            let target = target.clone();
            Box::pin(async move {
                let prepared = session::prepare(client, timeouts).await;
                prepared.map_err(|error| {
                    let source = error.into();
                    HookError::Backend(ConnectError::Other { target, source })
                })
            })
        });
        let pool = Pool::builder(connector)
            .max_size(connections)
            .post_create(set_up)
            .build()
            .map_err(|error| OpenError::Database(error.into()))?;
        Ok(Self {
            connections: Connections::Own(pool),
            timeouts,
            turns: Turns::of(connections),
        })
    }

    /// Uses the connections of an application's own pool as they are.
    pub(crate) fn lent(pool: deadpool_postgres::Pool, timeouts: Timeouts) -> Self {
        let connections = pool.status().max_size;
        Self {
            connections: Connections::Lent(pool),
            timeouts,
            turns: Turns::of(connections),
        }
    }

    /// The rows of a statement that only reads. A connection that turns out to be lost costs nothing: another one is
    /// asked.
    pub(crate) async fn read(
        &self,
        span: Span,
        sql: &str,
        params: &Params<'_>,
    ) -> Result<Vec<Row>, Failure> {
        async {
            match self.query(sql, params).await {
                Err(lost @ Failure::Database(_)) if lost.ends_connection() => {
                    debug!(error = %lost, "a connection was lost; another one is asked");
                    self.query(sql, params).await
                }
                other => other,
            }
        }
        .instrument(span)
        .await
    }

    /// The rows of a statement that writes: one transaction, which is durable on return. After an error that passes it
    /// may have happened.
    pub(crate) async fn write(
        &self,
        span: Span,
        sql: &str,
        params: &Params<'_>,
    ) -> Result<Vec<Row>, Failure> {
        self.query(sql, params).instrument(span).await
    }

    /// A connection that will not come back to the pool, set up for us: whoever has it owns it.
    pub(crate) async fn take(&self) -> Result<ClientWrapper, Failure> {
        let mut lease = self.lend().await?;
        let Some(connection) = lease.0.take() else {
            return Err(Failure::NoConnection);
        };
        let is_lent = matches!(connection, Connection::Lent(_));
        let client = connection.take();
        if is_lent {
            let set_up = async {
                // An application may have left something open on it, which would never be committed.
                client.batch_execute("ROLLBACK").await?;
                Ok(session::prepare(&client, self.timeouts).await?)
            };
            self.in_time(set_up).await?;
        }
        Ok(client)
    }

    /// The turn of what writes to a poll, beside the batches, and may have to wait for its row.
    pub(crate) async fn turn(&self, poll: PollId) -> Result<Turn<'_>, Failure> {
        let turn = timeout(self.timeouts.statement, self.turns.take(poll)).await;
        turn.ok().flatten().ok_or(Failure::Held)
    }

    pub(crate) const fn waits(&self) -> Waits {
        self.timeouts.waits
    }

    pub(crate) async fn lend(&self) -> Result<Lease, Failure> {
        let connection = async {
            match &self.connections {
                Connections::Own(pool) => Ok(Connection::Own(pool.get().await?)),
                Connections::Lent(pool) => Ok(Connection::Lent(pool.get().await?)),
            }
        };
        let connection = timeout(self.timeouts.patience, connection).await;
        let connection = connection.map_err(|_| Failure::NoConnection)?;
        connection.map(|connection| Lease(Some(connection)))
    }

    /// Begins a transaction, whose statements each see what was committed before them.
    pub(crate) async fn begin(&self) -> Result<Transaction<'_>, Failure> {
        let lease = self.lend().await?;
        self.in_time(async { Ok(lease.batch_execute(BEGIN).await?) })
            .await?;
        Ok(Transaction {
            database: self,
            lease,
        })
    }

    async fn query(&self, sql: &str, params: &Params<'_>) -> Result<Vec<Row>, Failure> {
        let connection = self.lend().await?;
        let rows = self.in_time(query(&connection, sql, params)).await;
        connection.give_back(rows)
    }

    /// What is asked of a connection, while there is patience for it.
    pub(crate) async fn in_time<T>(
        &self,
        asked: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let answer = timeout(self.timeouts.patience, asked).await;
        answer.unwrap_or(Err(Failure::TimedOut))
    }
}

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

/// Statements that stand or fall together. Where one fails, or nobody waits for it any more, it is dropped: then its
/// connection is closed, and nothing of it stands.
#[derive(Debug)]
pub(crate) struct Transaction<'a> {
    database: &'a Database,
    lease: Lease,
}

impl Transaction<'_> {
    pub(crate) async fn query(&self, sql: &str, params: &Params<'_>) -> Result<Vec<Row>, Failure> {
        self.database.in_time(query(&self.lease, sql, params)).await
    }

    /// On return it is durable. After an error that passes it may have happened.
    pub(crate) async fn commit(self) -> Result<(), Failure> {
        self.end("COMMIT").await
    }

    /// Nothing of it stands.
    pub(crate) async fn roll_back(self) -> Result<(), Failure> {
        self.end("ROLLBACK").await
    }

    async fn end(self, word: &str) -> Result<(), Failure> {
        let Self { database, lease } = self;
        let ended = database.in_time(async { Ok(lease.batch_execute(word).await?) });
        // A connection that did not say so is not given to anybody else.
        ended.await?;
        lease.give_back(Ok(()))
    }
}

/// Asks on this connection, with a statement that is prepared once.
pub(crate) async fn query(
    client: &ClientWrapper,
    sql: &str,
    params: &Params<'_>,
) -> Result<Vec<Row>, Failure> {
    let statement: Statement = client.prepare_cached(sql).await?;
    Ok(client.query(&statement, params).await?)
}

impl From<PoolError<ConnectError>> for Failure {
    fn from(error: PoolError<ConnectError>) -> Self {
        match error {
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
                Failure::Connect(error)
            }
            _ => Failure::NoConnection,
        }
    }
}

impl From<deadpool_postgres::PoolError> for Failure {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        match error {
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
                Failure::Database(error)
            }
            _ => Failure::NoConnection,
        }
    }
}
