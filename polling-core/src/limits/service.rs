//! Asking whether somebody may do something once more.

use std::sync::Arc;

use smallvec::SmallVec;

use super::error::{LimitError, RateLimited};
use super::limiter::{Decision, RateLimiter};
use super::model::{AccountKey, Key, Limit, Rule, Standing};
use crate::polls::Poll;
use crate::{Actor, Settings, StoreError};

/// The limits of an engine.
#[derive(Clone)]
pub struct Limits {
    inner: Arc<Inner>,
}

struct Inner {
    limiter: Arc<dyn RateLimiter>,
    settings: Arc<Settings>,
}

impl Limits {
    pub(crate) fn new(limiter: Arc<dyn RateLimiter>, settings: Arc<Settings>) -> Self {
        Self {
            inner: Arc::new(Inner { limiter, settings }),
        }
    }

    /// What `actor` may still do under `rule`; `None` where they are not limited. Asking counts nothing.
    ///
    /// # Errors
    /// The limiter could not be asked.
    pub async fn standing(
        &self,
        rule: Rule,
        actor: &Actor,
    ) -> Result<Option<Standing>, StoreError> {
        let Some((limit, key)) = self.applies(rule, rule.key(actor)) else {
            return Ok(None);
        };
        let decision = self.inner.limiter.take(rule, limit, &key, 0).await?;
        Ok(Some(standing(rule, limit, &decision)))
    }

    /// Counts that `actor` does this once more.
    pub(crate) async fn check(&self, rule: Rule, actor: &Actor) -> Result<(), LimitError> {
        self.take(rule, rule.key(actor), 1).await.map(drop)
    }

    /// Counts an attempt at an account, by the account and by the actor's address: both before it is known whether it is
    /// right, so that attempts at the same time are all counted. One that is refused by either counts for neither.
    #[cfg(feature = "accounts")]
    pub(crate) async fn attempt(
        &self,
        rules: [Rule; 2],
        account: AccountKey,
        actor: &Actor,
    ) -> Result<Attempt, LimitError> {
        let [by_account, by_address] = rules;
        let mut attempt = Attempt {
            limits: self.clone(),
            taken: SmallVec::new(),
        };
        for (rule, key) in [
            (by_address, by_address.key(actor)),
            (by_account, Some(Key::Account(account))),
        ] {
            match self.take(rule, key, 1).await {
                Ok(None) => {}
                Ok(Some((key, decision))) => attempt.taken.push((rule, key, decision)),
                Err(error) => {
                    attempt.give_back().await;
                    return Err(error);
                }
            }
        }
        Ok(attempt)
    }

    /// By what this actor's votes in this poll are counted; `None` where they are not, which takes no time where votes have
    /// no limit.
    pub(crate) fn of_vote(&self, actor: &Actor, poll: &Poll) -> Option<Key> {
        self.inner.settings.limits.vote?;
        let key = Key::of_vote(actor, poll);
        self.applies(Rule::Vote, key).map(|(_, key)| key)
    }

    /// Counts a vote.
    pub(crate) async fn take_vote(&self, key: Key) -> Result<(), LimitError> {
        self.take(Rule::Vote, Some(key), 1).await.map(drop)
    }

    /// Counts as many of these votes as may be cast, and says how many those are, and what the others are told.
    pub(crate) async fn take_votes(
        &self,
        key: Key,
        wanted: usize,
    ) -> Result<(usize, Option<RateLimited>), StoreError> {
        let Some((limit, key)) = self.applies(Rule::Vote, Some(key)) else {
            return Ok((wanted, None));
        };
        let most = u32::try_from(wanted).unwrap_or(u32::MAX);
        let decision = self
            .inner
            .limiter
            .take(Rule::Vote, limit, &key, most)
            .await?;
        let refused = RateLimited::new(standing(Rule::Vote, limit, &decision));
        Ok((decision.granted as usize, Some(refused)))
    }

    /// The limit and the key, where both are there.
    fn applies(&self, rule: Rule, key: Option<Key>) -> Option<(Limit, Key)> {
        let settings = &self.inner.settings.limits;
        let limit = settings.of(rule)?;
        let key = key.filter(|key| settings.loopback || !key.is_loopback())?;
        Some((limit, key))
    }

    async fn take(
        &self,
        rule: Rule,
        key: Option<Key>,
        wanted: u32,
    ) -> Result<Option<(Key, Decision)>, LimitError> {
        let Some((limit, key)) = self.applies(rule, key) else {
            return Ok(None);
        };
        let decision = self.inner.limiter.take(rule, limit, &key, wanted).await?;
        if decision.granted < wanted {
            let standing = standing(rule, limit, &decision);
            return Err(LimitError::Exceeded(RateLimited::new(standing)));
        }
        Ok(Some((key, decision)))
    }
}

fn standing(rule: Rule, limit: Limit, decision: &Decision) -> Standing {
    Standing {
        rule,
        limit,
        remaining: decision.remaining,
        retry_after: decision.retry_after,
        resets_in: decision.resets_in,
    }
}

/// An attempt that was counted. Dropped, it stays counted.
#[cfg(feature = "accounts")]
#[must_use = "an attempt that was right is given back"]
pub(crate) struct Attempt {
    limits: Limits,
    taken: SmallVec<[(Rule, Key, Decision); 2]>,
}

#[cfg(feature = "accounts")]
impl Attempt {
    /// The attempt was right, or never judged: it does not count.
    pub(crate) async fn give_back(self) {
        for (rule, key, decision) in &self.taken {
            let limiter = &self.limits.inner.limiter;
            if let Err(error) = limiter.give_back(*rule, key, decision).await {
                tracing::warn!(rule = rule.as_str(), %error, "an attempt stays counted");
            }
        }
    }
}

impl std::fmt::Debug for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limits")
            .field("settings", &self.inner.settings.limits)
            .finish_non_exhaustive()
    }
}
