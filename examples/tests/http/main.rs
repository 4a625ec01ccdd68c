//! The HTTP face end to end: an engine on a store in memory, behind a real socket.
//!
//! One binary for all of it, because each more is linked anew.

#![expect(clippy::unwrap_used, reason = "what helps tests fails as tests do")]

mod answer;
mod event_stream;
mod support;

mod aliases;
mod batch;
mod bugs;
mod events;
mod faults;
mod headers;
mod input;
mod mounted;
mod polls;
mod results;
mod server;
mod slow;
mod users;
mod votes;
