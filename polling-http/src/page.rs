//! Pages that stay the same as long as the server runs.

use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use crate::request::Call;
use crate::response::{self, Response, ResponseBody};
use crate::routes::results::holds;

/// A page, of which a cache asks each time whether it is still the same.
pub(crate) struct Page {
    status: StatusCode,
    body: Bytes,
    tag: HeaderValue,
    headers: HeaderMap,
}

impl Page {
    /// A page of this type.
    pub(crate) fn new(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let mut hasher = DefaultHasher::new();
        body.hash(&mut hasher);
        let tag = format!("\"{:016x}\"", hasher.finish());
        let page = Self {
            status: StatusCode::OK,
            // Digits, letters and quotes are good in headers.
            tag: HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("\"\"")),
            headers: HeaderMap::new(),
            body,
        };
        page.with(header::CONTENT_TYPE, content_type)
            .with(header::CACHE_CONTROL, "no-cache")
            .with(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
    }

    /// Not a page, but where one is.
    #[cfg(feature = "docs")]
    pub(crate) fn elsewhere(location: &'static str) -> Self {
        let page = Self::new("text/plain", "").with(header::LOCATION, location);
        Self {
            status: StatusCode::PERMANENT_REDIRECT,
            ..page
        }
    }

    pub(crate) fn with(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.insert(name, HeaderValue::from_static(value));
        self
    }

    pub(crate) fn answer(&self, call: &Call) -> Response {
        let is_page = self.status == StatusCode::OK;
        let mut response = if is_page && holds(&call.parts.headers, &self.tag) {
            response::empty(StatusCode::NOT_MODIFIED)
        } else {
            let mut whole = Response::new(ResponseBody::whole(self.body.clone()));
            *whole.status_mut() = self.status;
            whole
        };
        let headers = response.headers_mut();
        headers.extend(self.headers.clone());
        if is_page {
            headers.insert(header::ETAG, self.tag.clone());
        }
        response
    }
}
