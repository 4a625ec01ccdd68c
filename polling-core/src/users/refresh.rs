//! Refresh tokens, as they are made and read. The next one follows from the one before (`tokens.rs`).

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::{IdSource, SessionId, TokenHash};

/// What every refresh token begins with.
const REFRESH_TOKEN_PREFIX: &str = "pr_";

/// A refresh token: the id of its sign-in, and 256 bits that nobody can guess.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct RefreshToken {
    session: SessionId,
    text: String,
}

impl RefreshToken {
    /// The first one of a sign-in.
    pub(super) fn new(session: SessionId, ids: &dyn IdSource) -> Self {
        let mut secret = [0; 32];
        ids.fill(&mut secret);
        Self::of(session, &secret)
    }

    /// The one with these 32 bytes.
    pub(super) fn of(session: SessionId, secret: &[u8]) -> Self {
        let bytes = [session.as_bytes(), secret].concat();
        let text = format!(
            "{REFRESH_TOKEN_PREFIX}{}",
            BASE64_URL_SAFE_NO_PAD.encode(bytes)
        );
        Self { session, text }
    }

    /// A token that somebody sent; `None` where it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let encoded = text.strip_prefix(REFRESH_TOKEN_PREFIX)?;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(encoded).ok()?;
        let (id, secret) = bytes.split_first_chunk::<16>()?;
        (secret.len() == 32).then(|| Self {
            session: SessionId::from_bytes(*id),
            text: text.to_owned(),
        })
    }

    pub(super) fn session(&self) -> SessionId {
        self.session
    }

    pub(super) fn hash(&self) -> TokenHash {
        TokenHash::of(&self.text)
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededIds;

    #[test]
    fn a_refresh_token_is_read_as_it_was_made() {
        let session = SessionId::from_bytes([7; 16]);
        let token = RefreshToken::new(session, &SeededIds::new(1));
        assert_eq!(token.text.len(), 67);
        let read = RefreshToken::parse(&token.text).unwrap();
        assert!(read == token && read.session() == session);
        let bytes = |count| BASE64_URL_SAFE_NO_PAD.encode(vec![0; count]);
        for bad in [
            "".to_owned(),
            "pr_".to_owned(),
            token.text.replace("pr_", "pm_"),
            format!("pr_{}", bytes(47)),
            format!("pr_{}", bytes(49)),
            format!("pr_{}=", bytes(48)),
            format!("pr_{}!", &bytes(48)[1..]),
        ] {
            assert!(RefreshToken::parse(&bad).is_none(), "{bad}");
        }
    }
}
