//! Who asks: the first argument of every use case.
//!
//! Transports turn credentials into an [`Actor`] through an [`Authenticator`]; services decide what the actor may do;
//! stores know nothing of either.

mod credential;
mod own_tokens;

use core::net::IpAddr;
use std::borrow::Cow;

use crate::vote_tokens::VoteToken;
use crate::{PollId, Timestamp, UserId};

pub use credential::{AuthError, Authenticator, TokenHash, bearer};
pub(crate) use own_tokens::OwnTokens;

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
    vote_tokens: Vec<VoteToken>,
    /// Where the request came from, which proves nothing.
    address: Option<IpAddr>,
}

impl Actor {
    /// Somebody who proved nothing.
    #[must_use]
    pub const fn anonymous() -> Self {
        Actor::Caller(Caller {
            user: None,
            user_until: None,
            manage_tokens: Vec::new(),
            vote_tokens: Vec::new(),
            address: None,
        })
    }

    /// A signed-in user.
    #[must_use]
    pub const fn user(id: UserId) -> Self {
        Actor::Caller(Caller {
            user: Some(id),
            user_until: None,
            manage_tokens: Vec::new(),
            vote_tokens: Vec::new(),
            address: None,
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
            vote_tokens: Vec::new(),
            address: None,
        })
    }

    /// Somebody who holds the manage token with this hash.
    #[must_use]
    pub fn manage_token(token: TokenHash) -> Self {
        Actor::Caller(Caller {
            manage_tokens: vec![token],
            ..Caller::default()
        })
    }

    /// Somebody who holds this one-time vote token.
    #[must_use]
    pub fn vote_token(token: VoteToken) -> Self {
        Actor::Caller(Caller {
            vote_tokens: vec![token],
            ..Caller::default()
        })
    }

    /// Somebody who proved nothing, and asks from this address of the network. Limits count by it who is not known.
    #[must_use]
    pub const fn from_address(address: IpAddr) -> Self {
        Actor::Caller(Caller {
            user: None,
            manage_tokens: Vec::new(),
            user_until: None,
            vote_tokens: Vec::new(),
            address: Some(address),
        })
    }

    /// What both have proved, together; of two users and two addresses the later one counts.
    #[must_use]
    pub fn and(self, later: Actor) -> Self {
        match (self, later) {
            (Actor::System, _) | (_, Actor::System) => Actor::System,
            (Actor::Caller(mut caller), Actor::Caller(later)) => {
                if later.user.is_some() {
                    (caller.user, caller.user_until) = (later.user, later.user_until);
                }
                caller.address = later.address.or(caller.address);
                for token in later.manage_tokens {
                    if !caller.manage_tokens.contains(&token) {
                        caller.manage_tokens.push(token);
                    }
                }
                for token in later.vote_tokens {
                    caller.vote_tokens.retain(|earlier| *earlier != token);
                    caller.vote_tokens.push(token);
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

    /// When what proves the user is over; `None` where it never is, or nobody is signed in.
    pub(crate) fn user_end(&self) -> Option<Timestamp> {
        match self {
            Actor::System => None,
            Actor::Caller(caller) => caller.user_until,
        }
    }

    /// The actor by what still proves something at this time: a connection may hold it for longer.
    pub(crate) fn in_force(&self, now: Timestamp) -> Cow<'_, Self> {
        if self.has_expired(now) {
            Cow::Owned(self.without_user())
        } else {
            Cow::Borrowed(self)
        }
    }

    /// The actor by all that it proved but the user.
    pub(crate) fn without_user(&self) -> Self {
        let mut left = self.clone();
        if let Actor::Caller(caller) = &mut left {
            (caller.user, caller.user_until) = (None, None);
        }
        left
    }

    /// What is left where it is not known any more who the actor is: manage tokens, which are good whoever holds them, and
    /// the address.
    #[must_use]
    pub fn without_identity(&self) -> Self {
        match self {
            Actor::System => Self::anonymous(),
            Actor::Caller(caller) => Actor::Caller(Caller {
                manage_tokens: caller.manage_tokens.clone(),
                address: caller.address,
                ..Caller::default()
            }),
        }
    }

    /// The actor by all that it proved but the vote tokens for this poll.
    pub(crate) fn without_vote_token(&self, poll: PollId) -> Self {
        let mut left = self.clone();
        if let Actor::Caller(caller) = &mut left {
            caller.vote_tokens.retain(|token| token.poll() != poll);
        }
        left
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

    /// Where the actor asks from, where a transport said so.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Actor::System => None,
            Actor::Caller(caller) => caller.address,
        }
    }

    /// The one-time vote tokens that the actor holds.
    #[must_use]
    pub fn vote_tokens(&self) -> &[VoteToken] {
        match self {
            Actor::System => &[],
            Actor::Caller(caller) => &caller.vote_tokens,
        }
    }

    /// The vote token for this poll: of several, the one that was shown last.
    pub(crate) fn vote_token_for(&self, poll: PollId) -> Option<&VoteToken> {
        let tokens = self.vote_tokens().iter();
        tokens.rev().find(|token| token.poll() == poll)
    }

    /// Whether this actor is the same voter in this poll as `other` is, for as long, where credentials say who votes.
    #[must_use]
    pub fn votes_as(&self, other: &Self, poll: PollId) -> bool {
        self.user_id() == other.user_id()
            && self.user_end() == other.user_end()
            && self.vote_token_for(poll) == other.vote_token_for(poll)
    }

    /// The same, from nowhere in particular.
    #[must_use]
    pub(crate) fn without_address(&self) -> Self {
        match self {
            Actor::System => Actor::System,
            Actor::Caller(caller) => Actor::Caller(Caller {
                address: None,
                ..caller.clone()
            }),
        }
    }

    /// Whether the actor proved nothing at all.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        matches!(self, Actor::Caller(Caller { user: None, user_until: _, manage_tokens, vote_tokens, address: _ })
            if manage_tokens.is_empty() && vote_tokens.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn who_is_not_known_any_more_is_left_with_manage_tokens() {
        let manager = Actor::manage_token(TokenHash::of("x"));
        let poll = PollId::from_bytes([1; 16]);
        let token = Actor::vote_token(VoteToken::new("pv_x", poll));
        let user = Actor::user_until(UserId::from_bytes([1; 16]), Timestamp::from_millis(1));
        let address = IpAddr::from([127, 0, 0, 1]);
        let here = Actor::from_address(address).and(manager);
        let all = here.clone().and(user).and(token);
        assert_eq!(all.without_identity(), here);
        assert_eq!(Actor::System.without_identity(), Actor::anonymous());
    }
}
