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
        // Between quotes the standard allows a tab.
        if text.chars().any(crate::text::is_control) {
            return Err("must not hold control characters".into());
        }
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

/// An account, but for its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its public id.
    pub id: UserId,
    /// The name that others see.
    pub name: UserName,
    /// The address to sign in with; nobody else sees it but administrators.
    pub email: Email,
    /// Whether they administer the whole site.
    pub is_admin: bool,
    /// When it was created.
    pub created_at: Timestamp,
}

/// An account, and what proves that somebody is its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Whose.
    pub user: User,
    /// `None` where no password was set yet: nobody can sign in.
    pub password: Option<PasswordHash>,
}

/// A user as somebody may see them: never with a hash, and with the e-mail only for themselves and administrators.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct UserView {
    /// Their id.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// The address that they sign in with; absent for strangers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub email: Option<String>,
    /// Whether they administer the whole site; absent for strangers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub is_admin: Option<bool>,
    /// When they signed up.
    pub created_at: Timestamp,
}

impl fmt::Debug for UserView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserView")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl UserView {
    /// As everybody sees them.
    #[must_use]
    pub fn public(user: &User) -> Self {
        Self {
            email: None,
            is_admin: None,
            ..Self::whole(user)
        }
    }

    /// As they see themselves.
    #[must_use]
    pub fn whole(user: &User) -> Self {
        Self {
            id: user.id,
            name: user.name.as_str().to_owned(),
            email: Some(user.email.as_str().to_owned()),
            is_admin: Some(user.is_admin),
            created_at: user.created_at,
        }
    }
}
