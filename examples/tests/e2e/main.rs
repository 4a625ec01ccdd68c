//! The end-to-end tests: the engine, the store and the transports together, over real sockets, as users meet them.
//!
//! They are one program, because linking is what takes the time.
#![expect(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

#[macro_use]
#[path = "../support/store.rs"]
mod store;

mod admin;
mod closing;
mod closing_two;
mod crash;
mod database;
mod descriptors;
mod disk;
mod faults;
mod greeting;
mod load;
mod lost_hints;
mod memory;
mod network;
mod outage_log;
mod overload;
mod people;
mod poison;
mod schemathesis;
mod secrets;
mod support;
mod two_servers;
