//! Texts, and connections to private servers.

pub(super) mod certificates;
mod logs;
mod poolers;
mod refusals;
mod texts;
mod tls;
mod waiting;

use tokio_postgres::Client;

use super::{ConnectError, Connector};
use crate::ConnectOptions;

/// What the URL leads to, with nothing from the environment.
fn connector(url: &str) -> Connector {
    Connector::new(ConnectOptions::parse(url).unwrap()).unwrap()
}

/// The error of an attempt that must fail.
async fn refused(url: &str) -> ConnectError {
    connector(url).open().await.map(|_| ()).unwrap_err()
}

/// What the server says to a question with one answer.
async fn answer(client: &Client, sql: &str) -> String {
    client.query_one(sql, &[]).await.unwrap().get(0)
}
