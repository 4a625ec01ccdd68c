//! The API about itself: the OpenAPI document, and the pages that show it.

use crate::openapi;
use crate::page::Page;
use crate::router::Route;
use crate::settings::HttpSettings;

/// What describes the routes of `table`.
pub(super) fn routes(table: &[Route], settings: &HttpSettings) -> Vec<Route> {
    let document = openapi::document(table, settings);
    // A document is made of texts, numbers and lists, which all have a JSON.
    let json = serde_json::to_vec(&document).unwrap_or_default();
    #[cfg(feature = "docs")]
    let pages = crate::docs::pages(&json);
    #[cfg(not(feature = "docs"))]
    let pages = Vec::new();
    let document = Page::new("application/json", json);
    let document = Route::page("/api/openapi.json", document);
    std::iter::once(document).chain(pages).collect()
}
