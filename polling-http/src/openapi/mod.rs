//! The API, described by itself (OpenAPI 3.1).
//!
//! A file for each room lists its operations; the table of routes says which of them there are. What nobody describes is
//! missing in the document, and a test that compares both finds it (`examples/tests/http/openapi.rs`).

mod aliases;
#[cfg(feature = "accounts")]
mod auth;
mod elsewhere;
mod failures;
mod features;
mod health;
#[cfg(feature = "accounts")]
mod invitations;
mod operation;
mod polls;
#[cfg(feature = "accounts")]
mod projects;
mod results;
mod tickets;
#[cfg(feature = "accounts")]
mod users;
mod vote_tokens;
mod votes;
#[cfg(feature = "accounts")]
mod workspaces;

use http::StatusCode;
use polling_core::{Code, Problem};
use utoipa::openapi::path::{PathItem, Paths};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    Components, InfoBuilder, License, OpenApi, OpenApiBuilder, RefOr, ServerBuilder,
};
use utoipa::{PartialSchema, ToSchema};

use crate::router::Route;
use crate::settings::HttpSettings;
use operation::{BEARER, Described, Description};

/// A heading of the document.
struct Room {
    name: &'static str,
    says: &'static str,
    operations: Vec<Description>,
}

/// The rooms, in the order in which they are read. A new one is a line here.
fn rooms() -> Vec<Room> {
    vec![
        polls::room(),
        vote_tokens::room(),
        votes::room(),
        results::room(),
        tickets::room(),
        #[cfg(feature = "accounts")]
        users::room(),
        #[cfg(feature = "accounts")]
        auth::room(),
        #[cfg(feature = "accounts")]
        workspaces::room(),
        #[cfg(feature = "accounts")]
        invitations::room(),
        #[cfg(feature = "accounts")]
        projects::room(),
        features::room(),
        aliases::room(),
        health::room(),
        elsewhere::room(),
    ]
}

/// The document of these routes.
pub(crate) fn document(table: &[Route], settings: &HttpSettings) -> OpenApi {
    let mut paths = Paths::new();
    let mut components = Components::new();
    components.headers = failures::shared_headers();
    for (name, schema) in [
        (Problem::name(), Problem::schema()),
        (Code::name(), Code::schema()),
    ] {
        components.schemas.insert(name.into(), schema);
    }
    let mut tags = Vec::new();
    for room in rooms() {
        let mut is_there = false;
        for description in room.operations {
            let template = description.template;
            let route = find(table, &description);
            if route.is_none() && !elsewhere::answers(template) {
                continue;
            }
            let described = description.tagged(room.name).finish(route);
            add(&mut paths, &mut components, template, described);
            is_there = true;
        }
        if is_there {
            let tag = TagBuilder::new().name(room.name);
            tags.push(tag.description(Some(room.says)).build());
        }
    }
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(SECURITY))
        .build();
    let scheme = RefOr::T(SecurityScheme::Http(scheme));
    components
        .security_schemes
        .insert(BEARER.to_owned(), scheme);
    let server = match settings.mounted_at.as_str() {
        "" => "/",
        path => path,
    };
    let info = InfoBuilder::new()
        .title("Polling")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(License::new("MIT OR Apache-2.0")));
    OpenApiBuilder::new()
        .info(info.build())
        .servers(Some([ServerBuilder::new().url(server).build()]))
        .paths(paths)
        .components(Some(components))
        .tags(Some(tags))
        .build()
}

const ABOUT: &str = "Polls that are durable before they answer, exact, retry-safe and live. JSON in and out; times are \
    RFC 3339 in UTC with milliseconds; ids are UUIDs. What goes wrong is a problem (RFC 9457) with a stable `code`. Bounds \
    are the defaults: an application that embeds polls may have set others. Every GET answers HEAD, and every path \
    OPTIONS. What is no HTTP, or has too large a head, is answered 400, 414 or 431 without a body.";

const SECURITY: &str = "An access token (`POST /api/v1/auth/login`), the manage token of a poll (`pm_…`), or a one-time \
    vote token (`pv_…`). One that is sent and is not good is 401, also where none is needed.";

/// The route that this describes.
fn find<'a>(
    table: &'a [Route],
    description: &Description,
) -> Option<(&'a Route, &'a crate::router::Endpoint)> {
    let mut routes = table
        .iter()
        .filter(|route| route.template == description.template);
    let route = routes.next()?;
    let mut endpoints = route.endpoints.iter();
    let endpoint = endpoints.find(|endpoint| endpoint.method == description.method)?;
    Some((route, endpoint))
}

fn add(paths: &mut Paths, components: &mut Components, template: &str, described: Described) {
    for (status, codes) in &described.failures {
        let name = failures::name(*status, codes);
        let response = || RefOr::T(failures::response(*status, codes));
        components.responses.entry(name).or_insert_with(response);
    }
    components.schemas.extend(described.schemas);
    let item = PathItem::new(described.method, described.operation);
    match paths.paths.get_mut(template) {
        Some(path) => path.merge_operations(item),
        None => {
            paths.paths.insert(template.to_owned(), item);
        }
    }
}

/// The statuses by their short names.
const OK: StatusCode = StatusCode::OK;
const CREATED: StatusCode = StatusCode::CREATED;
const NO_CONTENT: StatusCode = StatusCode::NO_CONTENT;

/// Nothing in the body.
fn nothing(says: &str) -> utoipa::openapi::ResponseBuilder {
    utoipa::openapi::ResponseBuilder::new().description(says)
}
