//! The routes, a file for each room of the core. Handlers turn bytes into the core's input and its answer into bytes, and
//! decide nothing.
//!
//! A handler may be dropped at any of its awaits, because its client left or its time is over. What has to happen happens
//! inside the engine's use cases, which go on by themselves: after such a call a handler does nothing but answer.

mod aliases;
#[cfg(feature = "accounts")]
mod auth;
pub(crate) mod features;
mod health;
#[cfg(feature = "accounts")]
mod imports;
mod polls;
pub(crate) mod results;
mod tickets;
#[cfg(feature = "accounts")]
mod users;
mod vote_tokens;
mod votes;
#[cfg(feature = "accounts")]
mod workspaces;

#[cfg(feature = "openapi")]
mod docs;

use polling_core::Engine;

use crate::router::Route;
use crate::settings::HttpSettings;

/// The table of all routes.
pub(crate) fn table(engine: &Engine, settings: &HttpSettings) -> Vec<Route> {
    let mut table = Vec::new();
    table.extend(polls::routes());
    table.extend(votes::routes());
    table.extend(vote_tokens::routes(engine));
    table.extend(results::routes());
    table.extend(tickets::routes());
    table.extend(features::routes());
    table.extend(aliases::routes());
    table.extend(health::routes());
    #[cfg(feature = "accounts")]
    {
        table.extend(users::routes(engine).into_iter().map(Route::all_small));
        table.extend(imports::routes(engine));
        table.extend(auth::routes(engine).into_iter().map(Route::all_small));
        table.extend(workspaces::routes(engine));
    }
    #[cfg(not(feature = "accounts"))]
    let _ = engine;
    // Last, because they describe the others.
    #[cfg(feature = "openapi")]
    if settings.docs {
        let pages = docs::routes(&table, settings);
        table.extend(pages);
    }
    #[cfg(not(feature = "openapi"))]
    let _ = settings;
    table
}
