//! Poolers before the server.

use pg_cluster::{Cluster, PgBouncer, PoolMode, Version};

use super::connector;
use crate::ConnectError;

#[tokio::test]
async fn a_pooler_that_does_not_keep_sessions_is_refused() {
    let cluster = Cluster::shared(Version::Installed);
    for mode in [PoolMode::Transaction, PoolMode::Statement] {
        let pooler = PgBouncer::start(cluster, mode).unwrap();
        let connector = connector(&pooler.url_of("postgres"));
        let error = connector.check().await.unwrap_err();
        assert!(
            matches!(error, ConnectError::TransactionPooling { .. }),
            "{mode:?}: {error:?}"
        );
        assert!(error.to_string().contains("pool_mode=session"), "{error}");
        assert!(!error.heals());
    }
}

#[tokio::test]
async fn a_pooler_that_keeps_sessions_is_fine() {
    let cluster = Cluster::shared(Version::Installed);
    let pooler = PgBouncer::start(cluster, PoolMode::Session).unwrap();
    connector(&pooler.url_of("postgres")).check().await.unwrap();
}

#[tokio::test]
async fn a_pooler_that_others_use_meanwhile_is_refused_all_the_same() {
    let cluster = Cluster::shared(Version::Installed);
    let pooler = PgBouncer::start(cluster, PoolMode::Transaction).unwrap();
    let connector = connector(&pooler.url_of("postgres"));
    let mut others = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let other = connector.open().await.unwrap();
        others.spawn(async move {
            loop {
                other.simple_query("select pg_sleep(0.001)").await.unwrap();
            }
        });
    }
    for _ in 0..5 {
        let error = connector.check().await.unwrap_err();
        assert!(
            matches!(error, ConnectError::TransactionPooling { .. }),
            "{error:?}"
        );
    }
}
