//! The keys that sign access tokens.

use std::fmt;

use jsonwebtoken::{DecodingKey, EncodingKey};

use super::repository::SigningKey;

/// The `kid` of the key that the engine makes for itself.
const OWN_KID: &str = "own";

/// The least bytes of a secret: as many as the hash has (RFC 7518, section 3.2).
const SECRET_BYTES: usize = 32;

/// A key that signs and checks access tokens.
#[derive(Clone)]
pub struct TokenKey {
    pub(super) kid: String,
    pub(super) encoding: EncodingKey,
    pub(super) decoding: DecodingKey,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_keys_are_refused_without_repeating_them() {
        let error = TokenKey::new("a", b"secret").unwrap_err();
        assert!(!error.contains("secret of the key secret"), "{error}");
        assert!(TokenKey::new("no spaces", &[0; 32]).is_err());
        assert!(!format!("{:?}", TokenKey::new("a", &[7; 32]).unwrap()).contains('7'));
    }
}
