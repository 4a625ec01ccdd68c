//! Making, counting and revoking vote tokens.

use tracing::instrument;

use super::error::VoteTokenError;
use super::making::{self, Request};
use super::model::{NewVoteTokens, NewlyMadeTokens, Revocation, RevokedTokens, VoteTokenCounts};
use super::repository::{VoteTokenRepository, WhichTokens};
use crate::engine::Parts;
use crate::polls::{self, PollError, PollRecord, Status, Voters};
use crate::{Actor, PollId, StoreError, TokenHash};

/// The use cases of the vote tokens, for those who manage a poll.
#[derive(Clone)]
pub struct VoteTokens {
    parts: Parts,
}

impl VoteTokens {
    /// `None` where the store keeps no vote tokens.
    pub(crate) fn start(parts: &Parts) -> Option<Self> {
        parts.store.vote_tokens()?;
        Some(Self {
            parts: parts.clone(),
        })
    }

    /// Makes new tokens of a poll, in any status but closed. They are shown this once: whoever asks again, because the
    /// answer was lost, gets other ones, and the first are known to nobody.
    ///
    /// They are inserted in steps of [`BulkSettings::step_rows`](crate::BulkSettings::step_rows), between which votes are
    /// written. The caller gets all or none: where a step fails, what was inserted is taken back. Only where the server dies
    /// in between, or the store stays away, they count in `made` like those of a lost answer, and are known to nobody.
    ///
    /// # Errors
    /// `Invalid` where these are too many; `NotForTokens`; those of who may manage a poll, and `Closed`; `RateLimited` of
    /// polls without an account; `Overloaded`.
    #[instrument(name = "vote_tokens.make", skip_all, fields(poll = %poll))]
    pub async fn make(
        &self,
        actor: &Actor,
        poll: PollId,
        new: &NewVoteTokens,
    ) -> Result<NewlyMadeTokens, VoteTokenError> {
        let record = for_tokens(&self.parts, actor, poll).await?;
        let settings = &self.parts.settings;
        let has_account = record.poll.has_account();
        let most_of_poll = if has_account {
            settings.poll_tokens
        } else {
            settings.poll_tokens.min(settings.anonymous_poll_tokens)
        };
        let most = match usize::try_from(most_of_poll) {
            Ok(most) => most.min(settings.request_tokens),
            Err(_) => settings.request_tokens,
        };
        if new.count < 1 || new.count > most {
            let detail = format!("must be from 1 to {most}, not {}", new.count);
            return Err(VoteTokenError::invalid("/count", detail));
        }
        if record.tally.status == Status::Closed {
            return Err(PollError::Closed(Vec::new()).into());
        }
        let job = self.parts.bulk.enter();
        let job = job.ok_or(VoteTokenError::Overloaded)?;
        let request = Request {
            poll,
            count: new.count,
            most: most_of_poll,
            limited: (!has_account).then(|| actor.clone()),
        };
        self.run(move |parts| async move {
            let made = making::run(&parts, request).await;
            drop(job);
            made
        })
        .await
    }

    /// Whether somebody may make tokens of a poll, and revoke them: for what can be refused before it is read whole.
    ///
    /// # Errors
    /// `NotForTokens`; those of who may manage a poll.
    pub async fn may_manage(&self, actor: &Actor, poll: PollId) -> Result<(), VoteTokenError> {
        for_tokens(&self.parts, actor, poll).await.map(drop)
    }

    /// The tokens of a poll, in numbers: which of them were used, nobody can tell.
    ///
    /// # Errors
    /// `NotForTokens`; those of who may manage a poll.
    pub async fn count(
        &self,
        actor: &Actor,
        poll: PollId,
    ) -> Result<VoteTokenCounts, VoteTokenError> {
        let record = for_tokens(&self.parts, actor, poll).await?;
        let tokens = port(&self.parts)?.count(poll).await?;
        Ok(VoteTokenCounts {
            made: tokens.made,
            used: record.tally.ballots,
            revoked: tokens.revoked,
        })
    }

