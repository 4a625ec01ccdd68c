//! Access tokens: JWT (RFC 7519) with HS256, a `kid` for each key. And the secret by which a refresh token follows from the
//! one before.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};

use super::keys::TokenKey;
use super::refresh::RefreshToken;
use crate::{Clock, StoreError, Timestamp, UserId};

/// Whom a token is for, and from: this engine and nobody else.
const AUDIENCE: &str = "polling";

/// Seconds that a token may be from the future, where clocks differ a little. One that is from further away was made before
/// the clock was set back, and would be good for as much longer.
const MOST_AHEAD: i64 = 60;

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: UserId,
    aud: String,
    iss: String,
    /// Seconds since 1970, as the standard has it.
    iat: i64,
    exp: i64,
}

/// Signs and checks access tokens.
#[derive(Clone)]
pub(super) struct Tokens {
    keys: Arc<[TokenKey]>,
    clock: Arc<dyn Clock>,
    lifetime: Duration,
}

impl Tokens {
    /// The first key signs, and every one is accepted. There must be at least one.
    pub(super) fn new(keys: Vec<TokenKey>, clock: Arc<dyn Clock>, lifetime: Duration) -> Self {
        Self {
            keys: keys.into(),
            clock,
            lifetime,
        }
    }

    pub(super) fn sign(&self, user: UserId) -> Result<String, jsonwebtoken::errors::Error> {
        let key = &self.keys[0];
        let now = seconds(self.clock.now());
        let (aud, iss) = (AUDIENCE.to_owned(), AUDIENCE.to_owned());
        let claims = Claims {
            sub: user,
            aud,
            iss,
            iat: now,
            exp: now.saturating_add(self.seconds()),
        };
        let header = Header {
            kid: Some(key.kid.clone()),
            ..Header::new(Algorithm::HS256)
        };
        encode(&header, &claims, &key.encoding)
    }

    /// The lifetime, in seconds.
    fn seconds(&self) -> i64 {
        i64::try_from(self.lifetime.as_secs()).unwrap_or(i64::MAX)
    }

    /// The refresh token that this one is spent for. It follows from it by a secret that nobody else has, so that a client
    /// which sends the same one again, because it got no answer, gets the same answer: a sign-in never has two tokens that
    /// are good, also where two windows of a browser refresh at once.
    pub(super) fn successor(&self, token: &RefreshToken) -> Result<RefreshToken, StoreError> {
        // What is signed of an access token always has a dot in it, and a refresh token never.
        let message = token.text().as_bytes();
        let mac = jsonwebtoken::crypto::sign(message, &self.keys[0].encoding, Algorithm::HS256);
        let mac = mac.map_err(StoreError::internal)?;
        let secret = BASE64_URL_SAFE_NO_PAD.decode(mac);
        Ok(RefreshToken::of(
            token.session(),
            &secret.map_err(StoreError::internal)?,
        ))
    }

    /// Whose token it is, and until when; `None` where it is not good, or not any more. None is good for longer than today's
    /// lifetime, whatever the one was under which it was made: with it the ballots of deleted users are theirs no more, and
    /// whoever had a token that lives on could vote twice.
    pub(super) fn verify(&self, token: &str) -> Option<(UserId, Timestamp)> {
        let kid = decode_header(token).ok()?.kid?;
        let key = self.keys.iter().find(|key| key.kid == kid)?;
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_audience(&[AUDIENCE]);
        rules.set_issuer(&[AUDIENCE]);
        // The library would look at a clock of its own.
        rules.validate_exp = false;
        let claims: Claims = decode(token, &key.decoding, &rules).ok()?.claims;
        let now = self.clock.now();
        if claims.iat > seconds(now).saturating_add(MOST_AHEAD) {
            return None;
        }
        let end = claims.exp.min(claims.iat.saturating_add(self.seconds()));
        let until = Timestamp::from_millis(end.saturating_mul(1_000));
        (now < until).then_some((claims.sub, until))
    }
}

