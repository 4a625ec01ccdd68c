//! The JSON of signing up, signing in, and what comes after.

use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize};

use crate::wire::present;

/// Somebody who signs up: raw input, and the JSON body of `POST /users`.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct NewUser {
    /// The name that others see: 1 to 100 characters.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::name))]
    pub name: String,
    /// The address to sign in with.
    #[cfg_attr(feature = "openapi", schema(format = "email", min_length = 3))]
    pub email: String,
    /// At least 8 characters, at most 1,000 bytes.
    #[serde(deserialize_with = "secret")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = "password", min_length = 8, max_length = 1000))]
    pub password: SecretString,
}

impl NewUser {
    /// Somebody who signs up.
    pub fn new(
        name: impl Into<String>,
        email: impl Into<String>,
        password: impl Into<String>,
    ) -> Self {
        let password: String = password.into();
        Self {
            name: name.into(),
            email: email.into(),
            password: password.into(),
        }
    }
}

/// Somebody who signs in: the JSON body of `POST /auth/login`.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct Credentials {
    /// The address.
    pub email: String,
    /// The password.
    #[serde(deserialize_with = "secret")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = "password"))]
    pub password: SecretString,
}

impl Credentials {
    /// Somebody who signs in.
    pub fn new(email: impl Into<String>, password: impl Into<String>) -> Self {
        let password: String = password.into();
        Self {
            email: email.into(),
            password: password.into(),
        }
    }
}

/// Somebody who spends a refresh token, or signs out with it: the JSON body of `POST /auth/refresh` and `/auth/logout`.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct Refresh {
    /// The token: `pr_` and 64 letters, digits, dashes and underscores.
    #[serde(deserialize_with = "secret")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub refresh_token: SecretString,
}

impl Refresh {
    /// Somebody with this token.
    pub fn new(refresh_token: impl Into<String>) -> Self {
        let refresh_token: String = refresh_token.into();
        Self {
            refresh_token: refresh_token.into(),
        }
    }
}

/// Somebody who changes their password: the JSON body of `POST /auth/password`.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct PasswordChange {
    /// The one before.
    #[serde(deserialize_with = "secret")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = "password"))]
    pub current_password: SecretString,
    /// The one from now on: at least 8 characters, at most 1,000 bytes.
    #[serde(deserialize_with = "secret")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = "password", min_length = 8, max_length = 1000))]
    pub new_password: SecretString,
}

/// Somebody who has forgotten their password: the JSON body of `POST /auth/password-reset`.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct PasswordReset {
    /// Where to send a one-time link.
    #[cfg_attr(feature = "openapi", schema(format = "email", min_length = 3))]
    pub email: String,
}

/// Somebody who sets a password through a one-time link: the JSON body of `POST /auth/password-reset/confirm`.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct NewPassword {
    /// The token of the link.
    #[serde(deserialize_with = "secret")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub token: SecretString,
    /// The password: at least 8 characters, at most 1,000 bytes.
    #[serde(deserialize_with = "secret")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = "password", min_length = 8, max_length = 1000))]
    pub new_password: SecretString,
}

/// What somebody changes about their account: the JSON body of `PATCH /users/me`.
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct UserPatch {
    /// Another name: 1 to 100 characters.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::openapi::name, required = false))]
    pub name: Option<String>,
    /// Another address, for which the password is needed.
    #[serde(default, deserialize_with = "present")]
    #[cfg_attr(
        feature = "openapi",
        schema(nullable = false, format = "email", min_length = 3)
    )]
    pub email: Option<String>,
    /// The password, without which the address stays what it is.
    #[serde(default, deserialize_with = "present_secret")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, nullable = false, format = "password"))]
    pub current_password: Option<SecretString>,
}

/// They hold secrets and addresses, which no log is to have.
macro_rules! silent {
    ($($name:ident)+) => {
        $(
            impl std::fmt::Debug for $name {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.debug_struct(stringify!($name)).finish_non_exhaustive()
                }
            }
        )+
    };
}

silent! { NewUser Credentials Refresh PasswordChange PasswordReset NewPassword UserPatch }

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

fn present_secret<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SecretString>, D::Error> {
    secret(deserializer).map(Some)
}

/// What signing in gives: this is the JSON.
#[derive(Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct SignedIn {
    /// The token, for `Authorization: Bearer`.
    pub access_token: String,
    /// `Bearer`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub token_type: &'static str,
    /// Seconds until it ends.
    pub expires_in: u64,
    /// The token that is spent for the next two: good once.
    pub refresh_token: String,
    /// Seconds until it ends, if nobody spends it.
    pub refresh_expires_in: u64,
}

impl std::fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedIn")
            .field("expires_in", &self.expires_in)
            .field("refresh_expires_in", &self.refresh_expires_in)
            .finish_non_exhaustive()
    }
}
