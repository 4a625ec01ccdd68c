//! The schema on paper.

use pg_cluster::Version;

use crate::common::{on_each_version, session};
use crate::{catalog, document, migrated};

on_each_version! {
    the_document_says_what_the_database_says
}

const ON_PAPER: &str = include_str!("../../../docs/SCHEMA.md");

async fn the_document_says_what_the_database_says(version: Version) {
    let database = migrated(version).await;
    let session = session(&database).await;
    let catalog = catalog::read(&session, "polling").await.unwrap();
    let live = document::of(&catalog).unwrap();
    let lines = live.lines().zip(ON_PAPER.lines());
    let differing = lines.enumerate().find(|(_, (live, paper))| live != paper);
    assert!(
        live == ON_PAPER,
        "docs/SCHEMA.md is not the schema any more: write it anew with `cargo run -p polling-pg --example schema`. \
         The first line that differs is {differing:?}"
    );
}
