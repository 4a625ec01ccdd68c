//! Accounts: who signs up, signs in, and creates polls and votes under their own name.
//!
//! The types and the ports are always here. The use cases, with passwords (argon2) and access tokens (JWT), come with the
//! feature `accounts`: `service.rs` (signing up), `sign_in.rs` (sign-ins and their refresh tokens), `recover.rs` (passwords
//! and one-time links), `post.rs` (what is on its way to people), `profile.rs` (reading, changing, deleting), `admin.rs` and
//! `import/`. Nothing that leaves the system ever holds a hash, and only the users themselves and administrators see an e-mail.
//!
//! Nobody learns from an answer, or from how long it takes, whether an address has an account, but by taking it: a sign-in
//! hashes a password whether or not there is one to compare it with, and what is sent by e-mail is looked up and sent in a
//! task that nobody waits for.

#[cfg(feature = "accounts")]
mod admin;
#[cfg(feature = "accounts")]
mod before;
mod deleted;
pub(crate) mod detach;
#[cfg(feature = "accounts")]
mod error;
#[cfg(feature = "accounts")]
mod hashing;
#[cfg(feature = "accounts")]
mod import;
#[cfg(feature = "accounts")]
mod keys;
mod links;
mod model;
#[cfg(feature = "accounts")]
mod passwords;
#[cfg(feature = "accounts")]
mod policy;
#[cfg(feature = "accounts")]
mod post;
#[cfg(feature = "accounts")]
mod profile;
#[cfg(feature = "accounts")]
mod recover;
#[cfg(feature = "accounts")]
mod refresh;
mod repository;
#[cfg(feature = "accounts")]
mod service;
mod session;
mod sessions;
#[cfg(feature = "accounts")]
mod sign_in;
#[cfg(feature = "accounts")]
mod tokens;
#[cfg(feature = "accounts")]
mod wire;

pub(crate) use deleted::is_deleted;
#[cfg(feature = "accounts")]
pub use error::UserError;
#[cfg(feature = "accounts")]
pub(crate) use hashing::admits_todays_hashes;
#[cfg(feature = "accounts")]
pub use import::{Import, ImportFormat, ImportProgress, ImportState, RowOutcome};
#[cfg(feature = "accounts")]
pub use keys::TokenKey;
pub use links::{Link, LinkPurpose, LinkSender, OneTimeLink};
pub use model::{Account, Email, PasswordHash, User, UserName, UserView};
#[cfg(feature = "accounts")]
pub(crate) use post::{Post, in_time};
pub use repository::{Inserted, SigningKey, UserDeleted, UserEdit, UserEdited, UserRepository};
#[cfg(feature = "accounts")]
pub(crate) use service::AccountOptions;
#[cfg(feature = "accounts")]
pub use service::Users;
pub use session::{Renewal, RenewalPlan, Session};
pub use sessions::{Renewed, SessionRepository};
#[cfg(feature = "accounts")]
pub use wire::{
    Credentials, NewPassword, NewUser, PasswordChange, PasswordReset, Refresh, SignedIn, UserPatch,
};
