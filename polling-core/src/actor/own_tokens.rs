//! The credentials that the engine itself gives.

use std::sync::Arc;

use async_trait::async_trait;
use quick_cache::sync::Cache;

use super::{Actor, AuthError, Authenticator, TokenHash};
use crate::Repository;
use crate::polls::MANAGE_TOKEN_PREFIX;
use crate::vote_tokens::{VOTE_TOKEN_PREFIX, VoteToken};

/// The engine's own credentials: manage tokens, vote tokens, and access tokens where there are accounts.
pub(crate) struct OwnTokens {
    store: Arc<dyn Repository>,
    /// A manage token is good for ever, so that what was found once need not be looked up again.
    known: Cache<TokenHash, ()>,
    #[cfg(feature = "accounts")]
    users: Option<crate::users::Users>,
}

/// Manage tokens that are remembered as good.
const KNOWN_TOKENS: usize = 10_000;

impl OwnTokens {
    pub(crate) fn new(
        store: Arc<dyn Repository>,
        #[cfg(feature = "accounts")] users: Option<crate::users::Users>,
    ) -> Self {
        Self {
            store,
            known: Cache::new(KNOWN_TOKENS),
            #[cfg(feature = "accounts")]
            users,
        }
    }
}

impl OwnTokens {
    /// Nothing is remembered of vote tokens: one that was revoked, on whichever server, is refused from then on.
    async fn vote_token(&self, bearer: &str) -> Result<Actor, AuthError> {
        let tokens = self.store.vote_tokens().ok_or(AuthError::Rejected)?;
        let poll = tokens.poll_of(TokenHash::of(bearer)).await?;
        let poll = poll.ok_or(AuthError::Rejected)?;
        Ok(Actor::vote_token(VoteToken::new(bearer, poll)))
    }
}

#[async_trait]
impl Authenticator for OwnTokens {
    async fn authenticate(&self, bearer: &str) -> Result<Actor, AuthError> {
        if bearer.starts_with(MANAGE_TOKEN_PREFIX) {
            let token = TokenHash::of(bearer);
            if self.known.get(&token).is_none() {
                if !self.store.polls().knows_manage_token(token).await? {
                    return Err(AuthError::Rejected);
                }
                self.known.insert(token, ());
            }
            return Ok(Actor::manage_token(token));
        }
        if bearer.starts_with(VOTE_TOKEN_PREFIX) {
            return self.vote_token(bearer).await;
        }
        #[cfg(feature = "accounts")]
        if let Some(users) = &self.users {
            return users
                .verify(bearer)
                .map(|(user, until)| Actor::user_until(user, until))
                .ok_or(AuthError::Rejected);
        }
        Err(AuthError::Rejected)
    }
}
