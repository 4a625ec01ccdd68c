//! The types of an account.

use std::fmt;

use serde::Serialize;

use crate::text::text;
use crate::{Timestamp, UserId};

text! {
    /// A user's name, as others see it.
    UserName, lines: false
}

/// Characters of a name, at most.
#[cfg(feature = "accounts")]
pub(super) const NAME_CHARS: usize = 100;

/// An e-mail address, which is unique without regard to case.
#[derive(Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// The address without the white space around it.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    #[cfg(feature = "accounts")]
    pub fn parse(text: &str) -> Result<Self, String> {
        use std::str::FromStr;

        let options = email_address::Options::default()
            .without_display_text()
            .without_domain_literal();
        let text = text.trim();
        match email_address::EmailAddress::parse_with_options(text, options) {
            Ok(_) => Ok(Self(text.to_owned())),
            // The library's own check names what it misses.
            Err(error) if email_address::EmailAddress::from_str(text).is_err() => Err(format!(
                "is no e-mail address: {}",
                error.to_string().to_lowercase()
            )),
            Err(_) => Err("must be a plain e-mail address, like ada@example.org".into()),
        }
    }

    /// An address that was parsed before it was stored.
    #[must_use]
    pub fn from_store(text: String) -> Self {
        Self(text)
    }

    /// The address as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is unique: the address in lower case.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

/// A password's hash, as a PHC string: it holds its own salt and parameters.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// From the stored PHC string.
    #[must_use]
    pub fn from_store(phc: String) -> Self {
        Self(phc)
    }

    /// The PHC string to store.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its public id.
    pub id: UserId,
    /// The name that others see.
    pub name: UserName,
    /// The address to sign in with; nobody else sees it.
    pub email: Email,
    /// When it was created.
    pub created_at: Timestamp,
}

/// A user as everybody may see them: no e-mail, no hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct UserView {
    /// Their id.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// When they signed up.
    pub created_at: Timestamp,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            name: user.name.as_str().to_owned(),
            created_at: user.created_at,
        }
    }
}
