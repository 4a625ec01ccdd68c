//! The services behind one listener: `/api/v1/ws` goes to the WebSocket face, `/metrics` to the exporter, and all else to
//! the HTTP face.

use std::convert::Infallible;
use std::error::Error;
use std::net::IpAddr;

use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::body::{Bytes, Incoming};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use polling_core::{Engine, PeerAddress};
use polling_http::server::{Peer, ServerGauges, ServerSettings, serve_connections};
use polling_http::{HttpApi, HttpSettings};
use polling_ws::{Goodbye, Origins, WsApi, WsSettings};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::{Service, service_fn};

use crate::descriptors;
use crate::gauges;
use crate::settings::Settings;

const WEB_SOCKET: &str = "/api/v1/ws";
const METRICS: &str = "/metrics";

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// All that listens.
pub(crate) struct App {
    engine: Engine,
    http: HttpApi,
    ws: WsApi,
    metrics: PrometheusHandle,
    server: ServerSettings,
}

impl App {
    /// For a process that may have so many files open.
    pub(crate) fn new(
        engine: Engine,
        settings: &Settings,
        open_files: Option<u64>,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let mut http = HttpSettings::default();
        let mut ws = WsSettings::default();
        let mut server = server_settings(settings, open_files);
        settings.answers.apply(&mut server);
        // Each of them is a connection of the server.
        ws.connections = server.connections;
        http.trusted_proxies = settings.visitors.trusted_proxies.clone();
        http.docs = settings.visitors.docs;
        http.held_body_bytes = settings.memory.held_body_bytes;
        ws.trusted_proxies = settings.visitors.trusted_proxies.clone();
        if !settings.allowed_origins.is_empty() {
            http.cors_origins = settings
                .allowed_origins
                .iter()
                .map(|origin| origin.parse())
                .collect::<Result<_, _>>()?;
            let everybody = settings.allowed_origins.iter().any(|origin| origin == "*");
            ws.origins = if everybody {
                Origins::Any
            } else {
                Origins::Listed(settings.allowed_origins.clone())
            };
        }
        Ok(Self {
            http: HttpApi::with_settings(engine.clone(), http),
            ws: WsApi::with_settings(engine.clone(), ws),
            metrics: PrometheusBuilder::new().install_recorder()?,
            engine,
            server,
        })
    }

    /// Serves until it is asked to stop; then takes no more, and returns when everything accepted is answered.
    pub(crate) async fn serve(
        self,
        listener: TcpListener,
        asked_to_stop: impl Future<Output = ()>,
    ) {
        let Self {
            engine,
            http,
            ws,
            metrics,
            server,
        } = self;
        let metrics = Metrics(metrics, server.gauges.clone());
        let stopping = CancellationToken::new();
        let service_for = |peer: &Peer| {
            let address = peer.address.ip();
            let (http, ws, metrics) = (
                http.clone().for_connection(peer),
                ws.clone(),
                metrics.clone(),
            );
            service_fn(move |request| {
                answer(http.clone(), ws.clone(), metrics.clone(), address, request)
            })
        };
        let serving = serve_connections(listener, service_for, server, stopping.cancelled());
        let leaving = async {
            asked_to_stop.await;
            stopping.cancel();
            // Neither kind of viewer goes by itself: event streams never end, and WebSockets are no requests any more.
            engine.end_watches();
            ws.shutdown(Goodbye::Leaving).await;
            engine.shutdown().await;
        };
        tokio::join!(serving, leaving);
    }
}

fn server_settings(settings: &Settings, open_files: Option<u64>) -> ServerSettings {
    let mut server = ServerSettings::default();
    let connections = descriptors::fit(
        settings.connections,
        open_files,
        &settings.database,
        server.refusals,
    );
    server.connections = connections.all;
    server.connections_per_address = connections.per_address;
    server.trusted_proxies = settings.visitors.trusted_proxies.clone();
    server.limit_loopback = settings.visitors.limits.loopback;
    server
}

async fn answer(
    mut http: HttpApi,
    mut ws: WsApi,
    metrics: Metrics,
    peer: IpAddr,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    Ok(match (request.uri().path(), request.method()) {
        (WEB_SOCKET, _) => {
            request.extensions_mut().insert(PeerAddress(peer));
            ws.call(request).await?.map(BodyExt::boxed_unsync)
        }
        (METRICS, method) => exported(&metrics, method).map(BodyExt::boxed_unsync),
        _ => http.call(request).await?.map(BodyExt::boxed_unsync),
    })
}

/// The metrics of the process, and what the server adds to them.
#[derive(Clone)]
struct Metrics(PrometheusHandle, ServerGauges);

/// The metrics, to whoever gets them.
fn exported(metrics: &Metrics, method: &Method) -> Response<Full<Bytes>> {
    let is_read = matches!(*method, Method::GET | Method::HEAD);
    let (name, value) = if is_read {
        (
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )
    } else {
        (header::ALLOW, "GET, HEAD")
    };
    let body = if is_read {
        gauges::record(&metrics.1);
        metrics.0.render()
    } else {
        String::new()
    };
    let mut response = Response::new(Full::from(body));
    if !is_read {
        *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    }
    response
        .headers_mut()
        .insert(name, header::HeaderValue::from_static(value));
    response
}
