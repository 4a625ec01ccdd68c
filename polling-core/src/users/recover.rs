//! Changing a password, and setting one through a one-time link.

use std::sync::Arc;

use secrecy::ExposeSecret;
use tracing::instrument;

use super::error::UserError;
use super::links::{Link, LinkPurpose, OneTimeLink};
use super::model::User;
use super::policy;
use super::post::in_time;
use super::service::{Inner, Users, email};
use super::wire::{NewPassword, PasswordChange, PasswordReset, SignedIn};
use crate::id::opaque_token;
use crate::limits::{AccountKey, Rule};
use crate::{Actor, FieldError, TokenHash};

/// What the token of every one-time link begins with.
const LINK_TOKEN_PREFIX: &str = "pl_";

/// What the log calls it.
const A_LINK: &str = "a one-time link";

impl Users {
    /// Changes the password of the signed-in user. All their sign-ins end, the one of the caller too, and a new one begins.
    ///
    /// # Errors
    /// `Unauthorized`; `WrongPassword`; `Invalid`, where the new one is not good enough; `Overloaded`; `Store`.
    #[instrument(name = "users.change_password", skip_all)]
    pub async fn change_password(
        &self,
        actor: &Actor,
        change: PasswordChange,
    ) -> Result<SignedIn, UserError> {
        let actor = actor.clone();
        self.run(|inner| async move {
            let pointer = "/new_password";
            policy::length_fits(change.new_password.expose_secret(), pointer)
                .map_err(UserError::field)?;
            let (user, old) = inner.proved(&actor, change.current_password).await?;
            let guesses = policy::guesses(&user.name, &user.email);
            let new = inner.passwords.set(change.new_password, guesses).await;
            let new = new.map_err(|error| UserError::unset(error, pointer))?;
            // Whoever changed it meanwhile has ended what the caller stands on.
            if !inner.users()?.change_password(user.id, &old, &new).await? {
                return Err(UserError::WrongPassword);
            }
            let begun = inner.begin(user.id, &new).await?;
            begun.ok_or(UserError::WrongPassword)
        })
        .await
    }

    /// Sends a one-time link to whoever has the account with this address. It returns before anybody looks whether there is
    /// one: neither the answer nor its time says.
    ///
    /// # Errors
    /// `Invalid` where it is no address; `RateLimited`; `Overloaded`; `ShuttingDown`.
    #[instrument(name = "users.reset_password", skip_all)]
    pub async fn reset_password(
        &self,
        actor: &Actor,
        reset: PasswordReset,
    ) -> Result<(), UserError> {
        let actor = actor.clone();
        self.run(|inner| async move {
            let email = email(&reset.email).map_err(UserError::field)?;
            let rules = [Rule::PasswordReset, Rule::PasswordResetAddress];
            let account = AccountKey::of(email.as_str());
            // It stays counted, whoever has the account.
            drop(inner.parts.limits.attempt(rules, account, &actor).await?);
            let place = inner.post.place().ok_or(UserError::Overloaded)?;
            let sending = Arc::clone(&inner);
            inner.post.spawn(place, A_LINK, async move {
                match sending.users()?.find_by_email(&email).await? {
                    Some(account) => {
                        sending
                            .send_link(account.user, LinkPurpose::PasswordReset)
                            .await
                    }
                    None => Ok(()),
                }
            });
            Ok(())
        })
        .await
    }

    /// Sets the password of the account that a one-time link belongs to. All sign-ins of the user end.
    ///
    /// # Errors
    /// `Invalid`, where the link is not good any more or the password not good enough, of which it stays good; `Overloaded`;
    /// `Store`.
    #[instrument(name = "users.set_password", skip_all)]
    pub async fn set_password(&self, _actor: &Actor, new: NewPassword) -> Result<(), UserError> {
        self.run(|inner| async move {
            let pointer = "/new_password";
            policy::length_fits(new.new_password.expose_secret(), pointer)
                .map_err(UserError::field)?;
            let token = TokenHash::of(new.token.expose_secret());
            let sessions = inner.users()?.sessions();
            let linked = sessions.linked(token, inner.parts.clock.now()).await?;
            let user = linked.ok_or_else(no_link)?;
            let guesses = policy::guesses(&user.name, &user.email);
            let hash = inner.passwords.set(new.new_password, guesses).await;
            let hash = hash.map_err(|error| UserError::unset(error, pointer))?;
            let now = inner.parts.clock.now();
            match sessions.redeem(token, &hash, now).await? {
                true => Ok(()),
                false => Err(no_link()),
            }
        })
        .await
    }
}

fn no_link() -> UserError {
    UserError::field(FieldError::invalid(
        "/token",
        "the link was used already, or is not good any more: ask for another one",
    ))
}

impl Inner {
    /// Sends a link for the first password, in a task of its own. While too many links are on their way it is not sent.
    pub(super) fn send_first_link(self: &Arc<Self>, user: User) {
        if let Some(place) = self.post.place() {
            let sending = Arc::clone(self);
            self.post.spawn(place, A_LINK, async move {
                sending.send_link(user, LinkPurpose::FirstPassword).await
            });
        }
    }

    /// Makes a link, which replaces the one before it, and sends it.
    async fn send_link(&self, user: User, purpose: LinkPurpose) -> Result<(), UserError> {
        // Nobody could be told of it, and the link that somebody may have is good still.
        let Some(sender) = self.post.sender() else {
            return Ok(());
        };
        let (settings, now) = (&self.parts.settings, self.parts.clock.now());
        let token = opaque_token(LINK_TOKEN_PREFIX, &*self.parts.ids);
        let expires_at = now.after(settings.link_lifetime);
        let link = Link {
            user: user.id,
            email: user.email,
            token: TokenHash::of(&token),
            made_at: now,
            expires_at,
        };
        let unless_after = match purpose {
            LinkPurpose::PasswordReset => None,
            LinkPurpose::FirstPassword => Some(now.before(settings.link_pause)),
        };
        let kept = self.users()?.sessions().keep_link(&link, unless_after);
        if !kept.await? {
            return Ok(());
        }
        let link_to_send = OneTimeLink::new(purpose, token, expires_at);
        let delivery = sender.deliver(&link.email, link_to_send);
        Ok(in_time(&self.parts, delivery).await?)
    }
}
