//! Every bound of the HTTP face, by name and with its unit.

use std::time::Duration;

use http::HeaderValue;
use polling_core::TrustedProxies;

/// The bounds and habits of an [`HttpApi`](crate::HttpApi); the defaults are the documented ones.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HttpSettings {
    /// Bytes of a request's body, at most; one more is `too_large`.
    pub body_bytes: usize,
    /// Bytes of a batch of votes, at most.
    pub batch_body_bytes: usize,
    /// Bytes of a bulk import of users, at most. They are read row by row, and never held.
    pub import_body_bytes: usize,
    /// Bytes of all bodies that the server holds at the same time, at most: what has arrived of those that are not complete, and
    /// those over 4 KiB until their requests are answered. Where there is no room, a body over 4 KiB is `overloaded`; a quarter is
    /// left to those that are not larger. Never less than twice the largest body that is taken. What is read of an import or
    /// thrown away is not held.
    pub held_body_bytes: usize,
    /// Bytes of a body over 4 KiB that have to arrive in each [`body_pace_time`](Self::body_pace_time), at least: else it is
    /// `timeout`.
    pub body_pace_bytes: usize,
    /// How long these may take.
    pub body_pace_time: Duration,
    /// Bytes of an unwanted body that are read and thrown away, at most, so that a client which writes before it reads
    /// gets its answer.
    pub drain_bytes: u64,
    /// How long an unwanted body is read and thrown away, at most.
    pub drain_time: Duration,
    /// How long a request may take, from its head to the head of its answer. A body that is not there by then is
    /// `timeout`; an answer that is not, `unavailable`. An event stream may then go on for as long as it likes. Of a bulk import
    /// each piece of the body may take as long.
    pub request_timeout: Duration,
    /// How long the body of a bulk import may be waited for in all, at most: then it is `timeout`, and another import has its
    /// turn. The time in which rows are read and written is no part of it.
    pub import_body_time: Duration,
    /// How long an event stream is silent, at most: then a comment shows that it is alive.
    pub keep_alive_interval: Duration,
    /// When a client that was told `overloaded` or `unavailable` should try again; in whole seconds.
    pub retry_after: Duration,
    /// The origins whose pages may call from a browser, like `https://example.org`; `*` for all. None by default.
    pub cors_origins: Vec<HeaderValue>,
    /// The proxies whose `X-Forwarded-For` says where a request comes from. None by default.
    pub trusted_proxies: TrustedProxies,
    /// The path under which the host application mounts the service, which `Location` headers then begin with. Empty by
    /// default; else like `/polling`.
    pub mounted_at: String,
    /// Whether the OpenAPI document is served, at `/api/openapi.json`, and its pages, at `/api/docs`. True by default; without
    /// the features `openapi` and `docs` there are none to serve.
    pub docs: bool,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            body_bytes: 64 * 1024,
            batch_body_bytes: 4 * 1024 * 1024,
            import_body_bytes: 32 * 1024 * 1024,
            held_body_bytes: 64 * 1024 * 1024,
            body_pace_bytes: 8 * 1024,
            body_pace_time: Duration::from_secs(5),
            drain_bytes: 16 * 1024 * 1024,
            drain_time: Duration::from_secs(5),
            request_timeout: Duration::from_secs(30),
            import_body_time: Duration::from_secs(10 * 60),
            keep_alive_interval: Duration::from_secs(15),
            retry_after: Duration::from_secs(1),
            cors_origins: Vec::new(),
            trusted_proxies: TrustedProxies::default(),
            mounted_at: String::new(),
            docs: true,
        }
    }
}
