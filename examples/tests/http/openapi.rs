//! The API, described by itself.

use std::collections::BTreeSet;
use std::path::Path;

use http::Method;
use polling_core::Engine;
use polling_http::{HttpApi, HttpSettings};
use polling_sqlite::SqliteStore;
use serde_json::{Value, json};

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
async fn whatever_the_document_refers_to_is_in_it() {
    let document = Server::start().await.get(DOCUMENT).await.json();
    let mut missing = BTreeSet::new();
    let mut values = vec![&document];
    while let Some(value) = values.pop() {
        if let Some(to) = value["$ref"].as_str()
            && document.pointer(to.trim_start_matches('#')).is_none()
        {
            missing.insert(to);
        }
        match value {
            Value::Array(list) => values.extend(list),
            Value::Object(fields) => values.extend(fields.values()),
            _ => {}
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id), "{id} names two operations");
        for word in ["summary", "responses", "tags"] {
            assert!(!operation[word].is_null(), "{method} {path}: {word}");
        }
    }
}

#[tokio::test]
async fn the_examples_work_when_they_are_tried() {
    let server = Server::start().await;
    let document = server.get(DOCUMENT).await.json();
    let example = |path: &str| {
        let body = &document["paths"][path]["post"]["requestBody"];
        body["content"]["application/json"]["example"].clone()
    };
    for path in [
        "/api/v1/users",
        "/api/v1/auth/login",
        "/api/v1/polls",
        "/polls",
    ] {
        let answer = server.post(path, &example(path)).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text());
    }
    let poll = server.poll(json!({})).await;
    // The one thing that nobody can know before: the ids of the poll's options.
    let mut vote = example("/api/v1/polls/{id}/votes");
    vote["option_id"] = poll.options[0].as_str().into();
    assert_eq!(server.post(poll.path("/votes"), &vote).await.status, 201);
    let patch = &document["paths"]["/api/v1/polls/{id}"]["patch"]["requestBody"];
    let patch = &patch["content"]["application/json"]["example"];
    let ask = server.request(Method::PATCH, poll.path("")).json(patch);
    assert_eq!(ask.bearer(&poll.token).await.status, 200);
}

/// The pages, and the type of each.
const PAGES: [(&str, &str); 7] = [
    ("", "text/html; charset=utf-8"),
    ("redoc", "text/html; charset=utf-8"),
    ("reference.css", "text/css; charset=utf-8"),
    ("try.js", "text/javascript; charset=utf-8"),
    ("swagger-ui.css", "text/css; charset=utf-8"),
    ("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    ("favicon-32x32.png", "image/png"),
];

#[tokio::test]
async fn the_pages_need_nothing_from_elsewhere() {
    let server = Server::start().await;
    let moved = server.get("/api/docs").await;
    assert_eq!(
        (moved.status.as_u16(), moved.header("location")),
        (308, "docs/")
    );
    for (name, content_type) in PAGES {
        let page = server.get(format!("/api/docs/{name}")).await;
        assert_eq!(
            (page.status.as_u16(), page.header("content-type")),
            (200, content_type),
            "{name}"
        );
        assert!(!page.body.is_empty(), "{name}");
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; "), "{name}");
        assert!(!policy.contains("http") && !policy.contains('*'), "{name}");
        if content_type.starts_with("text/html") {
            let names = |mark: &str| page.text().contains(mark);
            assert!(
                !names("=\"http") && !names("=\"//") && !names("<script>"),
                "{name}"
            );
        }
        let again = server.get(format!("/api/docs/{name}"));
        let again = again.header("if-none-match", page.header("etag")).await;
        assert_eq!(
            (again.status.as_u16(), again.body.len()),
            (304, 0),
            "{name}"
        );
    }
}

#[tokio::test]
async fn the_reference_holds_every_operation_and_schema() {
    let server = Server::start().await;
    let document = server.get(DOCUMENT).await.json();
    let reference = server.get("/api/docs/redoc").await.text().to_owned();
    for (_, _, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(
            reference.contains(&format!("<section id=\"{id}\">")),
            "{id}"
        );
    }
    for name in document["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
    {
        assert!(
            reference.contains(&format!("<section id=\"schema-{name}\">")),
            "{name}"
        );
    }
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