fn seconds(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FakeClock, SeededIds, SessionId};

    fn key(kid: &str, byte: u8) -> TokenKey {
        TokenKey::new(kid, &[byte; 32]).unwrap()
    }

    fn tokens(keys: Vec<TokenKey>, clock: &FakeClock) -> Tokens {
        Tokens::new(keys, Arc::new(clock.clone()), Duration::from_secs(900))
    }

    fn ada() -> UserId {
        UserId::from_bytes([1; 16])
    }

    #[test]
    fn a_token_is_good_until_its_end() {
        let clock = FakeClock::default();
        let tokens = tokens(vec![key("a", 1)], &clock);
        let token = tokens.sign(ada()).unwrap();
        clock.advance(Duration::from_secs(899));
        let until = clock.now().after(Duration::from_secs(1));
        assert_eq!(tokens.verify(&token), Some((ada(), until)));
        clock.advance(Duration::from_secs(1));
        assert_eq!(tokens.verify(&token), None);
    }

    #[test]
    fn no_token_is_older_than_the_lifetime_in_force() {
        let clock = FakeClock::default();
        let made = clock.now();
        let of = |seconds| {
            let lifetime = Duration::from_secs(seconds);
            Tokens::new(vec![key("a", 1)], Arc::new(clock.clone()), lifetime)
        };
        let (long, short) = (of(3_600), of(900));
        let (from_long, from_short) = (long.sign(ada()).unwrap(), short.sign(ada()).unwrap());
        clock.advance(Duration::from_secs(899));
        let until = made.after(Duration::from_secs(900));
        for token in [&from_long, &from_short] {
            assert_eq!(short.verify(token), Some((ada(), until)));
        }
        // A longer one gives nothing back that is over.
        assert_eq!(long.verify(&from_short), Some((ada(), until)));
        clock.advance(Duration::from_secs(1));
        assert_eq!(short.verify(&from_long), None);
        assert_eq!(long.verify(&from_short), None);
        let until = made.after(Duration::from_secs(3_600));
        assert_eq!(long.verify(&from_long), Some((ada(), until)));
    }

    #[test]
    fn a_token_says_when_it_was_made() {
        let clock = FakeClock::default();
        let tokens = tokens(vec![key("a", 1)], &clock);
        let header = Header {
            kid: Some("a".into()),
            ..Header::new(Algorithm::HS256)
        };
        let signed = |iat: serde_json::Value| {
            let exp = seconds(clock.now()) + 600;
            let mut claims =
                serde_json::json!({"sub": ada(), "aud": AUDIENCE, "iss": AUDIENCE, "exp": exp});
            if !iat.is_null() {
                claims["iat"] = iat;
            }
            encode(&header, &claims, &key("a", 1).encoding).unwrap()
        };
        let now = seconds(clock.now());
        for good in [now, now + MOST_AHEAD] {
            assert!(tokens.verify(&signed(good.into())).is_some(), "{good}");
        }
        for bad in [
            serde_json::Value::Null,
            "now".into(),
            i64::MIN.into(),
            (now - 900).into(),
            (now + MOST_AHEAD + 1).into(),
        ] {
            assert_eq!(tokens.verify(&signed(bad.clone())), None, "{bad}");
        }
    }

    #[test]
    fn keys_can_be_rotated() {
        let clock = FakeClock::default();
        let old = tokens(vec![key("a", 1)], &clock).sign(ada()).unwrap();
        let (user, _) = tokens(vec![key("b", 2), key("a", 1)], &clock)
            .verify(&old)
            .unwrap();
        assert_eq!(user, ada());
        assert_eq!(tokens(vec![key("b", 2)], &clock).verify(&old), None);
        assert_eq!(tokens(vec![key("a", 2)], &clock).verify(&old), None);
    }

    #[test]
    fn forged_tokens_are_refused() {
        let clock = FakeClock::default();
        let tokens = tokens(vec![key("a", 1)], &clock);
        let good = tokens.sign(ada()).unwrap();
        let parts: Vec<&str> = good.split('.').collect();
        // {"alg":"none","kid":"a"}
        let unsigned = format!("eyJhbGciOiJub25lIiwia2lkIjoiYSJ9.{}.", parts[1]);
        let other = Header {
            kid: Some("a".into()),
            ..Header::new(Algorithm::HS384)
        };
        let claims = |aud: &str| Claims {
            sub: ada(),
            aud: aud.into(),
            iss: AUDIENCE.into(),
            iat: 0,
            exp: i64::MAX,
        };
        let hs384 = encode(&other, &claims(AUDIENCE), &key("a", 1).encoding).unwrap();
        let header = Header {
            kid: Some("a".into()),
            ..Header::new(Algorithm::HS256)
        };
        let elsewhere = encode(&header, &claims("elsewhere"), &key("a", 1).encoding).unwrap();
        for bad in [
            "",
            "a.b.c",
            &unsigned,
            &hs384,
            &elsewhere,
            &good[..good.len() - 2],
        ] {
            assert_eq!(tokens.verify(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_next_refresh_token_follows_from_the_one_before() {
        let clock = FakeClock::default();
        let tokens_of = |byte| tokens(vec![key("a", byte)], &clock);
        let first = RefreshToken::new(SessionId::from_bytes([7; 16]), &SeededIds::new(1));
        let second = tokens_of(1).successor(&first).unwrap();
        assert!(second == tokens_of(1).successor(&first).unwrap());
        assert!(second != first && second.session() == first.session());
        assert_eq!(second.text().len(), 67);
        assert!(second != tokens_of(2).successor(&first).unwrap());
        assert!(tokens_of(1).successor(&second).unwrap() != second);
    }
}
