//! Databases: fresh, and copied from one that is prepared once.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};

use common::connect;
use pg_cluster::{Cluster, Version};

#[tokio::test]
async fn every_database_is_fresh() {
    let cluster = Cluster::shared(Version::V18);
    let (one, other) = (cluster.database().await, cluster.database().await);
    assert_ne!(one.name(), other.name());
    for database in [one, other] {
        let client = connect(database.url()).await;
        client.batch_execute("CREATE TABLE mine ()").await.unwrap();
    }
}

/// The preparation leaves its connection open, as a pool that is not dropped yet does.
#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_prepared_once_for_all_who_ask() {
    static TIMES: AtomicUsize = AtomicUsize::new(0);
    async fn count(version: Version) -> i64 {
        let prepare = async |url: String| {
            TIMES.fetch_add(1, Ordering::Relaxed);
            let client = connect(&url).await;
            let sql = "CREATE TABLE rows (n int); INSERT INTO rows VALUES (1), (2)";
            client.batch_execute(sql).await.unwrap();
            tokio::spawn(async move {
                let _client = client;
                std::future::pending::<()>().await;
            });
        };
        let database = Cluster::shared(version)
            .database_like("rows", prepare)
            .await;
        let client = connect(database.url()).await;
        let sql = "INSERT INTO rows VALUES (3)";
        client.batch_execute(sql).await.unwrap();
        client
            .query_one("SELECT count(*) FROM rows", &[])
            .await
            .unwrap()
            .get(0)
    }
    for version in Version::ALL {
        TIMES.store(0, Ordering::Relaxed);
        let asking: Vec<_> = (0..8).map(|_| tokio::spawn(count(version))).collect();
        for rows in asking {
            assert_eq!(rows.await.unwrap(), 3);
        }
        assert_eq!(TIMES.load(Ordering::Relaxed), 1);
    }
}

#[tokio::test]
async fn a_preparation_that_failed_is_done_again() {
    let cluster = Cluster::shared(Version::Installed);
    let fails = tokio::spawn(cluster.database_like("twice", async |url: String| {
        connect(&url)
            .await
            .batch_execute("CREATE TABLE half ()")
            .await
            .unwrap();
        panic!("in the middle");
    }));
    assert!(fails.await.is_err());
    let database = cluster.database_like("twice", async |_| ()).await;
    let client = connect(database.url()).await;
    client.batch_execute("CREATE TABLE half ()").await.unwrap();
}
