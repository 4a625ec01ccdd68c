//! The contract of every port of polling-core, as a test suite that any adapter can run.
//!
//! A store runs all of it with one line, given a function that makes a fresh, empty store:
//!
//! ```text
//! async fn on_a_file() -> (MyStore, tempfile::TempDir) {
//!     let folder = tempfile::tempdir().unwrap();
//!     (MyStore::open(folder.path().join("polls.db")).await.unwrap(), folder)
//! }
//!
//! polling_conformance::suite!(my_store, crate::on_a_file);
//! ```
//!
//! A notifier runs its own list:
//!
//! ```
//! async fn in_process() -> (polling_core::results::LocalNotifier, ()) {
//!     (Default::default(), ())
//! }
//!
//! polling_conformance::notifier_suite!(my_notifier, crate::in_process);
//! # fn main() {}
//! ```
//!
//! Each sentence of the contract is a test of its own there, named after it: `my_store::votes::…`. What comes second in
//! the pair is held until the test is over; it may be `()`.
//!
//! | module | what it tests |
//! | --- | --- |
//! | [`polls`], [`steps`], [`votes`], [`gate`], [`changes`], [`results`], [`users`], [`accounts`], [`administrators`], [`sessions`], [`links`], [`workspaces`], [`leaving`], [`invitations`], [`projects`], [`vote_tokens`], [`token_steps`] | the ports of a store, called directly |
//! | [`casting`], [`batches`], [`retries`], [`closing`], [`timers`], [`editing`], [`listing`], [`makings`], [`memberships`], [`deleting`], [`visibility`], [`watching`], [`rights`], [`servers`], [`revisions`], [`overload`], [`stuck`], [`model`] | what an engine promises on top of the store |
//! | [`notifier`] | the port of the notifiers |
//!
//! Tests use a clock that they move and ids that follow from a seed. They never sleep: they wait for the event itself,
//! and a test that waits longer than a minute of real time fails.

#![expect(
    clippy::unwrap_used,
    reason = "everything here is a test, where an unexpected answer ends the run"
)]

#[macro_use]
mod suite;

mod engine;
pub mod faulty;
mod fixtures;
pub mod notifier;
mod ports;
mod run;

pub use engine::{
    batches, casting, closing, deleting, editing, listing, makings, memberships, model, overload,
    retries, revisions, rights, servers, stuck, timers, visibility, watching,
};
pub use ports::{
    accounts, administrators, changes, gate, invitations, leaving, links, polls, projects, results,
    sessions, steps, token_steps, users, vote_tokens, votes, workspaces,
};
#[doc(hidden)]
pub use run::{run, run_notifier};
