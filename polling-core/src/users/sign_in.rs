//! Signing in, staying signed in, and signing out.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use tracing::{instrument, warn};

use super::error::UserError;
use super::hashing;
use super::model::{Account, Email, PasswordHash};
use super::passwords::MOST_BYTES;
use super::refresh::RefreshToken;
use super::service::{Inner, Users};
use super::session::{Renewal, Session};
use super::sessions::Renewed;
use super::wire::{Credentials, Refresh, SignedIn};
use crate::limits::{AccountKey, Key, Rule};
use crate::{Actor, SessionId, StoreError, Timestamp, UserId, log_each_second};

/// How often somebody is looked up again whose password was replaced between the look and the sign-in: by the same one
/// under better parameters, as a rule.
const LOOKS: u32 = 3;

impl Users {
    /// Signs somebody in. Whoever has no password yet is refused as with a wrong one, and gets a link to set it, unless there
    /// is one that is good, or as many were sent to the address as may be asked for.
    ///
    /// # Errors
    /// `WrongCredentials`, whichever of the two is wrong, and after the same time; `RateLimited` after too many of them,
    /// whatever is sent then; `Overloaded`; `Store`.
    #[instrument(name = "users.sign_in", skip_all)]
    pub async fn sign_in(
        &self,
        actor: &Actor,
        credentials: Credentials,
    ) -> Result<SignedIn, UserError> {
        let actor = actor.clone();
        self.run(|inner| async move {
            let account = Key::Account(AccountKey::of(&credentials.email));
            let rules = [Rule::Login, Rule::LoginAddress];
            let attempt = inner.parts.limits.attempt(rules, account, &actor).await?;
            let outcome = inner.sign_in(credentials).await;
            // Only what was found wrong stays counted.
            if !matches!(outcome, Err(UserError::WrongCredentials)) {
                attempt.give_back().await;
            }
            outcome
        })
        .await
    }

    /// Spends a refresh token: gives an access token, and the refresh token to spend next. A client that got no answer
    /// sends the same one again, within [`refresh_grace`](crate::Settings::refresh_grace), and gets the same next one. One
    /// that was spent before revokes its sign-in.
    ///
    /// # Errors
    /// `RefreshRejected`; `RateLimited`; `Store`, after which it may have been spent: send it again.
    #[instrument(name = "users.refresh", skip_all)]
    pub async fn refresh(&self, actor: &Actor, refresh: Refresh) -> Result<SignedIn, UserError> {
        let actor = actor.clone();
        self.run(|inner| async move {
            inner.parts.limits.check(Rule::Refresh, &actor).await?;
            let token = RefreshToken::parse(refresh.refresh_token.expose_secret());
            let token = token.ok_or(UserError::RefreshRejected)?;
            let next = inner.tokens.successor(&token)?;
            let settings = &inner.parts.settings;
            let renewal = Renewal {
                session: token.session(),
                presented: token.hash(),
                next: next.hash(),
                now: inner.parts.clock.now(),
                idle: settings.refresh_token_lifetime,
                grace: settings.refresh_grace,
            };
            match inner.users()?.sessions().renew(&renewal).await? {
                Renewed::Done(session) => inner.signed_in(&session, next, renewal.now),
                Renewed::Revoked(user) => {
                    warn!(%user, "a refresh token came back that was spent: its sign-in is revoked");
                    Err(UserError::RefreshRejected)
                }
                Renewed::Missing => Err(UserError::RefreshRejected),
            }
        })
        .await
    }

    /// Ends the sign-in of a refresh token, whichever of its tokens it is. Repeated, it changes nothing, and neither does
    /// what is no token of any.
    ///
    /// # Errors
    /// `Store`.
    #[instrument(name = "users.sign_out", skip_all)]
    pub async fn sign_out(&self, _actor: &Actor, refresh: Refresh) -> Result<(), UserError> {
        self.run(|inner| async move {
            if let Some(token) = RefreshToken::parse(refresh.refresh_token.expose_secret()) {
                inner.users()?.sessions().end(token.session()).await?;
            }
            Ok(())
        })
        .await
    }

