//! A durable store of which servers can be started, killed and started again.

use std::sync::Arc;

use pg_cluster::{Cluster, ClusterOptions, Database, Version};
use polling_core::{PollId, Repository};
use polling_pg::PgStore;
use polling_sqlite::SqliteStore;
use serde_json::Value;
use tempfile::TempDir;
use tokio_postgres::{NoTls, Row};

use super::process::ServerProcess;
use crate::store::{Store, database, migrated};

/// A database that outlives its servers, and is gone with the test.
pub(crate) enum Bed {
    Sqlite(TempDir),
    Postgres {
        database: Database,
        /// Where the test has one for itself.
        cluster: Option<Box<Cluster>>,
    },
}

impl Bed {
    pub(crate) async fn on(store: Store) -> Self {
        match store {
            Store::Sqlite => Self::Sqlite(tempfile::tempdir().expect("a folder can be made")),
            Store::Postgres => Self::Postgres {
                database: database().await,
                cluster: None,
            },
        }
    }

    /// In a cluster of its own, which keeps what was committed through a crash.
    pub(crate) async fn durable() -> Self {
        let options = ClusterOptions::new(Version::Installed).durable();
        let cluster = Cluster::start(&options).expect("PostgreSQL can be started");
        Self::Postgres {
            database: migrated(&cluster).await,
            cluster: Some(Box::new(cluster)),
        }
    }

    /// In the cluster that the tests share, with nothing in it, not even tables.
    pub(crate) async fn bare() -> Self {
        Self::Postgres {
            database: Cluster::shared(Version::Installed).database().await,
            cluster: None,
        }
    }

    /// What a server is started with.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite://{}/polls.db", folder.path().display()),
            Self::Postgres { database, .. } => database.url().to_owned(),
        }
    }

    /// The name of the database within its cluster, of a PostgreSQL.
    pub(crate) fn database(&self) -> &str {
        match self {
            Self::Sqlite(_) => panic!("a file has no name in a cluster"),
            Self::Postgres { database, .. } => database.name(),
        }
    }

    /// A server of its own process.
    pub(crate) async fn start(&self) -> ServerProcess {
        ServerProcess::start(&self.url()).await
    }

    /// Two servers on the one database.
    pub(crate) async fn start_two(&self) -> [ServerProcess; 2] {
        tokio::join!(self.start(), self.start()).into()
    }

    /// The store itself, for a look past every server.
    pub(crate) async fn open(&self) -> Arc<dyn Repository> {
        match self {
            Self::Sqlite(folder) => {
                let store = SqliteStore::open(folder.path().join("polls.db")).await;
                Arc::new(store.expect("no server uses the file now"))
            }
            Self::Postgres { database, .. } => {
                let store = PgStore::connect(database.url()).await;
                Arc::new(store.expect("the database is there"))
            }
        }
    }

    /// Counts the ballots that are stored: as many as there should be, as many as the counters say, and none that
    /// belongs to nothing. A file is opened for it, which no server may use then.
    pub(crate) async fn recount(&self, poll: &Value, ballots: usize) {
        let store = self.open().await;
        let id: PollId = poll["id"].as_str().unwrap().parse().unwrap();
        let recount = store.results().recount(id).await.unwrap().unwrap();
        assert!(recount.agrees(), "{recount:?}");
        assert_eq!(recount.ballots, ballots as u64);
        assert_eq!(store.results().orphans().await.unwrap(), 0);
        assert_eq!(self.rows(id).await, ballots as i64);
    }

    /// How many ballots of a poll count, asked past the store.
    async fn rows(&self, poll: PollId) -> i64 {
        match self {
            Self::Sqlite(folder) => {
                let count = "SELECT count(*) FROM votes v JOIN polls p ON p.key = v.poll
                    WHERE p.id = ?1 AND v.withdrawn_at IS NULL";
                let file = rusqlite::Connection::open(folder.path().join("polls.db"));
                let file = file.expect("the file is there");
                file.query_row(count, [poll.as_bytes()], |row| row.get(0))
                    .expect("the file can be read")
            }
            Self::Postgres { .. } => {
                let count = format!(
                    "SELECT count(*) FROM polling.votes WHERE poll = '{poll}' AND withdrawn_at IS NULL"
                );
                self.query(&count).await[0].get(0)
            }
        }
    }

    /// The cluster, of a PostgreSQL.
    pub(crate) fn cluster(&self) -> &Cluster {
        match self {
            Self::Sqlite(_) => panic!("a file has no cluster"),
            Self::Postgres { cluster, .. } => cluster
                .as_deref()
                .unwrap_or_else(|| Cluster::shared(Version::Installed)),
        }
    }

    /// The rows of a query in the database, of a PostgreSQL.
    pub(crate) async fn query(&self, sql: &str) -> Vec<Row> {
        self.try_query(sql).await.expect("the database answers")
    }

    /// The same, where the database may fail.
    pub(crate) async fn try_query(&self, sql: &str) -> Result<Vec<Row>, tokio_postgres::Error> {
        let (client, connection) = tokio_postgres::connect(&self.url(), NoTls).await?;
        let connection = tokio::spawn(connection);
        let rows = client.query(sql, &[]).await;
        drop(client);
        let ended = connection.await.expect("it does not panic");
        let rows = rows?;
        ended?;
        Ok(rows)
    }
}
