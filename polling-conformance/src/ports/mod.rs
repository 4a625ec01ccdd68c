//! The ports of a store, called directly: each test is a sentence of their contracts.

pub mod accounts;
pub mod administrators;
pub mod changes;
pub mod gate;
pub mod invitations;
pub mod leaving;
pub mod links;
pub mod polls;
pub mod projects;
pub mod results;
pub mod sessions;
pub mod steps;
pub mod token_steps;
pub mod users;
pub mod vote_tokens;
pub mod votes;
pub mod workspaces;
