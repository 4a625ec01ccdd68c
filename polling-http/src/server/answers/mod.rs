//! Bounds in bytes for answers that clients do not take.
//!
//! An answer is made at once and taken as fast as its client likes. Until it was taken, its bytes are counted for the
//! connection and for the whole server ([`budget`]); they are sent in pieces, and each piece is freed when the socket took
//! it ([`body`]). Requests for large answers reserve their share of both budgets before they are handled ([`AnswerBudget`]). A
//! stream whose client takes nothing for the write timeout is reset, which frees all that it holds ([`sweep`]).
//!
//! Small answers over HTTP/1.1 pass all of this by: a connection has one of them at a time, and the write timeout of the
//! socket ends it.

mod body;
mod budget;
mod gauges;
mod service;
mod stream;
mod sweep;
#[cfg(test)]
mod tests;

pub use budget::{AnswerBudget, Reservation};
pub(super) use budget::{ConnectionBudget, ServerBudget};
pub use gauges::ServerGauges;
pub(super) use service::{Counted, StreamExecutor};

/// Bytes of an answer that are handed to the HTTP library at once, and so freed at once.
pub(crate) const PIECE_BYTES: usize = 16 * 1024;
