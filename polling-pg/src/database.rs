//! The pool of connections, and the ways through it.

use std::time::Duration;

use deadpool_postgres::{ClientWrapper, Object, Pool};
use tokio_postgres::{Row, Statement};
use tracing::{Instrument, Span, debug};

use crate::columns::Params;
use crate::error::Failure;

/// Connections for everything but the batches of votes. No call waits longer than its patience, twice.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) pool: Pool,
    /// How long a call waits for a connection, and then for its answer.
    pub(crate) patience: Duration,
}

impl Database {
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
                    debug!("a connection was lost; the statement is tried on another one");
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

    /// A connection that will not come back to the pool: whoever has it owns it.
    pub(crate) async fn take(&self) -> Result<ClientWrapper, Failure> {
        self.connection().await.map(Object::take)
    }

    pub(crate) async fn connection(&self) -> Result<Object, Failure> {
        let connection = tokio::time::timeout(self.patience, self.pool.get()).await;
        Ok(connection.map_err(|_| Failure::NoConnection)??)
    }

    async fn query(&self, sql: &str, params: &Params<'_>) -> Result<Vec<Row>, Failure> {
        let connection = self.connection().await?;
        let rows = tokio::time::timeout(self.patience, query(&connection, sql, params)).await;
        let rows = rows.unwrap_or(Err(Failure::TimedOut));
        if rows.as_ref().is_err_and(Failure::ends_connection) {
            // Nobody shall wait behind what is still under way there.
            drop(Object::take(connection));
        }
        rows
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
