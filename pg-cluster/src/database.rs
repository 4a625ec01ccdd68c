//! Databases, fresh or copied.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError};

use tokio_postgres::error::SqlState;
use tokio_postgres::{Config, Error, NoTls};

use crate::cluster::Cluster;

/// A database that nobody else uses. It goes with its cluster.
#[derive(Clone, Debug)]
pub struct Database {
    name: String,
    url: String,
}

impl Database {
    /// Its address over TCP.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its name within the cluster.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// How often a database is copied anew while somebody is in its template. The server itself waits
/// five seconds each time, and sends its own workers away.
const ATTEMPTS: usize = 5;

impl Cluster {
    /// A fresh, empty database.
    ///
    /// # Panics
    /// When the server cannot be reached.
    pub async fn database(&self) -> Database {
        self.copy_of("template0").await
    }

    /// A copy of the database `template`, which `prepare` fills once for this cluster, given its
    /// address. Whoever asks meanwhile waits for it.
    ///
    /// # Panics
    /// When the server cannot be reached, and where `prepare` does; who asks next prepares again.
    pub async fn database_like<Prepare, Prepared>(
        &self,
        template: &str,
        prepare: Prepare,
    ) -> Database
    where
        Prepare: FnOnce(String) -> Prepared,
        Prepared: Future<Output = ()>,
    {
        let template = format!("template_{template}");
        let prepared = self.template(&template);
        let make = async || {
            self.make_template(&template).await;
            prepare(self.url_of(&template)).await;
            self.seal_template(&template).await;
        };
        prepared.get_or_init(make).await;
        self.copy_of(&template).await
    }

    /// Runs SQL as superuser in the database `postgres`, over the socket, whatever the server asks
    /// of others. It connects for this alone: a connection would not outlive the runtime of the
    /// test that made it.
    ///
    /// # Errors
    /// What the server says.
    pub async fn execute(&self, sql: &str) -> Result<(), Error> {
        let mut config = Config::new();
        config
            .host_path(self.socket_dir())
            .port(self.port())
            .user(self.user())
            .dbname("postgres");
        let (client, connection) = config.connect(NoTls).await?;
        let connection = tokio::spawn(connection);
        let done = client.batch_execute(sql).await;
        drop(client);
        // Until it has said goodbye, it takes up one of the server's places.
        let _ = connection.await;
        done
    }

    fn template(&self, name: &str) -> Arc<tokio::sync::OnceCell<()>> {
        let mut templates = self
            .templates
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(templates.entry(name.to_owned()).or_default())
    }

    async fn make_template(&self, template: &str) {
        // What a preparation that failed has left is of no use.
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quoted(template));
        let create = format!("CREATE DATABASE {} TEMPLATE template0", quoted(template));
        self.must(&drop).await;
        self.must(&create).await;
    }

    /// Lets nobody in any more, and sends away who is still there: a pool closes its connections
    /// only after it was dropped, and nothing copies a database in use.
    async fn seal_template(&self, template: &str) {
        let close = format!(
            "ALTER DATABASE {} WITH ALLOW_CONNECTIONS false",
            quoted(template)
        );
        let empty = format!(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{}'",
            template.replace('\'', "''")
        );
        self.must(&close).await;
        self.must(&empty).await;
    }

    async fn copy_of(&self, template: &str) -> Database {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let create = format!(
            "CREATE DATABASE {name} TEMPLATE {} STRATEGY {}",
            quoted(template),
            self.strategy
        );
        for _ in 1..ATTEMPTS {
            match self.execute(&create).await {
                Err(error) if error.code() == Some(&SqlState::OBJECT_IN_USE) => {}
                done => {
                    self.expect(&create, done);
                    let url = self.url_of(&name);
                    return Database { name, url };
                }
            }
        }
        panic!("somebody stays in {template}: it cannot be copied");
    }

    async fn must(&self, sql: &str) {
        self.expect(sql, self.execute(sql).await);
    }

    fn expect(&self, sql: &str, done: Result<(), Error>) {
        if let Err(error) = done {
            let reason = error.as_db_error().map(ToString::to_string);
            let reason = reason.unwrap_or_else(|| error.to_string());
            panic!("`{sql}`: {reason}; the server said:\n{}", self.log());
        }
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
