//! Runs a service on a TCP listener, over HTTP/1.1 and HTTP/2 without TLS.
//!
//! For applications that have no server of their own. The service may be an [`HttpApi`](crate::HttpApi), or anything that
//! one was composed into: upgrades (WebSocket) work.

mod acceptor;
mod answers;
mod connection;
mod in_use;
mod peer;
mod places;
mod refusal;
mod wire;

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http_body::Body;
use hyper::body::Incoming;
use hyper_util::rt::TokioTimer;
use hyper_util::server::conn::auto::Builder;
use polling_core::{Cause, TrustedProxies, log_each_second};
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tower_service::Service;

use acceptor::{Acceptor, Spare};
pub(crate) use answers::PIECE_BYTES;
pub use answers::{AnswerBudget, Reservation, ServerGauges};
use answers::{ServerBudget, StreamExecutor};
use connection::Connection;
pub use peer::Peer;
use peer::WithPeer;
use places::Places;
use refusal::Refusals;

/// The bounds of [`serve`]; the defaults are the documented ones.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerSettings {
    /// Connections at the same time, viewers on event streams and WebSocket included. For one more the connection that has
    /// been without a request for longest is closed; where all have one, it is answered 503 `overloaded` at once. Each takes
    /// a file descriptor: see `docs/DEPLOYMENT.md`.
    pub connections: usize,
    /// Connections at the same time from one address, or one /64 network of IPv6; one more is answered 503 `overloaded`.
    /// `None` for no such bound. By default half of all connections, so that one address cannot have all of them, and a hall
    /// behind one address has enough.
    pub connections_per_address: Option<usize>,
    /// Proxies, through which everybody comes: their connections are not counted by address. None by default.
    pub trusted_proxies: TrustedProxies,
    /// Whether connections from this computer are counted by address like others: a proxy may run there. False by default.
    pub limit_loopback: bool,
    /// Clients at the same time that are told that there is no place, in up to two seconds each: each takes a file
    /// descriptor beside those of `connections`. What is more is told without waiting for its request, and closed.
    pub refusals: usize,
    /// When a client for whom there was no place should try again; in whole seconds.
    pub retry_after: Duration,
    /// How long the head of a request may take to arrive, and how long a connection without a request is kept. Half a
    /// head is then answered 408.
    pub header_read_timeout: Duration,
    /// How long a client may take nothing of an answer: then its stream is reset over HTTP/2, and its connection closed over
    /// HTTP/1.1 and where nothing else frees the answer. A viewer that is gone, or has stopped to read, does not keep its
    /// slot. Of an answer over HTTP/2 a client takes at least a piece (16 KiB, or the rest) in this time.
    pub write_timeout: Duration,
    /// Bytes of answers that the client of one connection has not taken, at most: 4 MiB. A request whose answer may be large
    /// waits until there is room for it. One answer alone may be larger.
    pub connection_answer_bytes: usize,
    /// The same for all connections together: 128 MiB. Where they are used up, clients that take nothing are ended after a
    /// second; requests whose answers may be large are refused as `overloaded` after two, and votes go on.
    pub answer_bytes: usize,
    /// Where the server shows how much of that is used. Servers with the same gauges share one budget.
    pub gauges: ServerGauges,
    /// Bytes of a request's head, at most, and of what is read ahead of its body; at least 8 KiB.
    pub header_bytes: u32,
    /// Header lines of a request, at most.
    pub headers: usize,
    /// Requests at the same time on one connection of HTTP/2.
    pub streams: u32,
    /// How often the other end of a silent HTTP/2 connection is asked whether it is still there.
    pub ping_interval: Duration,
    /// How long the requests that are in flight at shutdown may take before their connections are closed.
    pub shutdown_grace: Duration,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            connections: 50_000,
            connections_per_address: Some(25_000),
            trusted_proxies: TrustedProxies::default(),
            limit_loopback: false,
            refusals: 64,
            retry_after: Duration::from_secs(1),
            header_read_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            connection_answer_bytes: 4 * 1024 * 1024,
            answer_bytes: 128 * 1024 * 1024,
            gauges: ServerGauges::default(),
            header_bytes: 64 * 1024,
            headers: 100,
            streams: 200,
            ping_interval: Duration::from_secs(20),
            shutdown_grace: Duration::from_secs(10),
        }
    }
}

/// The least that the HTTP library reads into.
const LEAST_HEADER_BYTES: u32 = 8 * 1024;

/// Bytes of a stream of HTTP/2 that the library holds at once, beside one piece more. They are part of what is counted.
const SEND_BYTES: usize = 64 * 1024;
/// Bytes that a client may send ahead of who reads them, on one stream of HTTP/2 and on all of a connection together.
const STREAM_WINDOW_BYTES: u32 = 256 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;
/// Streams that a client may reset before they were looked at, and streams that are reset because the client broke the
/// protocol: one more ends the connection.
const RESETS_AT_ONCE: usize = 20;
const ERRORS: usize = 128;

