//! Runs a service on a TCP listener, over HTTP/1.1 and HTTP/2 without TLS.
//!
//! For applications that have no server of their own. The service may be an [`HttpApi`](crate::HttpApi), or anything that
//! one was composed into: upgrades (WebSocket) work.

mod connection;
mod peer;
mod wire;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http_body::Body;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use polling_core::Cause;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service;

use connection::Connection;
use peer::WithPeer;

/// The bounds of [`serve`]; the defaults are the documented ones.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerSettings {
    /// Connections at the same time, viewers included; one more waits until another ends.
    pub connections: usize,
    /// How long the head of a request may take to arrive, and how long a connection without a request is kept. Half a
    /// head is then answered 408.
    pub header_read_timeout: Duration,
    /// How long a client may take nothing of what is sent to it, before its connection is closed: a viewer that is gone, or
    /// has stopped to read, does not keep its slot.
    pub write_timeout: Duration,
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
            header_read_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
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

/// How long to wait when no connection can be taken, for want of file descriptors mostly.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Serves until `shutdown` is ready; then takes no more requests, and returns when those in flight are answered, or after
/// [`shutdown_grace`](ServerSettings::shutdown_grace).
///
/// Event streams end when the engine is shut down, not by themselves: call
/// [`Engine::shutdown`](polling_core::Engine::shutdown) beside this, when `shutdown` is ready. Dropping the future closes
/// all connections at once; but for those that were upgraded, which are not the server's any more.
///
/// Each request has the [`PeerAddress`](polling_core::PeerAddress) of its connection among its extensions.
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
    let service_for = |peer: SocketAddr| WithPeer::new(service.clone(), peer);
    serve_each(listener, service_for, settings, shutdown).await;
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
    let builder = Arc::new(builder(&settings));
    let slots = Arc::new(Semaphore::new(settings.connections));
    let connections = TaskTracker::new();
    let (leave, abort) = (CancellationToken::new(), CancellationToken::new());
    let _abort_on_drop = abort.clone().drop_guard();
    let mut shutdown = pin!(shutdown);
    loop {
        let (stream, peer, slot) = tokio::select! {
            accepted = accept(&listener, &slots) => accepted,
            () = &mut shutdown => break,
        };
        let connection = Connection {
            stream,
            service: service_for(peer),
            builder: Arc::clone(&builder),
            header_read_timeout: settings.header_read_timeout,
            write_timeout: settings.write_timeout,
            leave: leave.clone(),
            abort: abort.clone(),
        };
        connections.spawn(async move {
            connection.run().await;
            drop(slot);
        });
    }
    drop(listener);
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

fn builder(settings: &ServerSettings) -> Builder<TokioExecutor> {
    let header_bytes = settings.header_bytes.max(LEAST_HEADER_BYTES);
    let mut builder = Builder::new(TokioExecutor::new());
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
        .keep_alive_interval(settings.ping_interval);
    builder
}

/// The next connection. While there is no slot it stays in the queue of the operating system.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    // Nobody closes the semaphore.
    let Ok(slot) = Arc::clone(slots).acquire_owned().await else {
        return std::future::pending().await;
    };
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, slot),
            Err(error) if is_about_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(error = %error, "no connection can be taken");
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

fn is_about_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}
