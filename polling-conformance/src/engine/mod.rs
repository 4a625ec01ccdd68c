//! What an engine promises on top of the store that is tested.

pub mod batches;
pub mod casting;
pub mod closing;
pub mod deleting;
pub mod editing;
mod lab;
pub mod listing;
pub mod makings;
pub mod memberships;
pub mod model;
pub mod overload;
pub mod retries;
pub mod revisions;
pub mod rights;
pub mod servers;
pub mod stuck;
pub mod timers;
pub mod visibility;
pub mod watching;
