//! Tells a service where its requests come from.

use std::net::SocketAddr;
use std::task::{Context, Poll};

use polling_core::PeerAddress;
use tower_service::Service;

/// A service for one connection.
#[derive(Clone, Debug)]
pub(super) struct WithPeer<S> {
    service: S,
    peer: PeerAddress,
}

impl<S> WithPeer<S> {
    pub(super) fn new(service: S, peer: SocketAddr) -> Self {
        Self {
            service,
            peer: PeerAddress(peer.ip()),
        }
    }
}

impl<S, B> Service<http::Request<B>> for WithPeer<S>
where
    S: Service<http::Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, mut request: http::Request<B>) -> S::Future {
        request.extensions_mut().insert(self.peer);
        self.service.call(request)
    }
}
