//! `server admin grant EMAIL` and `server admin revoke EMAIL`: makes and unmakes administrators in the configured database.
//!
//! A SQLite file belongs to one process at a time: stop its server first, or have the first administrator named by
//! `--admin-email`.

use std::error::Error;
use std::io::Write;

use clap::Subcommand;
use polling_core::{Actor, Engine};

/// What to do instead of serving.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Make and unmake administrators of the site, in the configured database.
    #[command(subcommand)]
    Admin(Admin),
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Admin {
    /// Make the account with this address an administrator.
    Grant {
        /// The address that the account was signed up with.
        email: String,
    },
    /// Take that from the account with this address.
    Revoke {
        /// The address that the account was signed up with.
        email: String,
    },
}

/// Does it, and says so.
pub(crate) async fn run(
    engine: &Engine,
    admin: &Admin,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let users = engine.users().ok_or("the store keeps no accounts")?;
    let (user, is_now) = match admin {
        Admin::Grant { email } => (users.grant_admin(&Actor::System, email).await?, "is"),
        Admin::Revoke { email } => (users.revoke_admin(&Actor::System, email).await?, "is not"),
    };
    engine.shutdown().await;
    let email = user.email.unwrap_or_default();
    writeln!(std::io::stdout(), "{email} {is_now} an administrator now")?;
    Ok(())
}
