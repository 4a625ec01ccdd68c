//! Accounts: who signs up, signs in, and creates polls and votes under their own name.
//!
//! The types and the port are always here. The use cases, with passwords (argon2) and access tokens (JWT), come with the
//! feature `accounts`. Nothing that leaves the system ever holds a hash, and the public view of a user holds no e-mail.

#[cfg(feature = "accounts")]
mod error;
mod model;
#[cfg(feature = "accounts")]
mod passwords;
mod repository;
#[cfg(feature = "accounts")]
mod service;
#[cfg(feature = "accounts")]
mod tokens;
#[cfg(feature = "accounts")]
mod wire;

#[cfg(feature = "accounts")]
pub use error::UserError;
pub use model::{Email, PasswordHash, User, UserName, UserView};
pub use repository::{Inserted, SigningKey, UserRepository};
#[cfg(feature = "accounts")]
pub use service::Users;
#[cfg(feature = "accounts")]
pub use tokens::TokenKey;
#[cfg(feature = "accounts")]
pub use wire::{AccessToken, Credentials, NewUser};
