//! Private, throw-away PostgreSQL clusters for tests and benches.
//!
//! A [`Cluster`] is a server of one's own, made with the `initdb` of the machine in a directory
//! below the system's temporary one. It listens on a free port of the loopback interface, and it
//! is stopped and removed whatever happens to the process that started it: `kill -9` and clusters
//! in a `static` included. Most tests want no cluster but a database: one of
//! [`Cluster::shared`], with [`Cluster::database_like`] for its tables.
//!
//! [`Proxy`] and [`PgBouncer`] stand between a client and the server: the one to make the network
//! fail, the other because it stands there for many people.
//!
//! ```no_run
//! # async fn example() {
//! use pg_cluster::{Cluster, Version};
//!
//! let cluster = Cluster::shared(Version::Installed);
//! let database = cluster.database().await;
//! println!("{}", database.url());
//! # }
//! ```
//!
//! Starting, stopping and killing a server block the thread. That is meant: the test that asks for
//! it has nothing else to do.

mod account;
mod bouncer;
mod cluster;
mod conversation;
mod database;
mod error;
mod frames;
mod making;
mod options;
mod ports;
mod postmaster;
mod pristine;
mod programs;
mod proxy;
mod room;
mod waiting;
mod watchdog;

pub use bouncer::{PgBouncer, PoolMode};
pub use cluster::Cluster;
pub use database::Database;
pub use error::Error;
pub use options::ClusterOptions;
pub use programs::Version;
pub use proxy::Proxy;
pub use room::limit_files;
