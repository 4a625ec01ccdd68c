//! The schema, as people and their tools see it from outside.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot make its store has failed"
)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/voting.rs"]
mod voting;

// What `cargo run -p polling-pg --example schema` writes.
#[path = "../../examples/schema/catalog.rs"]
mod catalog;
#[path = "../../examples/schema/document.rs"]
mod document;

mod apart;
mod paper;
mod rules;
mod view;

use pg_cluster::{Cluster, Database, Version};
use polling_pg::{PgStore, SchemaName};

/// A database with the schema in it, and nothing in the schema.
async fn migrated(version: Version) -> Database {
    let migrate = |url: String| async move { drop(PgStore::connect(&url).await.unwrap()) };
    Cluster::shared(version)
        .database_like("schema", migrate)
        .await
}

/// The store in a schema of this name.
async fn store_in(database: &Database, schema: &str) -> PgStore {
    let schema: SchemaName = schema.parse().unwrap();
    let options = PgStore::builder().schema(schema);
    options.connect(database.url()).await.unwrap()
}
