//! The API, described by itself.

use std::collections::BTreeSet;
use std::path::Path;

use http::Method;
use polling_core::{Code, Engine};
use polling_http::{HttpApi, HttpSettings};
use polling_sqlite::SqliteStore;
use serde_json::{Value, json};

use crate::documented::{BESIDE, DOCUMENT};
use crate::support::{Server, Start};

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

#[test]
fn the_page_for_people_names_every_route_and_every_code() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/");
    let read = |name| std::fs::read_to_string(file.join(name)).unwrap();
    let page = read("API.md");
    let document: Value = serde_json::from_str(&read("openapi.json")).unwrap();
    for (method, path, _) in operations(&document) {
        let path = path.trim_start_matches("/api/v1");
        let method = method.to_uppercase();
        // Routes of older systems and of probes are told in a sentence.
        let names = [format!("`{method} {path}"), format!("`{path}`")];
        assert!(
            names.iter().any(|name| page.contains(name)),
            "{method} {path}"
        );
    }
    for code in Code::ALL {
        assert!(page.contains(&format!("`{code}`")), "{code}");
    }
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

/// The example of the body of this operation.
fn example_of(document: &Value, method: &str, path: &str) -> Value {
    let body = &document["paths"][path][method]["requestBody"];
    body["content"]["application/json"]["example"].clone()
}

#[tokio::test]
async fn the_examples_of_workspaces_work_when_they_are_tried() {
    let server = Server::start().await;
    let document = server.get(DOCUMENT).await.json();
    let (_, ada) = server.user("ada").await;
    let send = async |method: Method, template: &str, ids: &[&str]| {
        let body = example_of(&document, &method.as_str().to_lowercase(), template);
        let mut path = String::new();
        let mut ids = ids.iter();
        for part in template.split('/').skip(1) {
            let is_id = part.starts_with('{');
            path.push('/');
            path.push_str(if is_id { ids.next().unwrap() } else { part });
        }
        let ask = server.request(method, path.clone()).json(&body);
        let answer = ask.bearer(&ada).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text());
        match answer.body.is_empty() {
            true => String::new(),
            false => answer.json()["id"].as_str().unwrap_or("").to_owned(),
        }
    };
    let (post, patch) = (Method::POST, Method::PATCH);
    let all = "/api/v1/workspaces";
    let id = &send(post.clone(), all, &[]).await;
    send(patch.clone(), "/api/v1/workspaces/{id}", &[id]).await;
    let projects = "/api/v1/workspaces/{id}/projects";
    let project = send(post.clone(), projects, &[id]).await;
    let one = "/api/v1/workspaces/{id}/projects/{project_id}";
    send(patch.clone(), one, &[id, &project]).await;
    let invitations = "/api/v1/workspaces/{id}/invitations";
    send(post.clone(), invitations, &[id]).await;
    let members = "/api/v1/workspaces/{id}/members/{user_id}";
    let (bob, _) = server.user("bob").await;
    let role = example_of(&document, "patch", members);
    let stranger = server.request(patch.clone(), format!("{all}/{id}/members/{bob}"));
    let stranger = stranger.json(&role).bearer(&ada).await;
    stranger.refuses(404, "member_not_found");
    let poll = json!({"voters": "tokens"});
    let poll = server.poll(poll).await;
    for (path, status) in [("/tokens", 201), ("/tokens/revoke", 200)] {
        let template = format!("/api/v1/polls/{{id}}{path}");
        let body = example_of(&document, "post", &template);
        let ask = server.post(poll.path(path), &body).bearer(&poll.token);
        assert_eq!(ask.await.status, status, "{path}");
    }
    send(patch, "/api/v1/users/me", &[]).await;
    send(post.clone(), "/api/v1/auth/password-reset", &[]).await;
    send(post, "/api/v1/auth/password", &[]).await;
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
