//! The WebSocket over real sockets: every frame, field, error code and close code of the contract.

#[cfg(test)]
#[path = "support/ws.rs"]
mod support;

#[path = "ws_api/bounds.rs"]
mod bounds;
#[path = "ws_api/frames.rs"]
mod frames;
#[path = "ws_api/handshake.rs"]
mod handshake;
#[path = "ws_api/live.rs"]
mod live;
#[path = "ws_api/shutdown.rs"]
mod shutdown;
#[cfg(test)]
#[path = "ws_api/slow.rs"]
mod slow;
#[path = "ws_api/visibility.rs"]
mod visibility;
#[path = "ws_api/votes.rs"]
mod votes;
