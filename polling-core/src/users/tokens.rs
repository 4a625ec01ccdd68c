//! Access tokens: JWT (RFC 7519) with HS256, a `kid` for each key.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode,
};
use serde::{Deserialize, Serialize};

use super::repository::SigningKey;
use crate::{Clock, Timestamp, UserId};

/// Whom a token is for, and from: this engine and nobody else.
const AUDIENCE: &str = "polling";

/// The `kid` of the key that the engine makes for itself.
const OWN_KID: &str = "own";

/// The least bytes of a secret: as many as the hash has (RFC 7518, section 3.2).
const SECRET_BYTES: usize = 32;

/// A key that signs and checks access tokens.
#[derive(Clone)]
pub struct TokenKey {
    kid: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl TokenKey {
    /// A key named `kid`, by which its tokens find it, with a secret of at least 32 bytes.
    ///
    /// # Errors
    /// What is wrong with it, in words that do not hold the secret.
    pub fn new(kid: &str, secret: &[u8]) -> Result<Self, String> {
        if kid.is_empty()
            || kid.len() > 64
            || !kid
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        {
            return Err(
                "a key's id has from 1 to 64 letters, digits, dots, dashes and underscores".into(),
            );
        }
        if secret.len() < SECRET_BYTES {
            return Err(format!(
                "the secret of the key {kid} has fewer than {SECRET_BYTES} bytes"
            ));
        }
        Ok(Self::named(kid, secret))
    }

    pub(super) fn own(key: &SigningKey) -> Self {
        Self::named(OWN_KID, key.as_bytes())
    }

    fn named(kid: &str, secret: &[u8]) -> Self {
        Self {
            kid: kid.to_owned(),
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
        }
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenKey")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

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
        let lifetime = i64::try_from(self.lifetime.as_secs()).unwrap_or(i64::MAX);
        let (aud, iss) = (AUDIENCE.to_owned(), AUDIENCE.to_owned());
        let claims = Claims {
            sub: user,
            aud,
            iss,
            iat: now,
            exp: now.saturating_add(lifetime),
        };
        let header = Header {
            kid: Some(key.kid.clone()),
            ..Header::new(Algorithm::HS256)
        };
        encode(&header, &claims, &key.encoding)
    }

    /// Whose token it is; `None` where it is not good, or not any more.
    pub(super) fn verify(&self, token: &str) -> Option<UserId> {
        let kid = decode_header(token).ok()?.kid?;
        let key = self.keys.iter().find(|key| key.kid == kid)?;
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_audience(&[AUDIENCE]);
        rules.set_issuer(&[AUDIENCE]);
        // The library would look at a clock of its own.
        rules.validate_exp = false;
        let claims: Claims = decode(token, &key.decoding, &rules).ok()?.claims;
        (seconds(self.clock.now()) < claims.exp).then_some(claims.sub)
    }
}

fn seconds(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FakeClock;

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
        assert_eq!(tokens.verify(&token), Some(ada()));
        clock.advance(Duration::from_secs(1));
        assert_eq!(tokens.verify(&token), None);
    }

    #[test]
    fn keys_can_be_rotated() {
        let clock = FakeClock::default();
        let old = tokens(vec![key("a", 1)], &clock).sign(ada()).unwrap();
        assert_eq!(
            tokens(vec![key("b", 2), key("a", 1)], &clock).verify(&old),
            Some(ada())
        );
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
    fn weak_keys_are_refused_without_repeating_them() {
        let error = TokenKey::new("a", b"secret").unwrap_err();
        assert!(!error.contains("secret of the key secret"), "{error}");
        assert!(TokenKey::new("no spaces", &[0; 32]).is_err());
        assert!(!format!("{:?}", key("a", 7)).contains('7'));
    }
}
