//! The routes, a file for each room of the core. Handlers turn bytes into the core's input and its answer into bytes, and
//! decide nothing.
//!
//! A handler may be dropped at any of its awaits, because its client left or its time is over. What has to happen happens
//! inside the engine's use cases, which go on by themselves: after such a call a handler does nothing but answer.

mod aliases;
mod health;
mod polls;
mod results;
#[cfg(feature = "accounts")]
mod users;
mod votes;
#[cfg(feature = "accounts")]
mod workspaces;

use polling_core::Engine;

use crate::router::Route;

/// The table of all routes.
pub(crate) fn table(engine: &Engine) -> Vec<Route> {
    let mut table = Vec::new();
    table.extend(polls::routes());
    table.extend(votes::routes());
    table.extend(results::routes());
    table.extend(aliases::routes());
    table.extend(health::routes());
    #[cfg(feature = "accounts")]
    {
        table.extend(users::routes(engine));
        table.extend(workspaces::routes(engine));
    }
    #[cfg(not(feature = "accounts"))]
    let _ = engine;
    table
}
