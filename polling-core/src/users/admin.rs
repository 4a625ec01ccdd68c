//! Administrators of the whole site. Who is one is looked up whenever it matters, and stands in no token.

use tracing::{info, instrument};

use super::error::UserError;
use super::model::UserView;
use super::service::{Users, email};
use crate::Actor;

impl Users {
    /// Whether somebody may do what only administrators may: an administrator, or the application itself.
    ///
    /// # Errors
    /// `Store`.
    pub async fn is_admin(&self, actor: &Actor) -> Result<bool, UserError> {
        match (actor, actor.user_id()) {
            (Actor::System, _) => Ok(true),
            (_, None) => Ok(false),
            (_, Some(id)) => {
                let user = self.inner.users()?.find(id).await?;
                Ok(user.is_some_and(|user| user.is_admin))
            }
        }
    }

    /// Makes the account with this address an administrator.
    ///
    /// # Errors
    /// `Unauthorized`, `Forbidden`; `Invalid` where it is no address, `NotFound` where it has no account; `Store`.
    pub async fn grant_admin(&self, actor: &Actor, email: &str) -> Result<UserView, UserError> {
        self.set_admin(actor, email, true).await
    }

    /// Takes from the account with this address what makes it an administrator.
    ///
    /// # Errors
    /// `Unauthorized`, `Forbidden`; `Invalid` where it is no address, `NotFound` where it has no account; `Store`.
    pub async fn revoke_admin(&self, actor: &Actor, email: &str) -> Result<UserView, UserError> {
        self.set_admin(actor, email, false).await
    }

    #[instrument(name = "users.set_admin", skip_all)]
    async fn set_admin(
        &self,
        actor: &Actor,
        address: &str,
        is_admin: bool,
    ) -> Result<UserView, UserError> {
        self.administers(actor).await?;
        let address = email(address).map_err(UserError::field)?;
        self.run(move |inner| async move {
            let users = inner.users()?;
            let account = users.find_by_email(&address).await?;
            let id = account.ok_or(UserError::NotFound)?.user.id;
            let user = users.set_admin(id, is_admin).await?;
            let user = user.ok_or(UserError::NotFound)?;
            info!(user = %id, is_admin, "an administrator was made or unmade");
            Ok(UserView::whole(&user))
        })
        .await
    }

    /// Lets only administrators through.
    pub(super) async fn administers(&self, actor: &Actor) -> Result<(), UserError> {
        if self.is_admin(actor).await? {
            Ok(())
        } else if actor.is_anonymous() {
            Err(UserError::Unauthorized)
        } else {
            Err(UserError::Forbidden)
        }
    }
}
