//! What a vote token is, and what is asked and told about many of them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::votes::VoterKey;
use crate::{PollId, TokenHash};

/// What every vote token begins with.
pub(crate) const VOTE_TOKEN_PREFIX: &str = "pv_";

/// A vote token that somebody has shown, as far as the engine needs it: not the token itself.
#[derive(Clone, PartialEq, Eq)]
pub struct VoteToken {
    hash: TokenHash,
    poll: PollId,
    voter: VoterKey,
}

impl VoteToken {
    /// The token with this text, which is good for this poll as
    /// [`poll_of`](super::VoteTokenRepository::poll_of) says.
    #[must_use]
    pub fn new(text: &str, poll: PollId) -> Self {
        Self {
            hash: TokenHash::of(text),
            poll,
            voter: VoterKey::of_token(text, poll),
        }
    }

    /// By which the store finds it.
    #[must_use]
    pub const fn hash(&self) -> TokenHash {
        self.hash
    }

    /// The poll that it is good for.
    #[must_use]
    pub const fn poll(&self) -> PollId {
        self.poll
    }

    /// Who votes with it.
    pub(crate) const fn voter(&self) -> VoterKey {
        self.voter
    }
}

impl fmt::Debug for VoteToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Both halves together say who voted.
        f.write_str("VoteToken(…)")
    }
}

/// How many tokens to make: the JSON body of `POST /polls/{id}/tokens`.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct NewVoteTokens {
    /// From 1 to [`request_tokens`](crate::Settings::request_tokens).
    pub count: usize,
    /// What each token is put into where links are asked for; see [`LinkTemplate`](super::LinkTemplate).
    #[serde(default)]
    pub link_template: Option<String>,
}

impl NewVoteTokens {
    /// So many tokens, without links.
    #[must_use]
    pub const fn count(count: usize) -> Self {
        Self {
            count,
            link_template: None,
        }
    }
}

/// New tokens, shown this once: each is a credential. They do not show in logs.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct NewlyMadeTokens {
    /// To be sent as `Authorization: Bearer`.
    pub tokens: Vec<String>,
}

impl fmt::Debug for NewlyMadeTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewlyMadeTokens")
            .field("tokens", &self.tokens.len())
            .finish_non_exhaustive()
    }
}

/// The tokens of a poll, in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct VoteTokenCounts {
    /// Ever made, revoked ones included.
    pub made: u64,
    /// Ballots that count. A revoked token may have cast one of them.
    pub used: u64,
    /// Good no more.
    pub revoked: u64,
}

/// Which tokens to revoke: the JSON body of `POST /polls/{id}/tokens/revoke`.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Revocation {
    /// These; at most [`request_revocations`](crate::Settings::request_revocations). What is no token of the poll is passed
    /// over.
    pub tokens: Option<Vec<String>>,
    /// Every one that the poll has until now.
    pub all: bool,
}

impl Revocation {
    /// Of these tokens.
    #[must_use]
    pub const fn these(tokens: Vec<String>) -> Self {
        Self {
            tokens: Some(tokens),
            all: false,
        }
    }

    /// Of every token that the poll has until now.
    #[must_use]
    pub const fn all() -> Self {
        Self {
            tokens: None,
            all: true,
        }
    }
}

impl fmt::Debug for Revocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocation")
            .field("tokens", &self.tokens.as_ref().map(Vec::len))
            .field("all", &self.all)
            .finish()
    }
}

/// What a revocation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct RevokedTokens {
    /// Tokens that were good until now.
    pub revoked: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::opaque_token;
    use crate::{Actor, SeededIds};

    #[test]
    fn a_token_is_256_random_bits() {
        let ids = SeededIds::new(1);
        let token = || opaque_token(VOTE_TOKEN_PREFIX, &ids);
        let (one, other) = (token(), token());
        assert_ne!(one, other);
        assert!(one.starts_with("pv_") && one.len() == 46, "{one}");
    }

    /// Not from the hash that is stored beside it, and in each poll another.
    #[test]
    fn a_voter_key_does_not_follow_from_the_stored_hash() {
        let (poll, elsewhere) = (PollId::from_bytes([1; 16]), PollId::from_bytes([2; 16]));
        let token = VoteToken::new("pv_x", poll);
        assert_eq!(token.voter(), VoteToken::new("pv_x", poll).voter());
        assert_ne!(token.voter(), VoteToken::new("pv_x", elsewhere).voter());
        assert_ne!(token.voter(), VoteToken::new("pv_y", poll).voter());
        assert_ne!(token.voter().as_bytes()[..], token.hash().as_bytes()[..16]);
        let of_hash = VoterKey::of_text("token", &format!("{:?}", token.hash().as_bytes()));
        assert_ne!(token.voter(), of_hash);
    }

    #[test]
    fn secrets_do_not_show() {
        let secret = "pv_c2VjcmV0";
        let token = VoteToken::new(secret, PollId::from_bytes([7; 16]));
        let actor = Actor::vote_token(token.clone());
        let made = NewlyMadeTokens {
            tokens: vec![secret.into()],
        };
        let revocation = Revocation::these(vec![secret.into()]);
        let shown = format!("{token:?} {actor:?} {made:?} {revocation:?}");
        assert!(!shown.contains("c2VjcmV0"), "{shown}");
        let digits = |bytes: &[u8]| format!("{bytes:?}").trim_matches(['[', ']']).to_owned();
        for bytes in [&token.hash().as_bytes()[..], token.voter().as_bytes()] {
            assert!(!shown.contains(&digits(&bytes[..4])), "{shown}");
        }
    }
}
