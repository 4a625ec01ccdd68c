//! Signing up, signing in, and looking users up.

use std::sync::Arc;

use secrecy::ExposeSecret;
use tracing::instrument;

use super::error::UserError;
use super::model::{Email, NAME_CHARS, PasswordHash, User, UserName, UserView};
use super::passwords::{self, Passwords};
use super::repository::{Inserted, SigningKey, UserRepository};
use super::tokens::{TokenKey, Tokens};
use super::wire::{AccessToken, Credentials, NewUser};
use crate::engine::{BuildError, Parts};
use crate::limits::{AccountKey, Rule};
use crate::{Actor, FeatureOff, FieldError, StoreError, UserId};

/// The use cases of the users.
#[derive(Clone)]
pub struct Users {
    inner: Arc<Inner>,
}

struct Inner {
    parts: Parts,
    passwords: Passwords,
    tokens: Tokens,
}

impl Users {
    /// The use cases of the users, where the store keeps accounts. Where no keys are given, the store's own is used.
    pub(crate) async fn start(
        parts: &Parts,
        mut keys: Vec<TokenKey>,
    ) -> Result<Option<Self>, BuildError> {
        let Some(users) = parts.store.users() else {
            return Ok(None);
        };
        let settings = &parts.settings;
        if keys.is_empty() {
            let mut candidate = [0; 32];
            parts.ids.fill(&mut candidate);
            keys.push(TokenKey::own(
                &users.signing_key(SigningKey::from_bytes(candidate)).await?,
            ));
        }
        let passwords = Passwords::new(
            settings.password_workers,
            settings.password_queue,
            Arc::clone(&parts.ids),
        )
        .map_err(StoreError::internal)?;
        let tokens = Tokens::new(
            keys,
            Arc::clone(&parts.clock),
            settings.access_token_lifetime,
        );
        Ok(Some(Self {
            inner: Arc::new(Inner {
                parts: parts.clone(),
                passwords,
                tokens,
            }),
        }))
    }

    /// Signs somebody up.
    ///
    /// # Errors
    /// `FeatureOff`; `Invalid`, with every field that breaks a rule; `RateLimited`; `EmailTaken`; `Overloaded`; `Store`.
    #[instrument(name = "users.create", skip_all)]
    pub async fn create(&self, actor: &Actor, new: NewUser) -> Result<UserView, UserError> {
        let (inner, actor) = (Arc::clone(&self.inner), actor.clone());
        let create = async move {
            if !inner.parts.settings.features.sign_up && !matches!(actor, Actor::System) {
                return Err(FeatureOff("sign_up").into());
            }
            let (name, email) = inner.validate(&new)?;
            inner.parts.limits.check(Rule::SignUp, &actor).await?;
            let hash = inner.passwords.hash(new.password).await?;
            let now = inner.parts.clock.now();
            let user = User {
                id: UserId::new(now, &*inner.parts.ids),
                name,
                email,
                created_at: now,
            };
            match inner.users()?.insert(&user, &hash).await? {
                Inserted::Done => Ok(UserView::from(user)),
                Inserted::EmailTaken => Err(UserError::EmailTaken),
            }
        };
        self.inner
            .parts
            .tasks
            .run(create)
            .await
            .ok_or(UserError::ShuttingDown)?
    }

    /// Looks a user up, as everybody may.
    ///
    /// # Errors
    /// `NotFound`; `Store`.
    pub async fn read(&self, _actor: &Actor, id: UserId) -> Result<UserView, UserError> {
        let user = self
            .inner
            .users()?
            .find(id)
            .await?
            .ok_or(UserError::NotFound)?;
        Ok(user.into())
    }

    /// Signs somebody in.
    ///
    /// # Errors
    /// `WrongCredentials`, whichever of the two is wrong, and after the same time; `RateLimited` after too many of them,
    /// whatever is sent then; `Overloaded`; `Store`.
    #[instrument(name = "users.sign_in", skip_all)]
    pub async fn sign_in(
        &self,
        actor: &Actor,
        credentials: Credentials,
    ) -> Result<AccessToken, UserError> {
        let inner = &self.inner;
        let account = AccountKey::of(&credentials.email);
        let rules = [Rule::Login, Rule::LoginAddress];
        let attempt = inner.parts.limits.attempt(rules, account, actor).await?;
        let outcome = inner.sign_in(credentials).await;
        // Only what was found wrong stays counted. Who leaves before it is known stays counted, too.
        if !matches!(outcome, Err(UserError::WrongCredentials)) {
            attempt.give_back().await;
        }
        outcome
    }

    /// Whose access token it is; `None` where it is not good, or not any more.
    pub(crate) fn verify(&self, token: &str) -> Option<UserId> {
        self.inner.tokens.verify(token)
    }
}

impl Inner {
    async fn sign_in(&self, credentials: Credentials) -> Result<AccessToken, UserError> {
        // Longer ones were never accepted, and need not be hashed to be wrong.
        if credentials.password.expose_secret().len() > passwords::MOST_BYTES {
            return Err(UserError::WrongCredentials);
        }
        let found = match Email::parse(&credentials.email) {
            Ok(email) => self.users()?.find_by_email(&email).await?,
            Err(_) => None,
        };
        let (user, hash): (Option<User>, Option<PasswordHash>) = found.unzip();
        let fits = self.passwords.verify(credentials.password, hash).await?;
        let user = user.filter(|_| fits).ok_or(UserError::WrongCredentials)?;
        let token = self.tokens.sign(user.id).map_err(StoreError::internal)?;
        Ok(AccessToken {
            access_token: token,
            token_type: "Bearer",
            expires_in: self.parts.settings.access_token_lifetime.as_secs(),
        })
    }

    fn users(&self) -> Result<&dyn UserRepository, StoreError> {
        self.parts
            .store
            .users()
            .ok_or_else(|| StoreError::internal("the store keeps no accounts any more"))
    }

    fn validate(&self, new: &NewUser) -> Result<(UserName, Email), UserError> {
        let name = UserName::parse(&new.name, NAME_CHARS)
            .map_err(|detail| FieldError::invalid("/name", detail));
        let email =
            Email::parse(&new.email).map_err(|detail| FieldError::invalid("/email", detail));
        let password = password_fits(new.password.expose_secret());
        match (name, email, password) {
            (Ok(name), Ok(email), Ok(())) => Ok((name, email)),
            (name, email, password) => {
                let errors = [name.err(), email.err(), password.err()];
                Err(UserError::Invalid(errors.into_iter().flatten().collect()))
            }
        }
    }
}

fn password_fits(password: &str) -> Result<(), FieldError> {
    let (least, most) = (passwords::LEAST_CHARS, passwords::MOST_BYTES);
    if password.chars().count() < least {
        Err(FieldError::invalid(
            "/password",
            format!("must have at least {least} characters"),
        ))
    } else if password.len() > most {
        Err(FieldError::invalid(
            "/password",
            format!("must not have more than {most} bytes"),
        ))
    } else {
        Ok(())
    }
}

impl std::fmt::Debug for Users {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Users").finish_non_exhaustive()
    }
}
