//! What the tests of the schema share: a session beside the store, and both versions of PostgreSQL.

use pg_cluster::{Cluster, Database, Version};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// Each of these functions as a test on each version.
macro_rules! on_each_version {
    ($($test:ident)*) => {
        mod installed {
            $(#[tokio::test] async fn $test() { super::$test(pg_cluster::Version::Installed).await; })*
        }
        mod postgres_18 {
            $(#[tokio::test] async fn $test() { super::$test(pg_cluster::Version::V18).await; })*
        }
    };
}

pub(crate) use on_each_version;

/// Nothing is in it yet.
pub(crate) async fn empty(version: Version) -> Database {
    Cluster::shared(version).database().await
}

/// A connection that the store knows nothing of.
pub(crate) async fn session(database: &Database) -> Client {
    let (client, connection) = tokio_postgres::connect(database.url(), NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    client
}

/// The rows as psql shows them: columns side by side, `|` between them, nothing for NULL.
pub(crate) async fn rows(client: &Client, sql: &str) -> Vec<String> {
    let answer = client.simple_query(sql).await.unwrap();
    let rows = answer.into_iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let line = |row: tokio_postgres::SimpleQueryRow| {
        let columns = (0..row.len()).map(|column| row.get(column).unwrap_or_default());
        columns.collect::<Vec<_>>().join("|")
    };
    rows.map(line).collect()
}

/// Returns when the first row of `sql` is this one.
pub(crate) async fn until(client: &Client, sql: &str, row: &str) {
    let mut last = Vec::new();
    let comes = async {
        while last.first().map(String::as_str) != Some(row) {
            last = rows(client, sql).await;
            tokio::task::yield_now().await;
        }
    };
    let in_time = tokio::time::timeout(std::time::Duration::from_secs(60), comes).await;
    assert!(
        in_time.is_ok(),
        "{row:?} never comes from {sql}, but {last:?}"
    );
}
