//! Bulk import: many accounts from a table or from lines of JSON, read and written while they come in.
//!
//! `rows.rs` reads rows out of pieces of the body, wherever those are cut; `service.rs` judges them and writes them in
//! batches, each one atomic step of the store; `record.rs` remembers how far the last imports of this server have come.
//! Nothing but one row, one batch and the outcomes is ever held.

mod model;
mod record;
mod rows;
mod service;

pub use model::{ImportFormat, ImportProgress, ImportState, RowOutcome};
pub(super) use record::Imports;
pub use service::Import;
