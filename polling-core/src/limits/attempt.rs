//! Attempts, which count only where they were wrong.

use smallvec::SmallVec;

use super::error::LimitError;
use super::model::{Key, Rule};
use super::service::{Limits, Taken};
use crate::Actor;

/// An attempt that was counted. Dropped, it stays counted.
#[must_use = "an attempt that was right is given back"]
pub(crate) struct Attempt {
    limits: Limits,
    taken: SmallVec<[Taken; 2]>,
}

impl Limits {
    /// Counts an attempt at an account or a one-time link, by that and by the actor's address: both before it is known
    /// whether it is right, so that attempts at the same time are all counted. One that is refused by either counts for
    /// neither.
    pub(crate) async fn attempt(
        &self,
        [by_what, by_address]: [Rule; 2],
        what: Key,
        actor: &Actor,
    ) -> Result<Attempt, LimitError> {
        let mut attempt = Attempt {
            limits: self.clone(),
            taken: SmallVec::new(),
        };
        for (rule, key) in [(by_address, by_address.key(actor)), (by_what, Some(what))] {
            match self.take(rule, key).await {
                Ok(None) => {}
                Ok(Some((key, decision))) => attempt.taken.push(Taken {
                    rule,
                    key,
                    decision,
                }),
                Err(error) => {
                    attempt.give_back().await;
                    return Err(error);
                }
            }
        }
        Ok(attempt)
    }
}

impl Attempt {
    /// The attempt was right, or never judged: it does not count.
    pub(crate) async fn give_back(self) {
        for taken in &self.taken {
            self.limits.give_back(taken).await;
        }
    }
}
