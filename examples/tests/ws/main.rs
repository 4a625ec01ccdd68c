//! The WebSocket over real sockets: every frame, field, error code and close code of the contract.

#![expect(clippy::unwrap_used, reason = "what helps tests fails as tests do")]

mod bounds;
mod frames;
mod handshake;
mod live;
mod shutdown;
mod slow;
mod support;
mod visibility;
mod votes;