/// Serves until `shutdown` is ready; then takes no more requests, and returns when those in flight are answered, or after
/// [`shutdown_grace`](ServerSettings::shutdown_grace).
///
/// Event streams end when the engine is shut down, not by themselves: call
/// [`Engine::shutdown`](polling_core::Engine::shutdown) beside this, when `shutdown` is ready. Dropping the future closes
/// all connections at once; but for those that were upgraded, which are not the server's any more.
///
/// Each request has the [`PeerAddress`](polling_core::PeerAddress) and the [`AnswerBudget`] of its connection among its
/// extensions.
pub async fn serve<S, B>(
    listener: TcpListener,
    service: S,
    settings: ServerSettings,
    shutdown: impl Future<Output = ()>,
) where
    S: Service<http::Request<Incoming>, Response = http::Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Cause>,
{
    let service_for = |peer: &Peer| WithPeer::with_address(service.clone(), peer);
    serve_connections(listener, service_for, settings, shutdown).await;
}

/// As [`serve`], with a service for each connection, which is made for the address of the other end: as by
/// [`HttpApi::for_peer`](crate::HttpApi::for_peer), which knows then without looking into each request.
pub async fn serve_each<S, B>(
    listener: TcpListener,
    service_for: impl Fn(SocketAddr) -> S,
    settings: ServerSettings,
    shutdown: impl Future<Output = ()>,
) where
    S: Service<http::Request<Incoming>, Response = http::Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Cause>,
{
    let service_for = |peer: &Peer| WithPeer::new(service_for(peer.address), peer);
    serve_connections(listener, service_for, settings, shutdown).await;
}

/// As [`serve_each`], with all that is known of a connection: as by
/// [`HttpApi::for_connection`](crate::HttpApi::for_connection). Requests have nothing added, which costs the least.
pub async fn serve_connections<S, B>(
    listener: TcpListener,
    service_for: impl Fn(&Peer) -> S,
    settings: ServerSettings,
    shutdown: impl Future<Output = ()>,
) where
    S: Service<http::Request<Incoming>, Response = http::Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Cause>,
{
    let budget = ServerBudget::new(&settings);
    let _sweeping = AbortOnDropHandle::new(tokio::spawn(Arc::clone(&budget).sweep()));
    let places = Places::new(&settings);
    let refusals = Refusals::new(settings.refusals, settings.retry_after);
    let connections = TaskTracker::new();
    let (leave, abort) = (CancellationToken::new(), CancellationToken::new());
    let _abort_on_drop = abort.clone().drop_guard();
    let mut shutdown = pin!(shutdown);
    let mut acceptor = Acceptor {
        spare: Spare::of(&listener),
        listener,
        places: &places,
        refusals: &refusals,
    };
    loop {
        let (stream, peer) = tokio::select! {
            accepted = acceptor.accept() => accepted,
            () = &mut shutdown => break,
        };
        let place = match places.take(peer.ip()).await {
            Ok(place) => place,
            Err(why) => {
                log_each_second!(warn, "a connection is refused", why = why.as_str());
                refusals.refuse(stream, why, &connections);
                continue;
            }
        };
        let abort = abort.child_token();
        let answers = budget.connection(abort.clone());
        let service = service_for(&Peer {
            address: peer,
            answers: AnswerBudget::new(Arc::clone(&answers)),
        });
        let connection = Connection {
            stream,
            place: Arc::new(place),
            service,
            builder: builder(&settings, StreamExecutor::new(Arc::clone(&answers))),
            answers,
            header_read_timeout: settings.header_read_timeout,
            write_timeout: settings.write_timeout,
            leave: leave.clone(),
            abort,
        };
        connections.spawn(connection.run());
    }
    drop(acceptor);
    leave.cancel();
    connections.close();
    if timeout(settings.shutdown_grace, connections.wait())
        .await
        .is_err()
    {
        let left = connections.len();
        tracing::warn!(connections = left, "closed before they were answered");
        abort.cancel();
        connections.wait().await;
    }
}

fn builder(settings: &ServerSettings, executor: StreamExecutor) -> Builder<StreamExecutor> {
    let header_bytes = settings.header_bytes.max(LEAST_HEADER_BYTES);
    let mut builder = Builder::new(executor);
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.header_read_timeout)
        .max_headers(settings.headers)
        .max_buf_size(header_bytes as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(header_bytes)
        .max_concurrent_streams(settings.streams)
        .max_send_buf_size(SEND_BYTES)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_pending_accept_reset_streams(RESETS_AT_ONCE)
        .max_local_error_reset_streams(ERRORS)
        .keep_alive_interval(settings.ping_interval);
    builder
}
