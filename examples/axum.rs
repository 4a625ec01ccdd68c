//! Mounts polling in an axum application, beside its own pages. Run it with `cargo run --example axum`.
#![expect(clippy::print_stdout, reason = "it shows what happens")]

use std::error::Error;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::map_request;
use axum::routing::get;
use polling_core::{Engine, PeerAddress};
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
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).await?;
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
        .layer(map_request(with_peer))
}

/// Tells polling where a request comes from, by which it limits who is not signed in.
async fn with_peer(ConnectInfo(peer): ConnectInfo<SocketAddr>, mut request: Request) -> Request {
    request.extensions_mut().insert(PeerAddress(peer.ip()));
    request
}
