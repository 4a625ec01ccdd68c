//! The one service: it finds the route, reads who asks and the body, runs the handler, and sees to it that everything is
//! answered, whatever happens.

use std::any::Any;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderValue, Method, StatusCode, header};
use http_body::Body;
use polling_core::wire::UnknownFields;
use polling_core::{Code, Engine};
use tokio::time::Instant;
use tower_http::cors::CorsLayer;
use tower_layer::Layer;
use tower_service::Service;
use tracing::Instrument;

use crate::answer_size;
use crate::body::{self, RequestBody, before};
use crate::budget::{BodyBudget, Held};
use crate::peer;
use crate::problem::{FaultRates, Problem};
use crate::request::{Call, authenticate, check_content_type};
use crate::request_id::{REQUEST_ID, RequestIds};
use crate::response::{self, Answer, Response, ResponseBody};
use crate::router::{Found, Ids, Route, Router, Takes};
use crate::server::{AnswerBudget, Peer};
use crate::settings::HttpSettings;
use crate::{cors, routes};

/// The HTTP face of an engine: a [`tower_service::Service`], cheap to clone, for any body.
///
/// It answers every path of the polling API, and 404 `not_found` to all others. It never fails. It must be called within
/// a tokio runtime.
#[derive(Clone)]
pub struct HttpApi {
    core: Core,
    cors: Option<Arc<CorsLayer>>,
}

/// The service without what browsers must be told.
#[derive(Clone)]
struct Core {
    inner: Arc<Inner>,
    peer: Option<IpAddr>,
    answers: Option<AnswerBudget>,
}

struct Inner {
    engine: Engine,
    settings: Arc<HttpSettings>,
    routes: Vec<(Method, &'static str)>,
    router: Router,
    request_ids: RequestIds,
    bodies: Arc<BodyBudget>,
    fault_rates: FaultRates,
}

impl HttpApi {
    /// The HTTP face of `engine`, with the documented bounds.
    #[must_use]
    pub fn new(engine: Engine) -> Self {
        Self::with_settings(engine, HttpSettings::default())
    }

    /// The HTTP face of `engine`, with other bounds.
    #[must_use]
    pub fn with_settings(engine: Engine, settings: HttpSettings) -> Self {
        let cors = cors::layer(&settings.cors_origins).map(Arc::new);
        let table = routes::table(&engine, &settings);
        let routes = listed(&table);
        let inner = Inner {
            routes,
            router: Router::new(table),
            engine,
            bodies: BodyBudget::new(&settings),
            settings: Arc::new(settings),
            request_ids: RequestIds::new(),
            fault_rates: FaultRates::default(),
        };
        let core = Core {
            inner: Arc::new(inner),
            peer: None,
            answers: None,
        };
        Self { core, cors }
    }

    /// The same face, for the requests of one connection from this address. A request with a
    /// [`PeerAddress`](polling_core::PeerAddress) among its extensions comes from there instead.
    #[must_use]
    pub fn for_peer(mut self, peer: IpAddr) -> Self {
        self.core.peer = Some(peer);
        self
    }

    /// The same face, for the requests of one connection: as by [`for_peer`](Self::for_peer), and large answers wait for
    /// their room in the budget of the connection. Requests with an [`AnswerBudget`] among their extensions do so, too.
    #[must_use]
    pub fn for_connection(mut self, peer: &Peer) -> Self {
        self.core.answers = Some(peer.answers.clone());
        self.for_peer(peer.address.ip())
    }

    /// Every method and path that it answers, as `(GET, "/api/v1/polls/{id}")`: for those who mount it beside others.
    pub fn routes(&self) -> impl Iterator<Item = (&Method, &'static str)> {
        let routes = self.core.inner.routes.iter();
        routes.map(|(method, template)| (method, *template))
    }
}

fn listed(table: &[Route]) -> Vec<(Method, &'static str)> {
    let of = |route: &Route| {
        let template = route.template;
        let endpoints = route.endpoints.iter();
        let methods: Vec<_> = endpoints.map(|endpoint| endpoint.method.clone()).collect();
        methods.into_iter().map(move |method| (method, template))
    };
    table.iter().flat_map(of).collect()
}

impl fmt::Debug for HttpApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpApi")
            .field("settings", &self.core.inner.settings)
            .finish_non_exhaustive()
    }
}

