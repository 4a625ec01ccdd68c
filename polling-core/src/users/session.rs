//! Sign-ins: what is kept of one, and the rule by which its refresh tokens are spent.
//!
//! A sign-in is one row, whatever becomes of it: the hash of the one refresh token that is good, and of the one that was
//! spent for it. A token names its sign-in, so that every other token of it is known for a spent one without being kept.

use std::time::Duration;

use crate::{SessionId, Timestamp, TokenHash, UserId};

/// A sign-in, and the family of refresh tokens that comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id, which all of its tokens hold.
    pub id: SessionId,
    /// Who signed in.
    pub user: UserId,
    /// The refresh token that is good.
    pub token: TokenHash,
    /// The one that was spent for it; `None` at the beginning.
    pub spent: Option<TokenHash>,
    /// When that was, or when it began.
    pub renewed_at: Timestamp,
    /// When the token ends, if nobody uses it before.
    pub expires_at: Timestamp,
    /// When the sign-in ends, however often it is renewed.
    pub ends_at: Timestamp,
}

/// Somebody who spends a refresh token for the next one.
#[derive(Clone, Copy, Debug)]
pub struct Renewal {
    /// The sign-in that the token names.
    pub session: SessionId,
    /// The token.
    pub presented: TokenHash,
    /// The one to come.
    pub next: TokenHash,
    /// When.
    pub now: Timestamp,
    /// How long the next one is good, unless the sign-in ends before.
    pub idle: Duration,
    /// For how long a token that was spent may be sent again, by a client that got no answer.
    pub grace: Duration,
}

/// What is to become of a sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RenewalPlan {
    /// It goes on as this.
    Renew(Session),
    /// It is over.
    End,
    /// A token came back that was spent: either it was stolen, or who has the good one is a thief. The sign-in is revoked.
    Revoke,
}

impl Session {
    /// The rule. The good token is spent for the next one. The one that was spent last may be sent again while nobody has
    /// used what it was spent for, within the grace that runs from its first use: what came of it is replaced, so that
    /// there is one good token again. Every other token of the sign-in revokes it.
    #[must_use]
    pub fn plan(&self, renewal: &Renewal) -> RenewalPlan {
        let Renewal { now, next, .. } = *renewal;
        if now >= self.expires_at {
            RenewalPlan::End
        } else if renewal.presented == self.token {
            RenewalPlan::Renew(Self {
                token: next,
                spent: Some(renewal.presented),
                renewed_at: now,
                expires_at: now.after(renewal.idle).min(self.ends_at),
                ..self.clone()
            })
        } else if self.spent == Some(renewal.presented)
            && now.since(self.renewed_at) <= renewal.grace
        {
            RenewalPlan::Renew(Self {
                token: next,
                ..self.clone()
            })
        } else {
            RenewalPlan::Revoke
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(text: &str) -> TokenHash {
        TokenHash::of(text)
    }

    fn second(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1_000)
    }

    /// Begun with the token `a`, good for 100 s without use, and for 250 s in all.
    fn begun() -> Session {
        Session {
            id: SessionId::from_bytes([1; 16]),
            user: UserId::from_bytes([2; 16]),
            token: hash("a"),
            spent: None,
            renewed_at: second(0),
            expires_at: second(100),
            ends_at: second(250),
        }
    }

    fn plan(session: &Session, presented: &str, next: &str, at: i64) -> RenewalPlan {
        session.plan(&Renewal {
            session: session.id,
            presented: hash(presented),
            next: hash(next),
            now: second(at),
            idle: Duration::from_secs(100),
            grace: Duration::from_secs(10),
        })
    }

    #[track_caller]
    fn renewed(plan: RenewalPlan) -> Session {
        match plan {
            RenewalPlan::Renew(session) => session,
            other => panic!("was to be renewed: {other:?}"),
        }
    }

    #[test]
    fn a_token_is_spent_for_the_next_one() {
        let session = renewed(plan(&begun(), "a", "b", 50));
        assert_eq!(session.token, hash("b"));
        assert_eq!(session.spent, Some(hash("a")));
        assert_eq!(session.renewed_at, second(50));
        assert_eq!(session.expires_at, second(150));
        assert_eq!(session.ends_at, second(250));
    }

    #[test]
    fn a_token_that_was_spent_is_good_again_only_for_the_grace() {
        let session = renewed(plan(&begun(), "a", "b", 50));
        let again = renewed(plan(&session, "a", "b2", 60));
        // The grace is not made longer by using it, and neither is the sign-in.
        let expected = Session {
            token: hash("b2"),
            ..session.clone()
        };
        assert_eq!(again, expected);
        assert_eq!(plan(&session, "a", "b2", 61), RenewalPlan::Revoke);
        // What it replaced is no token any more.
        assert_eq!(plan(&again, "b", "c", 60), RenewalPlan::Revoke);
    }

    #[test]
    fn a_token_whose_successor_was_used_revokes_the_sign_in() {
        let session = renewed(plan(&begun(), "a", "b", 50));
        let session = renewed(plan(&session, "b", "c", 51));
        assert_eq!(plan(&session, "a", "b", 52), RenewalPlan::Revoke);
        assert_eq!(plan(&session, "x", "y", 52), RenewalPlan::Revoke);
        renewed(plan(&session, "b", "c", 52));
    }

    #[test]
    fn nothing_makes_a_sign_in_longer_than_it_may_be() {
        assert_eq!(plan(&begun(), "a", "b", 100), RenewalPlan::End);
        let mut session = begun();
        for at in [90, 180, 240] {
            let (token, next) = (at.to_string(), (at + 1).to_string());
            session.token = hash(&token);
            session = renewed(plan(&session, &token, &next, at));
        }
        assert_eq!(session.expires_at, second(250));
        assert_eq!(plan(&session, "241", "b", 250), RenewalPlan::End);
    }
}
