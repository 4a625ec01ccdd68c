//! Which pages may connect. A browser lets any page open a WebSocket anywhere, and sends cookies along: the `Origin` that
//! it names is all that tells a server whose page it is.

use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{Request, Uri};

/// Pages of which origins may connect. A handshake without `Origin` comes from no browser, and is let in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origins {
    /// Those that were loaded from the same host and port as the `Host` of the handshake names. Behind a proxy that changes
    /// the `Host`, list the origins instead.
    #[default]
    Same,
    /// Those too, and these, like `https://example.com` or `http://localhost:3000`.
    Listed(Vec<String>),
    /// Every page of every site.
    Any,
}

impl Origins {
    /// Whether the handshake may go on.
    pub(crate) fn admit<B>(&self, request: &Request<B>) -> bool {
        let mut sent = request.headers().get_all(ORIGIN).iter();
        let origin = match (sent.next(), sent.next()) {
            (None, _) => return true,
            (Some(origin), None) => origin.to_str().ok().and_then(Origin::parse),
            // No browser sends two.
            (Some(_), Some(_)) => None,
        };
        let Some(origin) = origin else {
            return *self == Origins::Any;
        };
        match self {
            Origins::Any => true,
            Origins::Same => origin.is_of(request),
            Origins::Listed(allowed) => {
                let is_listed = |allowed: &String| Origin::parse(allowed).as_ref() == Some(&origin);
                allowed.iter().any(is_listed) || origin.is_of(request)
            }
        }
    }
}

/// Scheme, host and port, all lower case; RFC 6454.
#[derive(Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

impl Origin {
    /// Whether it has the host and port that the request was sent to.
    fn is_of<B>(&self, request: &Request<B>) -> bool {
        host(request).is_some_and(|host| {
            let port = host.port_u16().or(default_port(&self.scheme));
            self.host.eq_ignore_ascii_case(host.host()) && self.port == port
        })
    }

    /// `None` for `null` too, which is what pages of no origin say.
    fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.trim_end_matches('/').parse().ok()?;
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let authority = uri.authority()?;
        Some(Self {
            port: authority.port_u16().or(default_port(&scheme)),
            host: authority.host().to_ascii_lowercase(),
            scheme,
        })
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

fn host<B>(request: &Request<B>) -> Option<Authority> {
    match request.headers().get(HOST) {
        Some(host) => host.to_str().ok()?.parse().ok(),
        None => request.uri().authority().cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(origins: &Origins, host: &str, origin: &[&str]) -> bool {
        let mut request = Request::builder().header(HOST, host);
        for origin in origin {
            request = request.header(ORIGIN, *origin);
        }
        origins.admit(&request.body(()).unwrap())
    }

    #[test]
    fn the_same_origin_is_let_in_and_no_other() {
        let same = |host, origin| admits(&Origins::Same, host, &[origin]);
        assert!(same("example.com", "https://example.com"));
        assert!(same("example.com", "http://EXAMPLE.com"));
        assert!(same("example.com:443", "https://example.com"));
        assert!(same("127.0.0.1:8080", "http://127.0.0.1:8080"));
        assert!(same("[::1]:8080", "http://[::1]:8080"));
        for (host, origin) in [
            ("example.com", "https://evil.example"),
            ("example.com", "https://example.com.evil.example"),
            ("example.com:8080", "http://example.com"),
            ("example.com:443", "http://example.com"),
            ("example.com", "null"),
            ("example.com", ""),
            ("example.com", "example.com"),
            ("", "https://example.com"),
        ] {
            assert!(!same(host, origin), "{host} {origin}");
        }
    }

    #[test]
    fn a_list_takes_what_it_names_and_the_same_host() {
        let listed = Origins::Listed(vec!["https://app.example/".into(), "http://a:3000".into()]);
        assert!(admits(&listed, "api.example", &["https://app.example"]));
        assert!(admits(&listed, "api.example", &["https://app.example:443"]));
        assert!(admits(&listed, "api.example", &["http://a:3000"]));
        assert!(!admits(&listed, "api.example", &["http://app.example"]));
        assert!(admits(&listed, "api.example", &["https://api.example"]));
        assert!(!admits(&listed, "api.example", &["https://evil.example"]));
        assert!(!admits(&listed, "api.example", &["null"]));
    }

    #[test]
    fn without_origin_everybody_is_let_in_and_with_two_nobody() {
        assert!(admits(&Origins::Same, "example.com", &[]));
        let twice = ["https://example.com", "https://example.com"];
        assert!(!admits(&Origins::Same, "example.com", &twice));
        assert!(admits(&Origins::Any, "example.com", &["null"]));
    }
}
