//! The pages of the API: one to try it on (Swagger UI), and a reference that needs no script. All of it is in the program:
//! nothing is fetched from elsewhere, neither when it is built nor when it is read.

mod reference;
mod shape;

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use serde_json::Value;
use utoipa_swagger_ui::Config;

use crate::page::Page;
use crate::router::Route;

/// Swagger UI writes styles into the page, and draws icons from `data:`.
const TRYING: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const READING: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The pages that show the document `json`. Their links are relative, so that they work wherever the service is mounted.
pub(crate) fn pages(json: &[u8]) -> Vec<Route> {
    let document: Value = serde_json::from_slice(json).unwrap_or_default();
    let reference = reference::html(&document);
    vec![
        Route::page("/api/docs", Page::elsewhere("docs/")),
        Route::page("/api/docs/", page(HTML, include_str!("try.html"), TRYING)),
        Route::page(
            "/api/docs/try.js",
            page(SCRIPT, include_str!("try.js"), TRYING),
        ),
        Route::page("/api/docs/redoc", page(HTML, reference, READING)),
        Route::page(
            "/api/docs/reference.css",
            page(CSS, include_str!("reference.css"), READING),
        ),
        Route::page(
            "/api/docs/swagger-ui.css",
            page(CSS, swagger("swagger-ui.css"), TRYING),
        ),
        Route::page(
            "/api/docs/swagger-ui-bundle.js",
            page(SCRIPT, swagger("swagger-ui-bundle.js"), TRYING),
        ),
        Route::page(
            "/api/docs/favicon-32x32.png",
            page("image/png", swagger("favicon-32x32.png"), READING),
        ),
    ]
}

fn page(content_type: &'static str, body: impl Into<Bytes>, policy: &'static str) -> Page {
    Page::new(content_type, body)
        .with(CONTENT_SECURITY_POLICY, policy)
        .with(REFERRER_POLICY, "no-referrer")
}

/// A file of Swagger UI; a test reads them all.
fn swagger(name: &str) -> Bytes {
    let file = utoipa_swagger_ui::serve(name, Arc::new(Config::from("")));
    match file.ok().flatten().map(|file| file.bytes) {
        Some(Cow::Borrowed(bytes)) => Bytes::from_static(bytes),
        Some(Cow::Owned(bytes)) => bytes.into(),
        None => Bytes::new(),
    }
}
