//! The WebSocket over real sockets: every frame, field, error code and close code of the contract.
//!
//! Votes, visibility and live results depend on what a store does, and run on every store. Bounds, frames, handshakes,
//! slow clients and the shutdown do not: they run on one, in memory.

#![expect(clippy::unwrap_used, reason = "what helps tests fails as tests do")]

#[macro_use]
#[path = "../support/store.rs"]
mod store;

#[path = "../support/forged.rs"]
mod forged;

mod access_tokens;
mod bounds;
mod frames;
mod handshake;
mod limits;
mod live;
mod members;
mod rights;
mod shutdown;
mod slow;
mod support;
mod tickets;
mod visibility;
mod vote_tokens;
mod votes;
