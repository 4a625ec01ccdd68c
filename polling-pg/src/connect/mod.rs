//! How a server is reached.
//!
//! [`ConnectOptions`] is what libpq reads from a URL and its environment. A [`Connector`] is made from it, and makes one
//! connection after the other: for a pool, for whoever listens, and for the checks that a server has to pass once. What
//! goes wrong is a [`ConnectError`], which is written for people and knows whether time heals it.

mod backoff;
mod checks;
mod connector;
mod error;
mod hosts;
mod options;
mod passfile;
mod refusal;
mod settings;
#[cfg(test)]
mod tests;
mod text;
mod tls;
mod verifier;

pub(crate) use backoff::Backoff;
pub(crate) use connector::{Connection, Connector};
pub use error::ConnectError;
pub use options::{ConnectOptions, ConnectOptionsError};
