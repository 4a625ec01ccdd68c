//! The HTTP face of the polling engine: one [`tower_service::Service`] that runs on plain hyper and mounts in any
//! framework that takes such services.
//!
//! [`HttpApi`] turns requests into calls of the engine, and its answers into JSON; it decides nothing. [`server::serve`]
//! runs it, or whatever it was composed into, on a TCP listener.
//!
//! ```no_run
//! # async fn run(engine: polling_core::Engine) -> std::io::Result<()> {
//! use polling_http::{HttpApi, server};
//!
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! let leave = std::future::pending();
//! server::serve(listener, HttpApi::new(engine), server::ServerSettings::default(), leave).await;
//! # Ok(())
//! # }
//! ```
//!
//! A request goes through `service.rs` (route, credential, body, handler, and an answer whatever happens), which finds
//! its handler in the table of `routes/`. What goes wrong becomes a problem (RFC 9457) in `problem.rs`, the one place that
//! knows statuses.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod answer_size;
mod body;
mod budget;
mod cors;
#[cfg(feature = "docs")]
mod docs;
mod limits;
#[cfg(feature = "openapi")]
mod openapi;
#[cfg(feature = "openapi")]
mod page;
mod peer;
#[cfg(feature = "accounts")]
mod pieces;
mod problem;
mod query;
mod request;
mod request_id;
mod response;
mod router;
mod routes;
pub mod server;
mod service;
mod settings;
mod sse;

pub use response::ResponseBody;
pub use service::{HttpApi, ResponseFuture};
pub use settings::HttpSettings;
