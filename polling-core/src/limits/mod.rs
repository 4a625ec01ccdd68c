//! Limits: how often somebody may do something, so that one of many does not take it all.
//!
//! [`Rule`] says what is limited, and by what each is counted (`model.rs`, one pure table): who is known is counted as
//! themselves, and only who is not by their address; so ten thousand voters behind one address get through. How many and
//! in which time is said by the settings ([`LimitSettings`](crate::LimitSettings)). [`RateLimiter`] is the port that
//! counts (`limiter.rs`), and [`MemoryLimiter`] counts in the memory of one server. Services ask [`Limits`].
//!
//! The application itself is never limited. Nor is a caller whose address the transport does not know, where the rule
//! counts by address; nor, unless a setting says so, one on this machine.

#[cfg(feature = "accounts")]
mod attempt;
mod error;
mod limiter;
mod memory;
mod model;
mod service;

#[cfg(feature = "accounts")]
pub(crate) use attempt::Attempt;
pub(crate) use error::LimitError;
pub use error::RateLimited;
pub use limiter::{Decision, RateLimiter};
pub use memory::MemoryLimiter;
pub use model::{AccountKey, AddressKey, Key, Limit, ParseLimitError, Rule, Standing};
pub use service::Limits;
