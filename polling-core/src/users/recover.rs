//! Changing a password, and setting one through a one-time link.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use tracing::instrument;

use super::error::UserError;
use super::links::{Link, LinkPurpose, OneTimeLink};
use super::model::{PasswordHash, User};
use super::passwords::PasswordError;
use super::policy;
use super::post::in_time;
use super::service::{Inner, Proved, Users, email};
use super::wire::{NewPassword, PasswordChange, PasswordReset, SignedIn};
use crate::id::opaque_token;
use crate::limits::{AccountKey, Attempt, Key, Rule};
use crate::{Actor, FieldError, TokenHash};

/// What the token of every one-time link begins with.
const LINK_TOKEN_PREFIX: &str = "pl_";

/// What the log calls it.
const A_LINK: &str = "a one-time link";

/// The field of a new password.
const NEW_PASSWORD: &str = "/new_password";

impl Users {
    /// Changes the password of the signed-in user. All their sign-ins end, the one of the caller too, and a new one begins.
    ///
    /// # Errors
    /// `Unauthorized`; `WrongPassword`; `Invalid`, where the new one is not good enough; `RateLimited` after too many of
    /// either; `Overloaded`; `Store`.
    #[instrument(name = "users.change_password", skip_all)]
    pub async fn change_password(
        &self,
        actor: &Actor,
        change: PasswordChange,
    ) -> Result<SignedIn, UserError> {
        let actor = actor.clone();
        self.run(|inner| async move {
            policy::length_fits(change.new_password.expose_secret(), NEW_PASSWORD)
                .map_err(UserError::field)?;
            let Proved {
                user,
                hash: old,
                attempt,
            } = inner.proved(&actor, change.current_password).await?;
            let new = inner.hashed(change.new_password, &user, attempt).await?;
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
            let account = Key::Account(AccountKey::of(email.as_str()));
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
    /// `Invalid`, where the link is not good any more or the password not good enough, of which it stays good; `RateLimited`
    /// after too many of those; `Overloaded`; `Store`.
    #[instrument(name = "users.set_password", skip_all)]
    pub async fn set_password(&self, actor: &Actor, new: NewPassword) -> Result<(), UserError> {
        let actor = actor.clone();
        self.run(|inner| async move {
            policy::length_fits(new.new_password.expose_secret(), NEW_PASSWORD)
                .map_err(UserError::field)?;
            let token = TokenHash::of(new.token.expose_secret());
            let sessions = inner.users()?.sessions();
            let linked = sessions.linked(token, inner.parts.clock.now()).await?;
            let user = linked.ok_or_else(no_link)?;
            // By the link and not by the account: who guesses passwords must not keep its owner from setting another.
            let rules = [Rule::Login, Rule::LoginAddress];
            let limits = &inner.parts.limits;
            let attempt = limits.attempt(rules, Key::Token(token), &actor).await?;
            let hash = inner.hashed(new.new_password, &user, attempt).await?;
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
    /// The hash of a new password of this user. The attempt at what allows it is held until then, so that no more are judged
    /// at the same time than may be; one that is too weak stays counted, as a wrong one does.
    async fn hashed(
        &self,
        new: SecretString,
        user: &User,
        attempt: Attempt,
    ) -> Result<PasswordHash, UserError> {
        let guesses = policy::guesses(&user.name, &user.email);
        let hash = self.passwords.set(new, guesses).await;
        if !matches!(hash, Err(PasswordError::Weak(_))) {
            attempt.give_back().await;
        }
        hash.map_err(|error| UserError::unset(error, NEW_PASSWORD))
    }

    /// Sends a link for the first password, in a task of its own. It is not sent while too many links are on their way.
    ///
    /// It has no other limit than that an account has one good link: a limit which somebody can reach, and then be told of
    /// where they ask for a link, would tell that the account is there.
    pub(super) fn send_first_link(self: &Arc<Self>, user: User) {
        if let Some(place) = self.post.place() {
            let sending = Arc::clone(self);
            let sent = async move { sending.send_link(user, LinkPurpose::FirstPassword).await };
            self.post.spawn(place, A_LINK, sent);
        }
    }

    /// Makes a link, which replaces the one before it, and sends it. One that nobody asked for replaces none that is good:
    /// whoever tries to sign in again and again must not spoil the link in its owner's hands.
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
            LinkPurpose::FirstPassword => Some(now.before(settings.link_lifetime)),
        };
        let sessions = self.users()?.sessions();
        if !sessions.keep_link(&link, unless_after).await? {
            return Ok(());
        }
        let link_to_send = OneTimeLink::new(purpose, token, expires_at);
        let delivery = sender.deliver(&link.email, link_to_send);
        let sent = in_time(&self.parts, delivery).await;
        if sent.is_err() && purpose == LinkPurpose::FirstPassword {
            // As long as it is good, trying to sign in sends no other.
            sessions.drop_link(link.token).await?;
        }
        Ok(sent?)
    }
}
