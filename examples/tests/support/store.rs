//! Runs a test on every store there is: `on_every_store!` lists the tests of a file, and makes of each a test per store,
//! as `sqlite::a_ballot_is_counted`. A store more is a line more in the macro, and an arm more in [`Store::fresh`].

use std::any::Any;
use std::sync::Arc;

use pg_cluster::{Cluster, Database, Version};
use polling_core::Repository;
use polling_pg::PgStore;
use polling_sqlite::SqliteStore;

/// Makes tests of async functions that take a [`Store`]; with an attribute in front, of that kind.
macro_rules! on_every_store {
    ($($test:ident)+) => {
        on_every_store! {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            $($test)+
        }
    };
    (#[$kind:meta] $($test:ident)+) => {
        on_every_store! { @ sqlite Sqlite #[$kind] $($test)+ }
        on_every_store! { @ postgres Postgres #[$kind] $($test)+ }
    };
    (@ $name:ident $store:ident #[$kind:meta] $($test:ident)+) => {
        mod $name {
            $(
                #[$kind]
                async fn $test() {
                    Box::pin(super::$test(crate::store::Store::$store)).await;
                }
            )+
        }
    };
}

/// What a test keeps its polls in.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Store {
    #[default]
    Sqlite,
    Postgres,
}

/// What has to be held as long as a store is in use.
pub(crate) type Guard = Box<dyn Any + Send + Sync>;

impl Store {
    /// A store with nothing in it, which this test has for itself. It need not outlive the test.
    pub(crate) async fn fresh(self) -> (Arc<dyn Repository>, Guard) {
        match self {
            Self::Sqlite => {
                let store = SqliteStore::in_memory().await;
                (Arc::new(store.expect("memory can be had")), Box::new(()))
            }
            Self::Postgres => {
                let store = PgStore::connect(database().await.url()).await;
                (
                    Arc::new(store.expect("the database is there")),
                    Box::new(()),
                )
            }
        }
    }
}

/// A database with the tables of a store and nothing in them, in the cluster that the tests of this program share.
pub(crate) async fn database() -> Database {
    migrated(Cluster::shared(Version::Installed)).await
}

/// The same, in any cluster.
pub(crate) async fn migrated(cluster: &Cluster) -> Database {
    cluster
        .database_like("polling", |url| async move {
            // Opening a store migrates.
            let store = PgStore::connect(&url).await;
            drop(store.expect("the database is there"));
        })
        .await
}
