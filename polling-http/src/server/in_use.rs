//! A service that notes while a request of its connection is not answered to its end.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::StatusCode;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use pin_project_lite::pin_project;

use super::places::{Activity, InUse};

/// `service`, of which each request keeps the connection in use until the last of its answer was taken. After an upgrade it
/// is in use for good.
pub(super) fn noted<S, B>(
    service: S,
    activity: Arc<Activity>,
) -> impl Service<
    http::Request<Incoming>,
    Response = http::Response<InUseBody<B>>,
    Error = Infallible,
    Future: Future<Output = Result<http::Response<InUseBody<B>>, Infallible>> + Send + 'static,
>
where
    S: Service<http::Request<Incoming>, Response = http::Response<B>, Error = Infallible>,
    S::Future: Send + 'static,
    B: Body + 'static,
{
    service_fn(move |request: http::Request<Incoming>| {
        let in_use = activity.begin();
        let answer = service.call(request);
        async move {
            let answer = answer.await?;
            let in_use = if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
                in_use.for_good();
                None
            } else {
                Some(in_use)
            };
            Ok(answer.map(|body| InUseBody {
                body,
                _in_use: in_use,
            }))
        }
    })
}

pin_project! {
    /// The body of an answer; the connection is in use until it is dropped.
    pub(super) struct InUseBody<B> {
        #[pin]
        body: B,
        _in_use: Option<InUse>,
    }
}

impl<B: Body> Body for InUseBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.project().body.poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
