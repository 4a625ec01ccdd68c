//! Every bound of the WebSocket face, by name and with its unit.

use std::time::Duration;

use polling_core::TrustedProxies;

use crate::Origins;

/// The bounds and paces of a [`WsApi`](crate::WsApi); the defaults are the documented ones.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WsSettings {
    /// Pages of which origins may connect.
    pub origins: Origins,
    /// The proxies whose `X-Forwarded-For` says where a connection comes from. None by default.
    pub trusted_proxies: TrustedProxies,
    /// Connections at the same time; one more is refused with 503 `overloaded`.
    pub connections: usize,
    /// Bytes of a message from a client, in one frame or several; one more closes with 1009.
    pub message_bytes: usize,
    /// Bytes of a `ref`, quotes included.
    pub ref_bytes: usize,
    /// Polls that one connection may be subscribed to.
    pub subscriptions: usize,
    /// Manage and vote tokens that one connection may hold side by side. Of access tokens it has one: the next takes its place.
    pub credentials: usize,
    /// Votes of one connection that may wait for their commit; while there are so many, no more is read from it.
    pub votes_in_flight: usize,
    /// Bad frames that a connection may send; one more closes with 1008.
    pub bad_frames: usize,
    /// How often the server pings. A client that was silent for two of these is gone.
    pub heartbeat_interval: Duration,
    /// How long a client may take no bytes at all, while there are some for it, before it is too slow: 1013.
    pub write_timeout: Duration,
    /// How long a connection that is being closed waits for its client.
    pub close_timeout: Duration,
    /// How long a shutdown waits for the connections.
    pub shutdown_timeout: Duration,
    /// Bytes that are read from a connection at once: a buffer that each connection has for as long as it lives.
    pub read_bytes: usize,
    /// Bytes of answers that are gathered for one write while there is more to answer at once.
    pub gather_bytes: usize,
    /// Bytes that may wait for a client in all; more than `gather_bytes` and the greatest answer.
    pub outgoing_bytes: usize,
}

impl Default for WsSettings {
    fn default() -> Self {
        Self {
            origins: Origins::Same,
            trusted_proxies: TrustedProxies::default(),
            connections: 100_000,
            message_bytes: 64 * 1024,
            ref_bytes: 128,
            subscriptions: 100,
            credentials: 100,
            votes_in_flight: 1_024,
            bad_frames: 10,
            heartbeat_interval: Duration::from_secs(30),
            write_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(5),
            shutdown_timeout: Duration::from_secs(10),
            read_bytes: 1024,
            gather_bytes: 16 * 1024,
            outgoing_bytes: 256 * 1024,
        }
    }
}
