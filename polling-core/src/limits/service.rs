//! Asking whether somebody may do something once more.

use std::sync::Arc;

use super::error::{LimitError, RateLimited};
use super::limiter::{Decision, RateLimiter};
use super::model::{Key, Limit, Rule, Standing};
use crate::polls::Poll;
use crate::workspaces::membership::Memberships;
use crate::{Actor, Settings, StoreError, log_each_second};

/// The limits of an engine.
#[derive(Clone)]
pub struct Limits {
    inner: Arc<Inner>,
}

struct Inner {
    limiter: Arc<dyn RateLimiter>,
    settings: Arc<Settings>,
}

/// What was counted at once, to be given back where nothing comes of it.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(super) rule: Rule,
    pub(super) key: Key,
    pub(super) decision: Decision,
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
        let decision = self.limiter().take(rule, limit, &key, 0).await?;
        Ok(Some(standing(rule, limit, &decision)))
    }

    /// Counts that `actor` does this once more.
    pub(crate) async fn check(&self, rule: Rule, actor: &Actor) -> Result<(), LimitError> {
        self.take(rule, rule.key(actor)).await.map(drop)
    }

    /// Whether `actor` may do this once more, which counts nothing: what is refused by it need not be read.
    pub(crate) async fn look(&self, rule: Rule, actor: &Actor) -> Result<(), LimitError> {
        match self.standing(rule, actor).await? {
            Some(standing) if standing.remaining == 0 => {
                Err(LimitError::Exceeded(RateLimited::new(standing)))
            }
            _ => Ok(()),
        }
    }

    /// By what this actor's votes in this poll are counted; `None` where they are not, which takes no time where votes have
    /// no limit.
    pub(crate) fn of_vote(
        &self,
        actor: &Actor,
        poll: &Poll,
        memberships: &Memberships,
    ) -> Option<Key> {
        self.inner.settings.limits.vote?;
        let key = Key::of_vote(actor, poll, memberships);
        self.applies(Rule::Vote, key).map(|(_, key)| key)
    }

    /// Counts one more of what the actor alone does not say by whom it is counted.
    pub(crate) async fn count(&self, rule: Rule, key: Key) -> Result<(), LimitError> {
        self.take(rule, Some(key)).await.map(drop)
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

    /// Counts that `actor` does as many of this as wanted, or none; `None` where they are not limited.
    pub(crate) async fn take_all(
        &self,
        rule: Rule,
        actor: &Actor,
        wanted: u32,
    ) -> Result<Option<Taken>, LimitError> {
        let Some((limit, key)) = self.applies(rule, rule.key(actor)) else {
            return Ok(None);
        };
        let decision = self.limiter().take(rule, limit, &key, wanted).await?;
        let taken = Taken {
            rule,
            key,
            decision,
        };
        if decision.granted == wanted {
            return Ok(Some(taken));
        }
        self.give_back(&taken).await;
        let standing = Standing {
            remaining: decision.granted,
            ..standing(rule, limit, &decision)
        };
        Err(LimitError::Exceeded(RateLimited::new(standing)))
    }

    /// What was taken does not count.
    pub(crate) async fn give_back(&self, taken: &Taken) {
        let Taken {
            rule,
            key,
            decision,
        } = taken;
        if let Err(error) = self.limiter().give_back(*rule, key, decision).await {
            log_each_second!(
                warn,
                "what was not done stays counted",
                rule = rule.as_str(),
                error = %error
            );
        }
    }

    /// Whether one more of these votes may be cast, which counts nothing.
    pub(crate) async fn look_at_votes(&self, key: Key) -> Result<(), LimitError> {
        match self.take_votes(key, 0).await? {
            (_, Some(refused)) if refused.standing().remaining == 0 => {
                Err(LimitError::Exceeded(refused))
            }
            _ => Ok(()),
        }
    }

    fn limiter(&self) -> &dyn RateLimiter {
        &*self.inner.limiter
    }

    /// The limit and the key, where both are there.
    fn applies(&self, rule: Rule, key: Option<Key>) -> Option<(Limit, Key)> {
        let settings = &self.inner.settings.limits;
        let limit = settings.of(rule)?;
        let key = key.filter(|key| settings.loopback || !key.is_loopback())?;
        Some((limit, key))
    }

    /// Counts one more; `None` where nothing is limited.
    pub(super) async fn take(
        &self,
        rule: Rule,
        key: Option<Key>,
    ) -> Result<Option<(Key, Decision)>, LimitError> {
        let Some((limit, key)) = self.applies(rule, key) else {
            return Ok(None);
        };
        let decision = self.limiter().take(rule, limit, &key, 1).await?;
        if decision.granted == 0 {
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

impl std::fmt::Debug for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limits")
            .field("settings", &self.inner.settings.limits)
            .finish_non_exhaustive()
    }
}
