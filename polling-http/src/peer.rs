//! Who is at the other end.

use std::net::IpAddr;

use http::request::Parts;
use http::{HeaderName, HeaderValue};
use polling_core::{Actor, PeerAddress, TrustedProxies};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Nobody in particular, from where the request came: from `peer`, or where the server says for this request, unless that
/// is a proxy that is trusted to say it better.
pub(crate) fn actor(parts: &Parts, peer: Option<IpAddr>, trusted: &TrustedProxies) -> Actor {
    let told = parts.extensions.get::<PeerAddress>();
    let Some(peer) = told.map(|told| told.0).or(peer) else {
        return Actor::anonymous();
    };
    if trusted.is_empty() {
        return Actor::from_address(peer);
    }
    let forwarded = parts.headers.get_all(FORWARDED_FOR).iter();
    Actor::from_address(trusted.client(peer, forwarded.map(HeaderValue::as_bytes)))
}
