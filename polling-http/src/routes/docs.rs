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
    let mut routes = crate::docs::pages(&json);
    #[cfg(not(feature = "docs"))]
    let mut routes = Vec::new();
    routes.push(Route::page(
        "/api/openapi.json",
        Page::new("application/json", json),
    ));
    routes
}
