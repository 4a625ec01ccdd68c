//! The PostgreSQL store and notifier of the polling engine: exact across many servers.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use polling_core::Engine;
//! use polling_pg::PgStore;
//!
//! let store = PgStore::connect("postgres://polls@db.example/polls?sslmode=verify-full").await?;
//! let engine = Engine::builder(store).build().await?;
//! # Ok(())
//! # }
//! ```
//!
//! Any number of servers may share a database. What decides is one row for each poll, its gate: a batch of ballots is one
//! statement and one commit, which writes the ballots first and counts them in the gate last; closing a poll is an update
//! of the same row. What moved is told to the other servers by `NOTIFY`, and read again every second in any case.
//!
//! Everything lives in a schema of its own, `polling` by default, whose tables and columns say what they are
//! (`\d+ polling.*` in psql); the view `vote_selections` there is made for people. PostgreSQL 14 or newer. Between it and
//! a server there may be a pooler that pools sessions, but none that pools transactions.
//!
//! The rooms are those of the core: [`polling_core::polls`], [`votes`](polling_core::votes),
//! [`results`](polling_core::results) and [`users`](polling_core::users); here each holds the SQL behind its port.

mod columns;
mod connect;
mod database;
mod error;
mod notifier;
mod options;
mod polls;
mod results;
mod schema;
mod session;
mod sql;
mod store;
#[cfg(test)]
mod tests;
mod turns;
mod users;
mod vote_tokens;
mod votes;
mod workspaces;

pub use connect::{ConnectError, ConnectOptions, ConnectOptionsError};
/// The type of an application's own pool, for [`PgOptions::connect_through`].
pub use deadpool_postgres;
pub use error::OpenError;
pub use notifier::PgNotifier;
pub use options::PgOptions;
pub use schema::{InvalidSchemaName, Migrations, SchemaName};
pub use store::PgStore;
