//! Why a handshake is refused, as RFC 9457 has it.

use bytes::Bytes;
use http::header::{
    ALLOW, CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, SEC_WEBSOCKET_VERSION,
    UPGRADE, WWW_AUTHENTICATE,
};
use http::{Response, StatusCode};
use http_body_util::Full;
use polling_core::{AuthError, Code};

/// Why a handshake is refused.
#[derive(Debug)]
pub(crate) enum Problem {
    /// Not a GET.
    Method,
    /// No upgrade to the WebSocket protocol of RFC 6455 is asked for, which is all there is here.
    UpgradeNeeded(&'static str),
    /// The handshake is malformed.
    Malformed(&'static str),
    /// A page of another origin.
    Origin,
    /// The credential is no good, or could not be checked.
    Credential(AuthError),
    /// A header `Authorization` of another sort.
    NoBearer,
    /// As many connections as may be.
    Full,
    /// The server takes no new connections.
    ShuttingDown,
}

impl Problem {
    /// The answer that says so.
    pub(crate) fn response(&self) -> Response<Full<Bytes>> {
        let (status, code, title) = self.class();
        let body = polling_core::Problem {
            status: status.as_u16(),
            code,
            title,
            detail: Some(&self.detail()),
            errors: &[],
        };
        let body = body.to_json();
        let mut response = Response::new(Full::new(Bytes::from(body)));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static(polling_core::Problem::MEDIA_TYPE),
        );
        for (name, value) in self.headers() {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }

    fn class(&self) -> (StatusCode, &'static str, &'static str) {
        let of = |status, code: Code| (status, code.as_str(), code.title());
        match self {
            Problem::Method => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "The method is not allowed",
            ),
            Problem::UpgradeNeeded(_) => of(StatusCode::UPGRADE_REQUIRED, Code::Invalid),
            Problem::Malformed(_) => of(StatusCode::BAD_REQUEST, Code::Invalid),
            Problem::Origin => of(StatusCode::FORBIDDEN, Code::Forbidden),
            Problem::NoBearer => of(StatusCode::UNAUTHORIZED, Code::Unauthorized),
            Problem::Credential(error) => {
                let status = match error.code() {
                    Code::Unauthorized => StatusCode::UNAUTHORIZED,
                    Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
                    _ => StatusCode::SERVICE_UNAVAILABLE,
                };
                of(status, error.code())
            }
            Problem::Full => of(StatusCode::SERVICE_UNAVAILABLE, Code::Overloaded),
            Problem::ShuttingDown => of(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable),
        }
    }

    fn detail(&self) -> String {
        match self {
            Problem::Method => "a WebSocket handshake is a GET".into(),
            Problem::UpgradeNeeded(detail) | Problem::Malformed(detail) => (*detail).into(),
            Problem::Origin => "pages of this origin may not connect".into(),
            Problem::Credential(error) => error.to_string(),
            Problem::NoBearer => "the credential must be a bearer token".into(),
            Problem::Full => "there is no room for more connections: try again soon".into(),
            Problem::ShuttingDown => "the server is shutting down".into(),
        }
    }

    fn headers(&self) -> Vec<(HeaderName, &'static str)> {
        match self {
            Problem::Method => vec![(ALLOW, "GET")],
            Problem::UpgradeNeeded(_) => vec![
                (UPGRADE, "websocket"),
                (CONNECTION, "upgrade"),
                (SEC_WEBSOCKET_VERSION, "13"),
            ],
            Problem::Malformed(_) | Problem::Origin => Vec::new(),
            Problem::NoBearer | Problem::Credential(AuthError::Rejected) => {
                vec![(WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")]
            }
            // In seconds.
            Problem::Credential(_) | Problem::Full | Problem::ShuttingDown => {
                vec![(RETRY_AFTER, "1")]
            }
        }
    }
}
