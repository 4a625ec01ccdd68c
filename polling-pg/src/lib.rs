//! The PostgreSQL store and notifier of the polling engine.

#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the store that connects is not there yet")
)]
mod connect;

pub use connect::{ConnectError, ConnectOptions, ConnectOptionsError};