/// The answer to a request, to come.
#[must_use = "a request is not handled before its answer is waited for"]
pub struct ResponseFuture(Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>);

impl Future for ResponseFuture {
    type Output = Result<http::Response<ResponseBody>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for ResponseFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

impl<B> Service<http::Request<B>> for HttpApi
where
    B: Body + Send + 'static,
{
    type Response = http::Response<ResponseBody>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> ResponseFuture {
        let Some(layer) = &self.cors else {
            return self.core.call(request);
        };
        if request.method() == Method::OPTIONS && !cors::is_preflight(&request) {
            return self.core.call(request);
        }
        // The layer answers preflights by itself, and knows no request ids.
        let request_id = self.core.inner.request_ids.of(request.headers());
        let answered = layer.layer(self.core.clone()).call(request);
        ResponseFuture(Box::pin(async move {
            let mut response = answered.await?;
            let headers = response.headers_mut();
            headers.entry(REQUEST_ID).or_insert(request_id);
            Ok(response)
        }))
    }
}

impl<B> Service<http::Request<B>> for Core
where
    B: Body + Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> ResponseFuture {
        let inner = Arc::clone(&self.inner);
        let (call, body) = inner.call(request, self.peer);
        let answers = self.answers.clone();
        ResponseFuture(Box::pin(async move {
            Ok(inner.answer(call, body, answers).await)
        }))
    }
}

impl Inner {
    /// What there is to know of a request before anything is looked at. In a box, which goes from hand to hand to the
    /// handler: a future is moved and allocated with all that it holds, and so shall hold little.
    fn call<B>(
        &self,
        request: http::Request<B>,
        peer: Option<IpAddr>,
    ) -> (Box<Call>, RequestBody<B>)
    where
        B: Body + Send + 'static,
    {
        let (parts, body) = request.into_parts();
        let body = RequestBody::new(body, &parts.headers);
        let call = Call {
            engine: self.engine.clone(),
            settings: Arc::clone(&self.settings),
            actor: peer::actor(&parts, peer, &self.settings.trusted_proxies),
            parts,
            ids: Ids::default(),
            body: Bytes::new(),
            held: Held::of(&self.bodies),
            #[cfg(feature = "accounts")]
            pieces: std::sync::Mutex::default(),
            unknown_fields: UnknownFields::Refuse,
        };
        (Box::new(call), body)
    }

    /// Whatever happens, this answers.
    async fn answer<B>(
        &self,
        call: Box<Call>,
        mut body: RequestBody<B>,
        answers: Option<AnswerBudget>,
    ) -> Response
    where
        B: Body + Send + 'static,
    {
        let started = Instant::now();
        let parts = &call.parts;
        let request_id = self.request_ids.of(&parts.headers);
        let is_head = parts.method == Method::HEAD;
        let found = self.router.find(&parts.method, parts.uri.path());
        let span = tracing::debug_span!(
            "http.request",
            method = %parts.method,
            route = found.template(),
            request_id = request_id.to_str().unwrap_or_default(),
            status = tracing::field::Empty,
            latency_us = tracing::field::Empty,
        );
        let handling = self.handle(call, &mut body, answers, found, started);
        let answer = AssertUnwindSafe(handling)
            .catch_unwind()
            .instrument(span.clone())
            .await;
        body.throw_away(self.settings.drain_bytes, self.settings.drain_time);

        let id = request_id.to_str().unwrap_or_default();
        let mut response = match answer {
            Ok(Ok(response)) => response,
            Ok(Err(problem)) => span.in_scope(|| self.refuse(problem, id)),
            Err(panic) => {
                let panic = panic_message(&*panic);
                if let Some(left_out) = self.fault_rates.panicked.due() {
                    let left_out = left_out.count();
                    tracing::error!(
                        parent: &span, request_id = id, panic, left_out, "a handler panicked"
                    );
                }
                self.refuse(Problem::of(Code::Internal), id)
            }
        };
        finish(&mut response, request_id, is_head);
        span.record("status", response.status().as_u16());
        span.record("latency_us", started.elapsed().as_micros());
        tracing::debug!(parent: &span, "answered");
        response
    }

