//! What comes back, and what holds for all of it.

use http::{HeaderMap, StatusCode};
use hyper::body::Bytes;
use serde_json::Value;

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// What holds for every answer.
    pub(crate) fn check(&self) {
        assert!(self.headers.contains_key("x-request-id"), "{self:?}");
        if self.status.is_client_error() || self.status.is_server_error() {
            if self.body.is_empty() {
                // To HEAD.
                return;
            }
            assert_eq!(self.header("content-type"), "application/problem+json");
            let problem = self.json();
            assert_eq!(problem["status"], self.status.as_u16());
            for field in ["type", "title", "code"] {
                assert!(!problem[field].as_str().unwrap().is_empty(), "{problem}");
            }
        }
        assert_eq!(
            self.headers.contains_key("www-authenticate"),
            self.status == 401
        );
        let later = self.status == 503 || self.status == 429;
        assert_eq!(self.headers.contains_key("retry-after"), later);
        let limited = ["ratelimit", "ratelimit-policy"].map(|name| self.headers.contains_key(name));
        assert_eq!(limited[0], limited[1]);
        assert!(limited[0] || self.status != 429);
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).map(|value| value.to_str().unwrap());
        value.unwrap_or_default()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The status and the code, which are what clients decide by.
    pub(crate) fn problem(&self) -> (u16, String) {
        let code = self.json()["code"].as_str().unwrap().to_owned();
        (self.status.as_u16(), code)
    }

    /// The pointer of the first field that is complained about.
    pub(crate) fn pointer(&self) -> String {
        let problem = self.json();
        let pointer = problem["errors"][0]["pointer"].as_str();
        pointer.unwrap_or_else(|| panic!("{problem}")).to_owned()
    }

    /// Fails unless this is that problem.
    #[track_caller]
    pub(crate) fn refuses(&self, status: u16, code: &str) {
        assert_eq!(self.problem(), (status, code.to_owned()), "{}", self.text());
    }

    /// Fails unless this is that problem with that field.
    #[track_caller]
    pub(crate) fn refuses_field(&self, status: u16, code: &str, pointer: &str) {
        self.refuses(status, code);
        assert_eq!(self.pointer(), pointer, "{}", self.text());
    }
}
