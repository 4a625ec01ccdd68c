//! What a server has to be, looked at once when a store is opened.

use std::time::Duration;

use tokio_postgres::{Client, SimpleQueryMessage, SimpleQueryRow};
use tracing::warn;

use super::{ConnectError, Connector};

/// The oldest server that was tried.
const OLDEST: u32 = 140_000;

/// How often two sessions are compared. One round is enough when nobody else uses a pooler; when others do, a session
/// may be given the same server again by chance, but hardly this often.
const ROUNDS: usize = 4;

/// How long one of these questions may take. A pooler with a connection less than is needed lets it wait.
const PATIENCE: Duration = Duration::from_secs(10);

impl Connector {
    /// Refuses a server that is too old or takes no writes, and a pooler that gives every transaction another session;
    /// warns of a server that may forget. Takes two connections for a moment.
    pub(crate) async fn check(&self) -> Result<(), ConnectError> {
        let one = self.open().await?;
        self.check_server(&one).await?;
        self.refuse_transaction_pooling(&one).await
    }

    async fn check_server(&self, client: &Client) -> Result<(), ConnectError> {
        let settings = "select current_setting('server_version_num'), current_setting('server_version'), \
             current_setting('transaction_read_only'), current_setting('fsync')";
        let row = self.ask(client, settings).await?;
        let row = row.ok_or_else(|| self.not_postgres())?;
        let get = |column| row.get(column).unwrap_or_default();
        if get(0).parse::<u32>().unwrap_or(0) < OLDEST {
            return Err(ConnectError::TooOld {
                target: self.options().to_string(),
                found: get(1).to_owned(),
            });
        }
        // On a standby it is on, too.
        if get(2) == "on" {
            return Err(ConnectError::ReadOnly {
                target: self.options().to_string(),
            });
        }
        if get(3) == "off" {
            warn!(
                target = %self.options(),
                "PostgreSQL runs with fsync=off: a vote that was answered may be lost when its machine fails"
            );
        }
        Ok(())
    }

    /// Two sessions that are open at the same time have a server process each, and keep it. A pooler that lends a process
    /// for one transaction gives the second session the process that the first has just used, or, when others come in
    /// between, another one than before to either. In its turn the second holds on to what it has, so that the pooler
    /// cannot go round and round and give each the same again.
    async fn refuse_transaction_pooling(&self, one: &Client) -> Result<(), ConnectError> {
        let two = self.open().await?;
        let first = self.process(one).await?;
        let second = self.process(&two).await.map_err(lacks_a_second)?;
        let mut kept = first != second;
        let mut rounds = 0..ROUNDS;
        while kept && rounds.next().is_some() {
            self.ask(&two, "begin").await?;
            kept &= self.process(&two).await? == second;
            kept &= self.process(one).await? == first;
            self.ask(&two, "commit").await?;
            kept &= self.process(&two).await? == second;
        }
        if kept {
            return Ok(());
        }
        Err(ConnectError::TransactionPooling {
            target: self.options().to_string(),
        })
    }

    async fn process(&self, client: &Client) -> Result<i32, ConnectError> {
        let row = self.ask(client, "select pg_backend_pid()").await?;
        let id = row.as_ref().and_then(|row| row.get(0));
        id.and_then(|id| id.parse().ok())
            .ok_or_else(|| self.not_postgres())
    }

    /// The first row of the answer. In the simple form: prepared statements are what a pooler may lose.
    async fn ask(
        &self,
        client: &Client,
        sql: &str,
    ) -> Result<Option<SimpleQueryRow>, ConnectError> {
        let target = || self.options().to_string();
        let asked = tokio::time::timeout(PATIENCE, client.simple_query(sql)).await;
        let answer = asked.map_err(|_| ConnectError::TimedOut {
            target: target(),
            after: PATIENCE,
        })?;
        let answer = answer.map_err(|error| ConnectError::of(self.options(), target(), error))?;
        Ok(answer.into_iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        }))
    }

    fn not_postgres(&self) -> ConnectError {
        ConnectError::Other {
            target: self.options().to_string(),
            source: "it does not answer as PostgreSQL does".into(),
        }
    }
}

/// A pooler that keeps sessions lets one wait that it has no connection for.
fn lacks_a_second(error: ConnectError) -> ConnectError {
    match error {
        ConnectError::TimedOut { target, .. } => ConnectError::NotNow {
            target,
            reason: "a second session was let in and not served, as by a pooler whose default_pool_size is too small"
                .to_owned(),
        },
        other => other,
    }
}
