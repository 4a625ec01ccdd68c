//! Who asks: the first argument of every use case.
//!
//! Transports turn credentials into an [`Actor`] through an [`Authenticator`]; services decide what the actor may do;
//! stores know nothing of either.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};

use crate::polls::MANAGE_TOKEN_PREFIX;
use crate::{Code, Fault, Repository, StoreError, Timestamp, UserId};

/// Who asks for something.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Actor {
    /// The embedding application itself: it may do everything, and vouch for voters.
    System,
    /// Somebody from outside, known by what they proved; nobody in particular where they proved nothing.
    Caller(Caller),
}

/// What somebody from outside has proved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    user: Option<UserId>,
    /// When what proves the user is over; `None` where it never is.
    user_until: Option<Timestamp>,
    manage_tokens: Vec<TokenHash>,
}

impl Actor {
    /// Somebody who proved nothing.
    #[must_use]
    pub const fn anonymous() -> Self {
        Actor::Caller(Caller {
            user: None,
            user_until: None,
            manage_tokens: Vec::new(),
        })
    }

    /// A signed-in user.
    #[must_use]
    pub const fn user(id: UserId) -> Self {
        Actor::Caller(Caller {
            user: Some(id),
            user_until: None,
            manage_tokens: Vec::new(),
        })
    }

    /// A user who is signed in until then. Whoever holds on to this actor for longer, as a WebSocket does, cannot vote with
    /// it any more.
    #[must_use]
    pub const fn user_until(id: UserId, until: Timestamp) -> Self {
        Actor::Caller(Caller {
            user: Some(id),
            user_until: Some(until),
            manage_tokens: Vec::new(),
        })
    }

    /// Somebody who holds the manage token with this hash.
    #[must_use]
    pub fn manage_token(token: TokenHash) -> Self {
        Actor::Caller(Caller {
            user: None,
            user_until: None,
            manage_tokens: vec![token],
        })
    }

    /// What both have proved, together; of two users the later one counts.
    #[must_use]
    pub fn and(self, later: Actor) -> Self {
        match (self, later) {
            (Actor::System, _) | (_, Actor::System) => Actor::System,
            (Actor::Caller(mut caller), Actor::Caller(later)) => {
                if later.user.is_some() {
                    (caller.user, caller.user_until) = (later.user, later.user_until);
                }
                for token in later.manage_tokens {
                    if !caller.manage_tokens.contains(&token) {
                        caller.manage_tokens.push(token);
                    }
                }
                Actor::Caller(caller)
            }
        }
    }

    /// The signed-in user, where there is one.
    #[must_use]
    pub fn user_id(&self) -> Option<UserId> {
        match self {
            Actor::System => None,
            Actor::Caller(caller) => caller.user,
        }
    }

    /// Whether what proved the user is over at this time.
    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        match self {
            Actor::System => false,
            Actor::Caller(caller) => caller.user_until.is_some_and(|until| until <= now),
        }
    }

    /// The hashes of the manage tokens that the actor holds.
    #[must_use]
    pub fn manage_tokens(&self) -> &[TokenHash] {
        match self {
            Actor::System => &[],
            Actor::Caller(caller) => &caller.manage_tokens,
        }
    }

    /// Whether the actor proved nothing at all.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        matches!(self, Actor::Caller(caller) if caller.user.is_none() && caller.manage_tokens.is_empty())
    }
}

/// The SHA-256 of a bearer token of at least 128 random bits: all that is ever stored of one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of `token`.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }

    /// From its stored bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// The token of a header `Authorization: Bearer <token>`; `None` where the header says anything else, which is a bad
/// credential then and never none at all.
#[must_use]
pub fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && !token.contains(' '))
        .then_some(token)
}

/// Turns a credential into an actor: the one place where an application plugs in its own sign-in.
#[async_trait]
pub trait Authenticator: Send + Sync + 'static {
    /// What the holder of `bearer` (the token of `Authorization: Bearer`, or of a WebSocket `authenticate` frame) has
    /// proved. A token that is not good is [`AuthError::Rejected`], never the anonymous actor.
    async fn authenticate(&self, bearer: &str) -> Result<Actor, AuthError>;
}

/// Why a credential gives no actor.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The credential is unknown, malformed, forged or over.
    #[error("the credential is not valid, or not any more")]
    Rejected,
    /// The store could not be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AuthError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        Fault::code(self)
    }
}

impl Fault for AuthError {
    fn code(&self) -> Code {
        match self {
            AuthError::Rejected => Code::Unauthorized,
            AuthError::Store(error) => error.code(),
        }
    }
}

/// The engine's own credentials: manage tokens, and access tokens where there are accounts.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bearer_credentials_have_a_token() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bEARER   abc "), Some("abc"));
        for bad in ["", "Bearer", "Bearer ", "Basic abc", "Bearer a b", "abc"] {
            assert_eq!(bearer(bad), None, "{bad}");
        }
    }

    #[test]
    fn of_two_users_the_later_one_counts_with_its_end() {
        let (one, other) = (UserId::from_bytes([1; 16]), UserId::from_bytes([2; 16]));
        let at = Timestamp::from_millis;
        let first = Actor::user_until(one, at(1_000));
        assert!(!first.has_expired(at(999)) && first.has_expired(at(1_000)));
        let manager = Actor::manage_token(TokenHash::of("x"));
        assert!(first.clone().and(manager.clone()).has_expired(at(1_000)));
        assert!(manager.and(first.clone()).has_expired(at(1_000)));
        let renewed = first.clone().and(Actor::user_until(one, at(2_000)));
        assert!(!renewed.has_expired(at(1_999)) && renewed.has_expired(at(2_000)));
        let for_good = first.and(Actor::user(other));
        assert!(!for_good.has_expired(at(9_000)) && for_good.user_id() == Some(other));
        assert!(!Actor::System.has_expired(at(9_000)));
    }
}