    /// Ends all sign-ins of the signed-in user, and a one-time link. Access tokens that were given stay good until they end.
    ///
    /// # Errors
    /// `Unauthorized`; `Store`.
    #[instrument(name = "users.sign_out_everywhere", skip_all)]
    pub async fn sign_out_everywhere(&self, actor: &Actor) -> Result<(), UserError> {
        let user = actor.user_id().ok_or(UserError::Unauthorized)?;
        self.run(move |inner| async move {
            inner.users()?.sessions().end_all(user).await?;
            Ok(())
        })
        .await
    }
}

impl Inner {
    async fn sign_in(self: &Arc<Self>, credentials: Credentials) -> Result<SignedIn, UserError> {
        let Credentials { email, password } = credentials;
        // Longer ones were never accepted, and need not be hashed to be wrong.
        if password.expose_secret().len() > MOST_BYTES {
            return Err(UserError::WrongCredentials);
        }
        let email = Email::parse(&email).ok();
        for _ in 0..LOOKS {
            let (user, proved) = self.known(email.as_ref(), &password).await?;
            if let Some(signed_in) = self.begin(user, &proved).await? {
                return Ok(signed_in);
            }
        }
        Err(UserError::WrongCredentials)
    }

    /// Whose e-mail and password these are, and what is stored of the password.
    async fn known(
        self: &Arc<Self>,
        email: Option<&Email>,
        password: &SecretString,
    ) -> Result<(UserId, PasswordHash), UserError> {
        let found = match email {
            Some(email) => self.users()?.find_by_email(email).await?,
            None => None,
        };
        let stored = found.as_ref().and_then(|account| account.password.clone());
        let fits = self
            .passwords
            .verify(password.clone(), stored.clone())
            .await?;
        match (found, stored) {
            (Some(Account { user, .. }), Some(stored)) if fits => {
                let proved = self.raised(user.id, password, stored).await;
                Ok((user.id, proved))
            }
            (Some(Account { user, .. }), None) => {
                self.send_first_link(user);
                Err(UserError::WrongCredentials)
            }
            _ => Err(UserError::WrongCredentials),
        }
    }

    /// What is stored of the password from now on: a hash with weaker parameters than today's is made anew. Where that
    /// fails, the one that is there is good enough once more.
    async fn raised(
        &self,
        user: UserId,
        password: &SecretString,
        stored: PasswordHash,
    ) -> PasswordHash {
        if !hashing::is_weaker(&stored) {
            return stored;
        }
        let raise = async {
            let better = self.passwords.hash(password.clone()).await?;
            let done = self.users()?.rehash(user, &stored, &better).await?;
            Ok::<_, UserError>(done.then_some(better))
        };
        match raise.await {
            Ok(Some(better)) => better,
            Ok(None) => stored,
            Err(error) => {
                log_each_second!(
                    warn,
                    "a password could not be hashed with today's parameters",
                    user = %user,
                    error = %error
                );
                stored
            }
        }
    }

    /// Begins a sign-in of somebody who has proved to know this password; `None` where it is another one by now.
    pub(super) async fn begin(
        &self,
        user: UserId,
        proved: &PasswordHash,
    ) -> Result<Option<SignedIn>, UserError> {
        let (settings, now) = (&self.parts.settings, self.parts.clock.now());
        let id = SessionId::new(now, &*self.parts.ids);
        let token = RefreshToken::new(id, &*self.parts.ids);
        let ends_at = now.after(settings.sign_in_lifetime);
        let session = Session {
            id,
            user,
            token: token.hash(),
            spent: None,
            renewed_at: now,
            expires_at: now.after(settings.refresh_token_lifetime).min(ends_at),
            ends_at,
        };
        if !self.users()?.sessions().begin(&session, proved).await? {
            return Ok(None);
        }
        self.signed_in(&session, token, now).map(Some)
    }

    fn signed_in(
        &self,
        session: &Session,
        refresh: RefreshToken,
        now: Timestamp,
    ) -> Result<SignedIn, UserError> {
        let access_token = self.tokens.sign(session.user);
        Ok(SignedIn {
            access_token: access_token.map_err(StoreError::internal)?,
            token_type: "Bearer",
            expires_in: self.parts.settings.access_token_lifetime.as_secs(),
            refresh_token: refresh.into_text(),
            refresh_expires_in: session.expires_at.since(now).as_secs(),
        })
    }
}
