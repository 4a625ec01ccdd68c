//! The JSON of signing up and signing in.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// Somebody who signs up: raw input, and the JSON body of `POST /users`.
#[derive(Clone, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct NewUser {
    /// The name that others see: 1 to 100 characters.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 100))]
    pub name: String,
    /// The address to sign in with.
    #[cfg_attr(feature = "openapi", schema(format = "email", min_length = 3))]
    pub email: String,
    /// At least 8 characters, at most 1,000 bytes.
    #[serde(deserialize_with = "secret")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = "password", min_length = 8, max_length = 1000))]
    pub password: SecretString,
}

impl std::fmt::Debug for NewUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewUser").finish_non_exhaustive()
    }
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

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
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

fn secret<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

/// What signing in gives: this is the JSON.
#[derive(Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct AccessToken {
    /// The token, for `Authorization: Bearer`.
    pub access_token: String,
    /// `Bearer`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub token_type: &'static str,
    /// Seconds until it ends.
    pub expires_in: u64,
}

impl std::fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessToken")
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}