    async fn handle<B>(
        &self,
        mut call: Box<Call>,
        body: &mut RequestBody<B>,
        answers: Option<AnswerBudget>,
        found: Found<'_>,
        started: Instant,
    ) -> Answer
    where
        B: Body + Send + 'static,
    {
        let (route, endpoint, ids) = match found {
            Found::Nothing => return Err(Problem::not_found()),
            Found::OtherMethod(_, allow) => return Err(Problem::method_not_allowed(allow)),
            Found::Options(_, allow) => {
                let mut response = response::empty(StatusCode::NO_CONTENT);
                response.headers_mut().insert(header::ALLOW, allow);
                return Ok(response);
            }
            Found::Endpoint(route, endpoint, ids) => (route, endpoint, ids),
        };
        call.ids = ids;
        call.unknown_fields = route.unknown_fields;
        let mut deadline = pin!(body::deadline(started, self.settings.request_timeout));
        if route.authenticates && call.parts.headers.contains_key(header::AUTHORIZATION) {
            let authenticated = authenticate(&self.engine, &call.parts.headers);
            let proved = match before(deadline.as_mut(), authenticated).await {
                Some(proved) => proved?,
                None => return Err(Problem::no_answer_in_time()),
            };
            call.actor = call.actor.and(proved);
        }
        let most = match endpoint.takes {
            Takes::Nothing => None,
            Takes::Json => Some(self.settings.body_bytes),
            Takes::Batch => Some(self.settings.batch_body_bytes),
            #[cfg(feature = "accounts")]
            Takes::Rows => {
                // Its handler looks at the body, once it is known that the caller may send it.
                let pieces = body.pieces(&self.settings, deadline.deadline());
                call.pieces = Some(pieces).into();
                None
            }
        };
        if let Some(most) = most {
            check_content_type(&call.parts.headers)?;
            body.fits(most)?;
            if let Some(check) = endpoint.check.filter(|_| body.is_worth_asking()) {
                let checked = before(deadline.as_mut(), check(&call)).await;
                checked.unwrap_or_else(|| Err(Problem::no_answer_in_time()))?;
            }
            let Call {
                body: read, held, ..
            } = &mut *call;
            *read = body.read(most, deadline.as_mut(), held).await?;
        }
        let answers = answers.or_else(|| call.parts.extensions.remove());
        let size = endpoint.answer;
        let reserved = size.reserve(answers.as_ref(), &call.body, deadline.as_mut());
        let reserved = reserved.await?;
        // What the handler began goes on without it: the engine runs what changes something as tasks of its own.
        let answer = before(deadline, (endpoint.run)(call)).await;
        let answer = answer.unwrap_or_else(|| Err(Problem::no_answer_in_time()))?;
        answer_size::reserved(answer, reserved, endpoint.method == Method::GET)
    }

    fn refuse(&self, problem: Problem, request_id: &str) -> Response {
        problem.log(&self.fault_rates, request_id);
        problem.into_response(self.settings.retry_after)
    }
}

/// What every answer has, whichever way it came about.
fn finish(response: &mut Response, request_id: HeaderValue, is_head: bool) {
    let length = response.body().size_hint().exact();
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, request_id);
    // What says nothing else may hold secrets, or be seen by one viewer only.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    if is_head {
        if let Some(length) = length.filter(|length| *length > 0) {
            headers.insert(header::CONTENT_LENGTH, length.into());
        }
        *response.body_mut() = ResponseBody::default();
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("of an unknown kind")
}
