//! The API about itself: the OpenAPI document, and pages that show it. All of it is here: nothing is fetched from elsewhere.

use crate::openapi;
use crate::page::Page;
use crate::router::Route;
use crate::settings::HttpSettings;

/// What describes the routes of `table`.
pub(super) fn routes(table: &[Route], settings: &HttpSettings) -> Vec<Route> {
    let document = openapi::document(table, settings);
    let json = serde_json::to_vec(&document).unwrap_or_default();
    vec![Route::page(
        "/api/openapi.json",
        Page::new("application/json", json),
    )]
}
