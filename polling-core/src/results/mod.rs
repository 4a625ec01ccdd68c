//! Counters, and the live result of every poll that somebody watches.
//!
//! The store counts: a [`Tally`] comes out of each commit that changes one, with the poll's next revision. The hub keeps
//! the newest tally of each watched poll and pushes it to its viewers at most 20 times a second; a tally that comes late
//! or twice changes nothing. A [`ResultsNotifier`] tells the other servers of a store that there is something newer; it
//! may lose, double and delay what it says, because the store is the truth and is read again every second.

mod announcer;
mod cell;
mod error;
pub(crate) mod hub;
mod judge;
mod model;
mod notifier;
mod proofs;
mod refresher;
mod repository;
mod rights;
mod service;
mod snapshot;
#[cfg(test)]
mod tests;
mod watch;

pub use error::ResultsError;
pub use model::{OptionResult, Results, Revision, Tally};
pub use notifier::{Hint, Hints, LocalNotifier, ResultsNotifier};
pub use repository::{Recount, ResultsRepository};
pub use service::ResultsService;
pub use snapshot::Snapshot;
pub use watch::{LiveResults, Subscription, Update, Viewer, WatchEnd};

pub(crate) use announcer::Announcer;
pub(crate) use hub::Hub;
pub(crate) use judge::Judge;
pub(crate) use refresher::Refresher;
