//! The opening handshake of RFC 6455, section 4.2, as far as it can be judged without asking anybody.

use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONNECTION, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{Method, Request, Response, StatusCode, Version};
use http_body_util::Full;
use polling_core::{Actor, PeerAddress, TrustedProxies};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::Origins;
use crate::problem::Problem;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Nobody in particular, from where the request came: from where the server says, unless that is a proxy that is trusted to
/// say it better.
pub(crate) fn caller<B>(request: &Request<B>, trusted: &TrustedProxies) -> Actor {
    let Some(PeerAddress(peer)) = request.extensions().get() else {
        return Actor::anonymous();
    };
    let forwarded = request.headers().get_all(FORWARDED_FOR).iter();
    Actor::from_address(trusted.client(*peer, forwarded.map(HeaderValue::as_bytes)))
}

/// A good handshake.
#[derive(Debug)]
pub(crate) struct Handshake {
    accept: HeaderValue,
    /// The token of the header `Authorization`.
    pub(crate) bearer: Option<String>,
    /// The `?ticket=` of the address.
    pub(crate) ticket: Option<String>,
}

impl Handshake {
    /// Judges a request.
    pub(crate) fn of<B>(request: &Request<B>, origins: &Origins) -> Result<Self, Problem> {
        if request.method() != Method::GET {
            return Err(Problem::Method);
        }
        let headers = request.headers();
        if request.version() != Version::HTTP_11 || !lists(headers, &UPGRADE, "websocket") {
            return Err(Problem::UpgradeNeeded(
                "this is a WebSocket: ask for an upgrade, over HTTP/1.1",
            ));
        }
        if !lists(headers, &CONNECTION, "upgrade") {
            return Err(Problem::Malformed("the header Connection must say Upgrade"));
        }
        if single(headers, &SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
            return Err(Problem::UpgradeNeeded(
                "only WebSocket version 13 is spoken",
            ));
        }
        let key = single(headers, &SEC_WEBSOCKET_KEY)
            .filter(|key| is_key(key.as_bytes()))
            .ok_or(Problem::Malformed(
                "the header Sec-WebSocket-Key must be the base64 of 16 bytes",
            ))?;
        if !origins.admit(request) {
            return Err(Problem::Origin);
        }
        Ok(Self {
            accept: HeaderValue::from_str(&derive_accept_key(key.as_bytes()))
                .map_err(|_| Problem::Malformed("the header Sec-WebSocket-Key is malformed"))?,
            bearer: bearer(headers)?,
            ticket: ticket(request.uri().query().unwrap_or_default())?,
        })
    }

    /// The answer that switches to the WebSocket protocol.
    pub(crate) fn response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, self.accept);
        response
    }
}

/// Whether one of the header's values, which may be lists, has this word.
fn lists(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|item| item.trim().eq_ignore_ascii_case(word))
}

fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

fn is_key(key: &[u8]) -> bool {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.len() == 24 && key[..22].iter().all(is_base64) && key.ends_with(b"==")
}

fn bearer(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    if !headers.contains_key(AUTHORIZATION) {
        return Ok(None);
    }
    // A credential that is sent and bad is never passed over.
    let token = single(headers, &AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(polling_core::bearer);
    token
        .map(|token| Some(token.to_owned()))
        .ok_or(Problem::NoBearer)
}

/// A ticket has nothing in it that would be encoded in an address.
fn ticket(query: &str) -> Result<Option<String>, Problem> {
    let mut tickets = query
        .split('&')
        .filter_map(|pair| pair.strip_prefix("ticket="));
    let ticket = tickets.next();
    if tickets.next().is_some() {
        return Err(Problem::Malformed("the ticket stands there twice"));
    }
    Ok(ticket.map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use http::header::{HOST, ORIGIN};

    use super::*;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

    fn request() -> Request<()> {
        Request::builder()
            .header(HOST, "example.com")
            .header(CONNECTION, "keep-alive, Upgrade")
            .header(UPGRADE, "WebSocket")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, KEY)
            .body(())
            .unwrap()
    }

    fn with(name: HeaderName, value: &'static str) -> Request<()> {
        let mut request = request();
        request
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
        request
    }

    fn without(name: HeaderName) -> Request<()> {
        let mut request = request();
        request.headers_mut().remove(name);
        request
    }

    fn status(request: &Request<()>) -> u16 {
        match Handshake::of(request, &Origins::Same) {
            Ok(handshake) => handshake.response().status().as_u16(),
            Err(problem) => problem.response().status().as_u16(),
        }
    }

    #[test]
    fn a_good_handshake_is_answered_as_the_standard_says() {
        let response = Handshake::of(&request(), &Origins::Same)
            .unwrap()
            .response();
        assert_eq!(response.status(), 101);
        // The example of RFC 6455, section 1.3.
        assert_eq!(
            response.headers()[SEC_WEBSOCKET_ACCEPT],
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
    }

    #[test]
    fn a_bad_handshake_is_told_what_is_wrong() {
        assert_eq!(status(&without(UPGRADE)), 426);
        assert_eq!(status(&with(UPGRADE, "h2c")), 426);
        assert_eq!(status(&without(SEC_WEBSOCKET_VERSION)), 426);
        assert_eq!(status(&with(SEC_WEBSOCKET_VERSION, "8")), 426);
        assert_eq!(status(&without(CONNECTION)), 400);
        assert_eq!(status(&without(SEC_WEBSOCKET_KEY)), 400);
        assert_eq!(status(&with(SEC_WEBSOCKET_KEY, "short==")), 400);
        assert_eq!(status(&with(ORIGIN, "https://evil.example")), 403);
        let mut twice = request();
        twice
            .headers_mut()
            .append(SEC_WEBSOCKET_KEY, HeaderValue::from_static(KEY));
        assert_eq!(status(&twice), 400);
        let mut post = request();
        *post.method_mut() = Method::POST;
        assert_eq!(status(&post), 405);
    }

    #[test]
    fn the_bearer_is_found_and_another_credential_is_refused() {
        let bearer = |value| {
            Handshake::of(&with(AUTHORIZATION, value), &Origins::Same)
                .map(|handshake| handshake.bearer)
        };
        assert_eq!(bearer("Bearer pm_x").unwrap().as_deref(), Some("pm_x"));
        assert_eq!(bearer("bearer  pm_x ").unwrap().as_deref(), Some("pm_x"));
        for bad in ["Basic eDp5", "Bearer", "Bearer ", ""] {
            assert!(matches!(bearer(bad), Err(Problem::NoBearer)), "{bad}");
        }
        assert_eq!(status(&with(AUTHORIZATION, "Basic eDp5")), 401);
    }
}
