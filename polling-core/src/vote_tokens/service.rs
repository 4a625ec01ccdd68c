//! Making, counting and revoking vote tokens.

use std::sync::Arc;

use tracing::instrument;

use super::VOTE_TOKEN_PREFIX;
use super::error::VoteTokenError;
use super::model::{NewVoteTokens, NewlyMadeTokens, Revocation, RevokedTokens, VoteTokenCounts};
use super::repository::{KeptTokens, VoteTokenRepository, WhichTokens};
use crate::engine::Parts;
use crate::id::opaque_token;
use crate::polls::{self, PollError, PollRecord, Status, Voters};
use crate::{Actor, PollId, StoreError, TokenHash};

/// Tokens that are made before others get their turn.
const AT_A_STRETCH: usize = 500;

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
    /// # Errors
    /// `Invalid` where these are too many; `NotForTokens`; those of who may manage a poll, and `Closed`.
    #[instrument(name = "vote_tokens.make", skip_all, fields(poll = %poll))]
    pub async fn make(
        &self,
        actor: &Actor,
        poll: PollId,
        new: &NewVoteTokens,
    ) -> Result<NewlyMadeTokens, VoteTokenError> {
        let record = for_tokens(&self.parts, actor, poll).await?;
        let most = self.parts.settings.request_tokens;
        if new.count < 1 || new.count > most {
            let detail = format!("must be from 1 to {most}, not {}", new.count);
            return Err(VoteTokenError::invalid("/count", detail));
        }
        if record.tally.status == Status::Closed {
            return Err(PollError::Closed(Vec::new()).into());
        }
        let count = new.count;
        self.run(move |parts| async move {
            let (tokens, hashes) = many(&parts, count).await;
            let most = parts.settings.poll_tokens;
            match port(&parts)?.insert(poll, &hashes, most).await? {
                KeptTokens::Done => Ok(NewlyMadeTokens { tokens }),
                KeptTokens::Missing => Err(PollError::NotFound.into()),
                KeptTokens::TooMany => {
                    let detail = format!("the poll would have more than {most} tokens");
                    Err(VoteTokenError::invalid("/count", detail))
                }
            }
        })
        .await
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
    /// # Errors
    /// `Invalid` where the input says nothing or too much; `NotForTokens`; those of who may manage a poll.
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
        self.run(move |parts| async move {
            let which = tokens
                .as_deref()
                .map_or(WhichTokens::All, WhichTokens::These);
            let revoked = port(&parts)?.revoke(poll, which).await?;
            parts.hub.changes().of_tokens(poll);
            Ok(RevokedTokens { revoked })
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

fn port(parts: &Parts) -> Result<&dyn VoteTokenRepository, StoreError> {
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

/// New tokens, and their hashes in the order of the hashes, which is not that of the tokens: so they are cheapest to keep,
/// and a table that keeps the order in which it was written tells nothing about whom a token was given to.
async fn many(parts: &Parts, count: usize) -> (Vec<String>, Arc<[TokenHash]>) {
    let mut tokens = Vec::with_capacity(count);
    let mut hashes = Vec::with_capacity(count);
    while tokens.len() < count {
        for _ in 0..AT_A_STRETCH.min(count - tokens.len()) {
            let token = opaque_token(VOTE_TOKEN_PREFIX, &*parts.ids);
            hashes.push(TokenHash::of(&token));
            tokens.push(token);
        }
        tokio::task::yield_now().await;
    }
    hashes.sort_unstable_by_key(|hash| *hash.as_bytes());
    (tokens, hashes.into())
}

fn hashes(tokens: &[String]) -> Vec<TokenHash> {
    tokens.iter().map(|token| TokenHash::of(token)).collect()
}

impl std::fmt::Debug for VoteTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VoteTokens").finish_non_exhaustive()
    }
}
