//! The service that answers the upgrade.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use polling_core::{Actor, Code, Engine};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tower_service::Service;
use tracing::Instrument;

use crate::WsSettings;
use crate::close::Close;
use crate::counted::Counted;
use crate::handshake::{self, Handshake};
use crate::log::{self, ConnectionId};
use crate::problem::Problem;
use crate::pump::Pump;
use crate::registry::{Registry, Stop};
use crate::session::Session;

/// The WebSocket face of an engine, as a [`tower::Service`](Service): cheap to clone, and all clones are one.
///
/// It answers the handshake on whatever path it is mounted, in plain hyper (`serve_connection_with_upgrades`) as in axum
/// (`route_service`). A server's graceful shutdown does not see connections that were upgraded: call
/// [`shutdown`](Self::shutdown). When the last clone is dropped its connections are closed, too.
///
/// ```
/// # async fn example(engine: polling_core::Engine) {
/// use polling_ws::{Goodbye, WsApi};
///
/// let api = WsApi::new(engine.clone());
/// // hyper: TowerToHyperService::new(api.clone())
/// // axum: Router::new().route_service("/api/v1/ws", api.clone())
///
/// // Votes that were taken are answered, and clients are told that the server comes back.
/// api.shutdown(Goodbye::Restarting).await;
/// engine.shutdown().await;
/// # }
/// ```
#[derive(Clone)]
pub struct WsApi {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    settings: Arc<WsSettings>,
    registry: Registry,
    handshakes: AtomicU64,
}

/// What clients are told at a shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goodbye {
    /// 1001: the server goes away.
    Leaving,
    /// 1012: the server comes back soon.
    Restarting,
}

impl WsApi {
    /// With the default bounds.
    #[must_use]
    pub fn new(engine: Engine) -> Self {
        Self::with_settings(engine, WsSettings::default())
    }

    /// With these bounds.
    #[must_use]
    pub fn with_settings(engine: Engine, settings: WsSettings) -> Self {
        Self {
            inner: Arc::new(Inner {
                engine,
                registry: Registry::new(settings.connections),
                settings: Arc::new(settings),
                handshakes: AtomicU64::new(1),
            }),
        }
    }

    /// How many connections there are.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.inner.registry.connections()
    }

    /// Takes no more connections, and closes those that there are: votes that were taken are answered first. It waits until
    /// all are gone, and for [`shutdown_timeout`](WsSettings::shutdown_timeout) at most. Call it before the engine's own.
    pub async fn shutdown(&self, goodbye: Goodbye) {
        let close = match goodbye {
            Goodbye::Leaving => Close::Leaving,
            Goodbye::Restarting => Close::Restarting,
        };
        let timeout = self.inner.settings.shutdown_timeout;
        self.inner.registry.shut_down(close, timeout).await;
    }
}

impl Inner {
    async fn answer(
        &self,
        id: ConnectionId,
        handshake: Result<Handshake, Problem>,
        caller: Actor,
        upgrade: Option<OnUpgrade>,
    ) -> Result<Response<Full<Bytes>>, Problem> {
        let handshake = handshake?;
        let upgrade = upgrade.ok_or(Problem::UpgradeNeeded("this connection has no upgrade"))?;
        let place = self.registry.admit()?;
        let mut actor = caller;
        if let Some(bearer) = &handshake.bearer {
            let proved = self.engine.authenticate(bearer).await;
            actor = actor.and(proved.map_err(Problem::Credential)?);
        }
        if let Some(ticket) = &handshake.ticket {
            let proved = self.engine.redeem_ticket(ticket);
            actor = actor.and(proved.map_err(Problem::Credential)?);
        }
        let connection = connect(
            upgrade,
            self.engine.clone(),
            Session::new(id, Arc::clone(&self.settings), actor),
            Arc::clone(&self.settings),
            self.registry.stop().clone(),
        );
        self.registry
            .spawn(place, connection.instrument(log::span(id)));
        Ok(handshake.response())
    }
}

/// One connection, from the answer to the handshake to its end.
async fn connect(
    upgrade: OnUpgrade,
    engine: Engine,
    session: Session,
    settings: Arc<WsSettings>,
    stop: Stop,
) {
    // Each step in a box of its own: what only a beginning or an end needs takes no room in between.
    let opening = open(upgrade, engine, session, settings, stop);
    if let Some(mut pump) = Box::pin(opening).await {
        let end = pump.run().await;
        Box::pin(pump.end(end)).await;
    }
}

type Connection = Pump<TokioIo<Upgraded>>;

/// Waits until the answer is out and the connection is ours.
async fn open(
    upgrade: OnUpgrade,
    engine: Engine,
    session: Session,
    settings: Arc<WsSettings>,
    stop: Stop,
) -> Option<Box<Connection>> {
    let upgraded = match upgrade.await {
        Ok(upgraded) => Counted::new(TokioIo::new(upgraded)),
        Err(error) => {
            tracing::debug!(%error, "the connection was not upgraded");
            return None;
        }
    };
    let config = WebSocketConfig::default()
        .read_buffer_size(settings.read_bytes)
        .write_buffer_size(settings.gather_bytes)
        // The one must be greater than the other.
        .max_write_buffer_size(settings.outgoing_bytes.max(settings.gather_bytes + 1))
        .max_message_size(Some(settings.message_bytes))
        .max_frame_size(Some(settings.message_bytes));
    let socket = WebSocketStream::from_raw_socket(upgraded, Role::Server, Some(config)).await;
    Some(Box::new(Pump::new(socket, engine, session, settings, stop)))
}

impl<B> Service<Request<B>> for WsApi {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let handshake = Handshake::of(&request, &self.inner.settings.origins);
        let caller = handshake::caller(&request, &self.inner.settings.trusted_proxies);
        let upgrade = request.extensions_mut().remove::<OnUpgrade>();
        let inner = Arc::clone(&self.inner);
        let id = ConnectionId(inner.handshakes.fetch_add(1, Ordering::Relaxed));
        Box::pin(async move {
            let answer = inner.answer(id, handshake, caller, upgrade).await;
            Ok(answer.unwrap_or_else(|problem| {
                if let Problem::Credential(error) = &problem
                    && error.code() == Code::Internal
                {
                    log::handshake_failed(id, error);
                }
                problem.response()
            }))
        })
    }
}

impl std::fmt::Debug for WsApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WsApi")
            .field("settings", &self.inner.settings)
            .field("connections", &self.connections())
            .finish_non_exhaustive()
    }
}
