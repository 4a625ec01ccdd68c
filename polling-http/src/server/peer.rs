//! What is known of a connection, and how a service is told.

use std::net::SocketAddr;
use std::task::{Context, Poll};

use polling_core::PeerAddress;
use tower_service::Service;

use super::AnswerBudget;

/// What is known of a connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Peer {
    /// The other end.
    pub address: SocketAddr,
    /// What its answers may hold.
    pub answers: AnswerBudget,
}

/// A service for one connection, which adds what is known of it to each request.
#[derive(Clone, Debug)]
pub(super) struct WithPeer<S> {
    service: S,
    address: Option<PeerAddress>,
    answers: AnswerBudget,
}

impl<S> WithPeer<S> {
    /// Adds the budget of its answers.
    pub(super) fn new(service: S, peer: &Peer) -> Self {
        Self {
            service,
            address: None,
            answers: peer.answers.clone(),
        }
    }

    /// Adds the address, too.
    pub(super) fn with_address(service: S, peer: &Peer) -> Self {
        Self {
            address: Some(PeerAddress(peer.address.ip())),
            ..Self::new(service, peer)
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
        let extensions = request.extensions_mut();
        if let Some(address) = self.address {
            extensions.insert(address);
        }
        extensions.insert(self.answers.clone());
        self.service.call(request)
    }
}
