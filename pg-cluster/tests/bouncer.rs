//! `PgBouncer` in front of a cluster.

use pg_cluster::{Cluster, PgBouncer, PoolMode, Version};
use tokio_postgres::NoTls;

#[tokio::test]
async fn a_session_is_lent_for_as_long_as_the_mode_says() {
    let cluster = Cluster::shared(Version::V18);
    let database = cluster.database().await;
    for (mode, is_shared) in [(PoolMode::Session, false), (PoolMode::Transaction, true)] {
        let bouncer = PgBouncer::start(cluster, mode).unwrap();
        let mut backends = Vec::new();
        let mut clients = Vec::new();
        for _ in 0..2 {
            let url = bouncer.url_of(database.name());
            let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
            tokio::spawn(connection);
            let row = client
                .simple_query("SELECT pg_backend_pid()")
                .await
                .unwrap();
            backends.push(format!("{row:?}"));
            clients.push(client);
        }
        assert_eq!(backends[0] == backends[1], is_shared, "{mode:?}");
    }
}
