//! The HTTP face end to end: an engine on a store of its own, behind a real socket.
//!
//! What depends on what a store does runs on every store. What no store sees (headers, bodies that are refused before
//! they are understood, slow clients, mounting, the server around the service) runs on one, in memory: input, headers,
//! mounted, server, slow, and most of faults.
//!
//! One binary for all of it, because each more is linked anew.

#![expect(clippy::unwrap_used, reason = "what helps tests fails as tests do")]

#[macro_use]
#[path = "../support/store.rs"]
mod store;

#[path = "../support/forged.rs"]
mod forged;

mod answer;
mod documented;
mod event_stream;
mod support;
mod team;

mod aliases;
mod batch;
mod bugs;
mod deleted;
mod events;
mod faults;
mod features;
mod headers;
mod import_ends;
mod imports;
mod input;
mod invitation_ids;
mod invitations;
mod limits;
mod member_votes;
mod mounted;
mod openapi;
mod pages;
mod password_limits;
mod passwords;
mod polls;
mod profiles;
mod projects;
mod refusals;
mod results;
mod security;
mod server;
mod sessions;
mod slow;
mod tickets;
mod token_limits;
mod unread;
mod untaken;
mod users;
mod vote_token_lists;
mod vote_tokens;
mod votes;
mod workspaces;
