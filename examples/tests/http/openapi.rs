//! The API, described by itself.

use std::collections::BTreeSet;
use std::path::Path;

use polling_core::Engine;
use polling_http::{HttpApi, HttpSettings};
use polling_sqlite::SqliteStore;
use serde_json::Value;

use crate::support::{Server, Start};

const DOCUMENT: &str = "/api/openapi.json";

/// What other services answer, and the pages about the document itself.
const BESIDE: [(&str, &str); 2] = [("GET", "/api/v1/ws"), ("GET", "/metrics")];

#[tokio::test]
async fn every_route_is_described_and_nothing_else() {
    let store = SqliteStore::in_memory().await.unwrap();
    let engine = Engine::builder(store).build().await.unwrap();
    let api = HttpApi::new(engine);
    let routes = api.routes();
    let mut routes: BTreeSet<_> = routes
        .map(|(method, path)| (method.as_str().to_owned(), path.to_owned()))
        .filter(|(_, path)| path != DOCUMENT && !path.starts_with("/api/docs"))
        .collect();
    routes.extend(BESIDE.map(|(method, path)| (method.to_owned(), path.to_owned())));
    let document = Server::start().await.get(DOCUMENT).await.json();
    let described: BTreeSet<_> = operations(&document)
        .map(|(method, path, _)| (method.to_uppercase(), path.to_owned()))
        .collect();
    let forgotten: Vec<_> = routes.difference(&described).collect();
    assert!(
        forgotten.is_empty(),
        "not described in polling-http/src/openapi: {forgotten:?}"
    );
    let surplus: Vec<_> = described.difference(&routes).collect();
    assert!(surplus.is_empty(), "described, and no route: {surplus:?}");
}

fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, item)| {
        let operations = item.as_object().unwrap().iter();
        operations.map(move |(method, operation)| (method.as_str(), path.as_str(), operation))
    })
}

#[tokio::test]
async fn the_document_is_the_one_that_is_checked_in() {
    let document = Server::start().await.get(DOCUMENT).await.json();
    let text = serde_json::to_string_pretty(&document).unwrap() + "\n";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    if wants_it_written() {
        std::fs::write(&file, &text).unwrap();
    }
    let checked_in = std::fs::read_to_string(&file).unwrap_or_default();
    let mut lines = text.lines().zip(checked_in.lines()).enumerate();
    let first = lines.find(|(_, (now, then))| now != then);
    assert!(
        text == checked_in,
        "docs/openapi.json is another one, first at {first:?}; where that is meant, write it anew:\n\
         POLLING_WRITE_OPENAPI=1 cargo test -p polling-examples --test http the_document_is"
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "whoever runs the test says it, by hand"
)]
fn wants_it_written() -> bool {
    std::env::var("POLLING_WRITE_OPENAPI").is_ok_and(|value| value == "1")
}

#[tokio::test]
async fn without_docs_there_is_no_document() {
    let mut http = HttpSettings::default();
    http.docs = false;
    let start = Start {
        http,
        ..Start::default()
    };
    let server = start.run().await;
    for path in [DOCUMENT, "/api/docs", "/api/docs/redoc"] {
        server.get(path).await.refuses(404, "not_found");
    }
}
