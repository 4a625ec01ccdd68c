//! The port that counts.

use std::time::Duration;

use async_trait::async_trait;

use super::model::{Key, Limit, Rule};
use crate::{StoreError, Timestamp};

/// Counts what was done, in the last `window` of a [`Limit`].
///
/// A limiter that is shared by many servers makes limits hold for all of them together.
#[async_trait]
pub trait RateLimiter: Send + Sync + 'static {
    /// Takes as many of `wanted` as `key` may still have under `rule`, in one atomic step: of calls at the same time no more
    /// than the limit is granted together. At no time have more than [`count`](Limit::count) been granted within the
    /// last [`window`](Limit::window) that were not given back. What is not granted is not counted. `wanted` may be zero:
    /// then this only looks.
    ///
    /// A limiter may have room for a number of keys only, and forget the oldest; those may then have more.
    ///
    /// # Errors
    /// It could not be asked, and nothing is granted: the caller is answered with this error. A limiter that would rather
    /// let everybody through while it is away grants what is wanted.
    async fn take(
        &self,
        rule: Rule,
        limit: Limit,
        key: &Key,
        wanted: u32,
    ) -> Result<Decision, StoreError>;

    /// Undoes what `taken` granted, as if it had never been taken; what it granted is over after the limit's window in any
    /// case, and then this does nothing.
    ///
    /// # Errors
    /// It could not be asked: what was taken stays counted.
    async fn give_back(&self, rule: Rule, key: &Key, taken: &Decision) -> Result<(), StoreError>;
}

/// What a [`RateLimiter`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// How many of those wanted may go on.
    pub granted: u32,
    /// How many more could go on now.
    pub remaining: u32,
    /// How long until one more can go on; zero where one can now.
    pub retry_after: Duration,
    /// How long until as many can go on as ever can.
    pub resets_in: Duration,
    /// When these were counted.
    pub taken_at: Timestamp,
}
