//! The embedded store of the polling engine: a durable SQLite file, or memory.
//!
//! ```
//! # async fn example(folder: std::path::PathBuf) -> Result<(), Box<dyn std::error::Error>> {
//! use polling_core::Engine;
//! use polling_sqlite::SqliteStore;
//!
//! let store = SqliteStore::open(folder.join("polls.db")).await?;
//! let engine = Engine::builder(store).build().await?;
//! # Ok(())
//! # }
//! ```
//!
//! One thread owns the one connection that writes. It takes one command after the other from a bounded queue, each a
//! transaction of its own: so the single writer of SQLite is the gate that the engine's contract asks for, and nobody ever
//! waits for a lock. Reads go to a few threads with read-only connections, which the write-ahead log keeps out of the
//! writer's way. `:memory:` has the one connection for both.
//!
//! A commit is on disk before it is answered (`synchronous=FULL`). A file belongs to one process at a time, which a lock
//! on `FILE.lock` makes sure of; the sqlite3 shell may read it meanwhile (`sqlite3 -readonly FILE`), and finds the view
//! `vote_selections` there, made for people.
//!
//! The rooms are those of the core: [`polling_core::polls`], [`votes`](polling_core::votes),
//! [`results`](polling_core::results) and [`users`](polling_core::users); here each holds the SQL behind its port.

mod checkpointer;
mod columns;
mod error;
mod gate;
mod lock;
mod log;
mod open;
mod polls;
mod results;
mod schema;
mod store;
#[cfg(test)]
mod tests;
mod users;
mod vote_tokens;
mod votes;
mod workers;
mod workspaces;

pub use error::OpenError;
pub use open::SqliteOptions;
pub use store::SqliteStore;
