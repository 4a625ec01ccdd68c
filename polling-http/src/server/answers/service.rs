//! The service of one connection, with its answers counted.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{Request, Response, Version};
use http_body::Body;
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::service::Service;
use hyper_util::service::{TowerToHyperService, TowerToHyperServiceFuture};
use pin_project_lite::pin_project;

use super::PIECE_BYTES;
use super::body::CountedBody;
use super::budget::{ConnectionBudget, Reservation};
use super::stream::Stream;

/// A service whose answers are counted.
pub(crate) struct Counted<S> {
    inner: TowerToHyperService<S>,
    connection: Arc<ConnectionBudget>,
}

impl<S> Counted<S> {
    pub(crate) fn new(service: S, connection: Arc<ConnectionBudget>) -> Self {
        Self {
            inner: TowerToHyperService::new(service),
            connection,
        }
    }
}

impl<S, B> Service<Request<Incoming>> for Counted<S>
where
    S: tower_service::Service<Request<Incoming>, Response = Response<B>> + Clone,
    B: Body,
{
    type Response = Response<CountedBody<B>>;
    type Error = S::Error;
    type Future = CountedFuture<S, B>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let is_http2 = request.version() == Version::HTTP_2;
        CountedFuture {
            stream: is_http2.then(|| Stream::begin(&self.connection)),
            inner: self.inner.call(request),
            connection: Arc::clone(&self.connection),
            body: std::marker::PhantomData,
        }
    }
}

pin_project! {
    /// An answer, to come.
    pub(crate) struct CountedFuture<S, B>
    where
        S: tower_service::Service<Request<Incoming>>,
    {
        #[pin]
        inner: TowerToHyperServiceFuture<S, Request<Incoming>>,
        // Of a request of HTTP/2.
        stream: Option<Arc<Stream>>,
        connection: Arc<ConnectionBudget>,
        body: std::marker::PhantomData<fn() -> B>,
    }
}

impl<S, B> Future for CountedFuture<S, B>
where
    S: tower_service::Service<Request<Incoming>, Response = Response<B>>,
    B: Body,
{
    type Output = Result<Response<CountedBody<B>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.inner.poll(cx))?;
        let reserved = response.extensions_mut().remove::<Arc<Reservation>>();
        let body = response.body();
        let exact = body.size_hint().exact();
        let is_small = exact.is_some_and(|bytes| bytes <= PIECE_BYTES as u64);
        let stream = match this.stream.take() {
            _ if body.is_end_stream() => None,
            Some(stream) => Some(stream),
            None if is_small => None,
            None => Some(Stream::new(this.connection)),
        };
        Poll::Ready(Ok(response.map(|body| match stream {
            Some(stream) => CountedBody::counted(body, stream, reserved),
            None => CountedBody::uncounted(body),
        })))
    }
}

/// Starts a task for each stream of HTTP/2, which can be ended.
#[derive(Clone)]
pub(crate) struct StreamExecutor(Arc<ConnectionBudget>);

impl StreamExecutor {
    pub(crate) fn new(connection: Arc<ConnectionBudget>) -> Self {
        Self(connection)
    }
}

impl<F> Executor<F> for StreamExecutor
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        // The library starts the task of a stream right after it called the service.
        let begun = self.0.streams().begun.take();
        let task = tokio::spawn(future);
        if let Some(stream) = begun {
            stream.runs_in(task.abort_handle());
        }
    }
}
