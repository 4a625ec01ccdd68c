//! Pages that stay the same as long as the server runs.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use crate::request::Call;
use crate::response::{self, Response, ResponseBody};

/// A page, or a redirection.
pub(crate) struct Page {
    status: StatusCode,
    body: Bytes,
    headers: HeaderMap,
}

impl Page {
    /// A page of this type.
    pub(crate) fn new(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let page = Self {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body,
        };
        page.with(header::CONTENT_TYPE, content_type)
    }

    pub(crate) fn with(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.insert(name, HeaderValue::from_static(value));
        self
    }

    pub(crate) fn answer(&self, _call: &Call) -> Response {
        let mut response = match self.status {
            StatusCode::OK => http::Response::new(ResponseBody::whole(self.body.clone())),
            status => response::empty(status),
        };
        response.headers_mut().extend(self.headers.clone());
        response
    }
}
