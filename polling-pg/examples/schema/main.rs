//! Writes docs/SCHEMA.md anew, from the schema as a database has it: `cargo run -p polling-pg --example schema`.

mod catalog;
mod document;

use std::path::Path;
use std::{error, fs};

use pg_cluster::{Cluster, ClusterOptions, Version};
use polling_pg::PgStore;
use tokio_postgres::NoTls;

#[tokio::main]
async fn main() -> Result<(), Box<dyn error::Error>> {
    let cluster = Cluster::start(&ClusterOptions::new(Version::Installed))?;
    let database = cluster.database().await;
    drop(PgStore::connect(database.url()).await?);
    let (client, connection) = tokio_postgres::connect(database.url(), NoTls).await?;
    tokio::spawn(connection);
    let catalog = catalog::read(&client, "polling").await?;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/SCHEMA.md");
    fs::write(file, document::of(&catalog)?)?;
    Ok(())
}