    /// Revokes tokens of a poll, whatever its status: from now on nobody votes with them, nor changes the vote that was
    /// cast with one. That vote stays and counts: nobody can tell which one it is. Repeated, it changes nothing.
    ///
    /// Many tokens are revoked in steps, between which votes are written. After `Store` some may be revoked: ask again.
    ///
    /// # Errors
    /// `Invalid` where the input says nothing or too much; `NotForTokens`; those of who may manage a poll; `Overloaded`.
    #[instrument(name = "vote_tokens.revoke", skip_all, fields(poll = %poll))]
    pub async fn revoke(
        &self,
        actor: &Actor,
        poll: PollId,
        which: &Revocation,
    ) -> Result<RevokedTokens, VoteTokenError> {
        // Who asks comes first: what is wrong with the input is nothing to strangers.
        for_tokens(&self.parts, actor, poll).await?;
        let most = self.parts.settings.request_revocations;
        let tokens = match (&which.tokens, which.all) {
            (Some(tokens), false) if tokens.len() <= most => Some(hashes(tokens)),
            (None, true) => None,
            (Some(tokens), false) => {
                let detail = format!("must be at most {most}, not {}", tokens.len());
                return Err(VoteTokenError::invalid("/tokens", detail));
            }
            (Some(_), true) | (None, false) => {
                let detail = "say which: either tokens, or all: true";
                return Err(VoteTokenError::invalid("/tokens", detail));
            }
        };
        let job = self.parts.bulk.enter();
        let job = job.ok_or(VoteTokenError::Overloaded)?;
        self.run(move |parts| async move {
            let revoked = revoke(&parts, poll, tokens.as_deref()).await;
            // Where a step failed, those before it are revoked all the same.
            parts.hub.changes().of_tokens(poll);
            drop(job);
            Ok(RevokedTokens { revoked: revoked? })
        })
        .await
    }

    /// Runs what changes something to its end, whether or not the caller waits for it.
    async fn run<T, F>(&self, work: impl FnOnce(Parts) -> F) -> Result<T, VoteTokenError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, VoteTokenError>> + Send + 'static,
    {
        let done = self.parts.tasks.run(work(self.parts.clone())).await;
        done.ok_or(PollError::ShuttingDown)?
    }
}

/// Revokes these tokens step by step, or all at once.
async fn revoke(
    parts: &Parts,
    poll: PollId,
    tokens: Option<&[TokenHash]>,
) -> Result<u64, StoreError> {
    let port = port(parts)?;
    let Some(tokens) = tokens else {
        let _turn = parts.bulk.turn().await;
        return port.revoke(poll, WhichTokens::All).await;
    };
    let mut revoked = 0;
    for step in tokens.chunks(parts.settings.bulk.step_rows) {
        let _turn = parts.bulk.turn().await;
        revoked += port.revoke(poll, WhichTokens::These(step)).await?;
    }
    Ok(revoked)
}

pub(super) fn port(parts: &Parts) -> Result<&dyn VoteTokenRepository, StoreError> {
    let port = parts.store.vote_tokens();
    port.ok_or_else(|| StoreError::internal("the store keeps no vote tokens any more"))
}

/// The poll, if this actor manages it, and it is for tokens.
async fn for_tokens(
    parts: &Parts,
    actor: &Actor,
    poll: PollId,
) -> Result<PollRecord, VoteTokenError> {
    let record = polls::access::managed(parts, actor, poll).await?;
    if record.poll.voters == Voters::Tokens {
        Ok(record)
    } else {
        Err(VoteTokenError::NotForTokens)
    }
}

/// The hashes of these tokens, in their own order: so the rows of a step lie side by side.
fn hashes(tokens: &[String]) -> Vec<TokenHash> {
    let mut hashes: Vec<_> = tokens.iter().map(|token| TokenHash::of(token)).collect();
    hashes.sort_unstable_by_key(|hash| *hash.as_bytes());
    hashes
}

impl std::fmt::Debug for VoteTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VoteTokens").finish_non_exhaustive()
    }
}
