//! The contract of the ports, on the machine's own PostgreSQL and on the newest; there every batch of new voters is copied
//! in, so that both ways keep the contract.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot make its store has failed"
)]

use std::time::Duration;

use pg_cluster::{Cluster, Database, Version};
use polling_pg::{ConnectOptions, PgNotifier, PgOptions, PgStore};

/// More than anything takes, also on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(50);

async fn open(options: PgOptions, url: &str) -> PgStore {
    let patient = options.statement_timeout(PATIENCE).lock_timeout(PATIENCE);
    let options = ConnectOptions::parse(url).unwrap();
    let store = patient
        .connect_with(options.connect_timeout(PATIENCE))
        .await;
    store.unwrap()
}

async fn on(version: Version, options: PgOptions) -> (PgStore, Database) {
    let migrate = |url: String| async move { drop(open(PgStore::builder(), &url).await) };
    let cluster = Cluster::shared(version);
    let database = cluster.database_like("polls", migrate).await;
    (open(options, database.url()).await, database)
}

async fn on_the_installed() -> (PgStore, Database) {
    on(Version::Installed, PgStore::builder()).await
}

async fn on_18() -> (PgStore, Database) {
    on(Version::V18, PgStore::builder().copy_from(1)).await
}

async fn notifier() -> (PgNotifier, Database) {
    let (store, database) = on_the_installed().await;
    (PgNotifier::of(store), database)
}

polling_conformance::suite!(installed, crate::on_the_installed);
polling_conformance::suite!(postgres_18, crate::on_18);
polling_conformance::notifier_suite!(notifier, crate::notifier);
