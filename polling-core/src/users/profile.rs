//! Reading, changing and deleting accounts.

use tracing::instrument;

use super::error::UserError;
use super::model::UserView;
use super::repository::{UserDeleted, UserEdit, UserEdited};
use super::service::{Inner, Users, email, name};
use super::wire::UserPatch;
use crate::limits::Rule;
use crate::{Actor, FieldError, UserId};

impl Users {
    /// Looks a user up, as everybody may; users see themselves whole, and administrators see everybody so.
    ///
    /// # Errors
    /// `NotFound`; `Store`.
    pub async fn read(&self, actor: &Actor, id: UserId) -> Result<UserView, UserError> {
        let user = self.inner.users()?.find(id).await?;
        let user = user.ok_or(UserError::NotFound)?;
        let sees_all = actor.user_id() == Some(id) || self.is_admin(actor).await?;
        Ok(if sees_all {
            UserView::whole(&user)
        } else {
            UserView::public(&user)
        })
    }

    /// The account of the signed-in user.
    ///
    /// # Errors
    /// `Unauthorized`; `Store`.
    pub async fn read_own(&self, actor: &Actor) -> Result<UserView, UserError> {
        Ok(UserView::whole(&self.inner.own(actor).await?.user))
    }

    /// Changes the account of the signed-in user. Another address needs the current password: who holds a stolen access
    /// token must not take over the account.
    ///
    /// # Errors
    /// `Unauthorized`; `Invalid`, with every field that breaks a rule; `WrongPassword`; `RateLimited`; `EmailTaken`;
    /// `Overloaded`; `Store`.
    #[instrument(name = "users.edit_own", skip_all)]
    pub async fn edit_own(&self, actor: &Actor, patch: UserPatch) -> Result<UserView, UserError> {
        let actor = actor.clone();
        self.run(|inner| async move { inner.edit(&actor, patch).await })
            .await
    }

    /// Deletes the account of the signed-in user.
    ///
    /// Name, address, password and sign-ins are gone at once. Access tokens that were given live on until they end, but are
    /// good for votes only; once they are over, the ballots are detached from the account, and go on counting. Memberships
    /// end with it; who is the last owner of a workspace hands it over, or deletes it, first.
    ///
    /// # Errors
    /// `LastOwner`; `Unauthorized`; `Store`.
    #[instrument(name = "users.delete_own", skip_all)]
    pub async fn delete_own(&self, actor: &Actor) -> Result<(), UserError> {
        let id = actor.user_id().ok_or(UserError::Unauthorized)?;
        self.run(move |inner| async move { inner.delete(id, UserError::Unauthorized).await })
            .await
    }

    /// Deletes an account, as [`delete_own`](Self::delete_own) does: administrators may, and its owner.
    ///
    /// # Errors
    /// `LastOwner`; `Unauthorized`, `Forbidden`; `NotFound`; `Store`.
    #[instrument(name = "users.delete", skip_all)]
    pub async fn delete(&self, actor: &Actor, id: UserId) -> Result<(), UserError> {
        if actor.user_id() != Some(id) {
            self.administers(actor).await?;
        }
        self.run(move |inner| async move { inner.delete(id, UserError::NotFound).await })
            .await
    }
}

impl Inner {
    async fn edit(&self, actor: &Actor, patch: UserPatch) -> Result<UserView, UserError> {
        let account = self.own(actor).await?;
        let name = patch.name.as_deref().map(name).transpose();
        let email = patch.email.as_deref().map(email).transpose();
        let (name, email) = match (name, email) {
            (Ok(name), Ok(email)) => (name, email),
            (name, email) => {
                let errors = [name.err(), email.err()];
                return Err(UserError::Invalid(errors.into_iter().flatten().collect()));
            }
        };
        let email = email.filter(|email| *email != account.user.email);
        if email.is_some() {
            let password = patch.current_password.ok_or_else(|| {
                let detail = "is needed to change the e-mail address";
                UserError::field(FieldError::invalid("/current_password", detail))
            })?;
            let proved = self.proved(actor, password).await?;
            proved.attempt.give_back().await;
            // The answer says whether an address has an account, as that to signing up does.
            self.parts.limits.check(Rule::SignUp, actor).await?;
        }
        let edit = UserEdit { name, email };
        if edit == UserEdit::default() {
            return Ok(UserView::whole(&account.user));
        }
        match self.users()?.edit(account.user.id, &edit).await? {
            UserEdited::Done(user) => Ok(UserView::whole(&user)),
            UserEdited::EmailTaken => Err(UserError::EmailTaken),
            UserEdited::Missing => Err(UserError::Unauthorized),
        }
    }

    async fn delete(&self, id: UserId, missing: UserError) -> Result<(), UserError> {
        let now = self.parts.clock.now();
        let deleted = self.users()?.delete(id, now).await?;
        self.parts.hub.changes().of_user(id);
        match deleted {
            UserDeleted::Done => Ok(()),
            UserDeleted::LastOwner(workspace) => Err(UserError::LastOwner(workspace)),
            UserDeleted::Missing => Err(missing),
        }
    }
}
