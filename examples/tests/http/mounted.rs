//! The service inside an axum application, beside routes of its own.

use axum::Router;
use axum::routing::get;
use polling_core::Engine;
use polling_http::HttpApi;
use polling_sqlite::SqliteStore;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::soon;

async fn engine() -> Engine {
    let store = SqliteStore::in_memory().await.unwrap();
    Engine::builder(store).build().await.unwrap()
}

async fn ask(app: Router, path: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    soon(stream.read_to_string(&mut answer)).await.unwrap();
    answer
}

#[tokio::test]
async fn the_service_answers_what_the_application_does_not() {
    let own = Router::new().route("/", get(async || "home"));
    let app = own.fallback_service(HttpApi::new(engine().await));
    assert!(ask(app.clone(), "/").await.ends_with("home"));
    let polls = ask(app, "/api/v1/polls").await;
    assert!(
        polls.ends_with(r#"{"items":[],"next_cursor":null}"#),
        "{polls}"
    );
}

#[tokio::test]
async fn the_service_can_be_mounted_under_a_path() {
    let app = Router::new().nest_service("/polling", HttpApi::new(engine().await));
    // Relative, and so right wherever it is.
    let docs = ask(app.clone(), "/polling/api/docs").await;
    assert!(docs.contains("\r\nlocation: docs/\r\n"), "{docs}");
    let page = ask(app.clone(), "/polling/api/docs/").await;
    assert!(page.contains("src=\"swagger-ui-bundle.js\""), "{page}");
    let polls = ask(app, "/polling/api/v1/polls").await;
    assert!(
        polls.ends_with(r#"{"items":[],"next_cursor":null}"#),
        "{polls}"
    );
}
