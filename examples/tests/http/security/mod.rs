//! What an attacker tries. Each file is one way in: forged tokens, somebody else's things by role and by id, SQL and
//! control characters in texts, numbers at their ends, pages of other origins, asking again and again, and secrets that are
//! shown.
//!
//! Spent refresh tokens that come back are in `sessions.rs`, guessing of passwords and forged addresses in `limits.rs`; the
//! log of a whole run, and what can be smuggled into it, is in `e2e/secrets.rs`; forged tokens over WebSocket are in
//! `ws/access_tokens.rs`, and foreign origins in `ws/handshake.rs`.

mod bounds;
pub(crate) mod foreign_ids;
mod headers;
mod letters;
mod mutating;
mod often;
pub(crate) mod routes;
mod shown;
mod sql;
mod tokens;
