//! Mounts polling in an axum application, beside its own pages. Run it with `cargo run --example axum`.
#![expect(clippy::print_stdout, reason = "it shows what happens")]

use std::error::Error;

use axum::Router;
use axum::routing::get;
use polling_core::Engine;
use polling_http::HttpApi;
use polling_sqlite::SqliteStore;
use polling_ws::WsApi;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let engine = Engine::builder(SqliteStore::in_memory().await?)
        .build()
        .await?;
    let app = app(&engine);
    let listener = TcpListener::bind(("127.0.0.1", 8080)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

/// The application's own routes come first; what they do not know is polling's.
fn app(engine: &Engine) -> Router {
    Router::new()
        .route(
            "/",
            get(|| async { "an application of its own, with polls at /api/v1" }),
        )
        .route_service("/api/v1/ws", WsApi::new(engine.clone()))
        .fallback_service(HttpApi::new(engine.clone()))
}
