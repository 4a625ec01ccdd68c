//! Signing up, and what the other use cases of the users stand on.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use tracing::{info, instrument};

use super::error::UserError;
use super::import::Imports;
use super::keys::TokenKey;
use super::links::LinkSender;
use super::model::{Account, Email, NAME_CHARS, PasswordHash, User, UserName, UserView};
use super::passwords::Passwords;
use super::policy;
use super::post::Post;
use super::repository::{Inserted, SigningKey, UserRepository};
use super::tokens::Tokens;
use super::wire::NewUser;
use crate::engine::{BuildError, Parts};
use crate::limits::{AccountKey, Attempt, Key, Rule};
use crate::{Actor, FeatureOff, FieldError, StoreError, Timestamp, UserId, log_each_second};

/// What the accounts of an engine are built with.
#[derive(Default)]
pub(crate) struct AccountOptions {
    /// The first signs; where there is none, the store's own is used.
    pub(crate) keys: Vec<TokenKey>,
    pub(crate) sender: Option<Arc<dyn LinkSender>>,
    pub(crate) administrator: Option<Email>,
}

/// The use cases of the users.
#[derive(Clone)]
pub struct Users {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) parts: Parts,
    pub(super) passwords: Passwords,
    pub(super) tokens: Tokens,
    /// The one-time links on their way.
    pub(super) post: Post,
    pub(super) imports: Imports,
    administrator: Option<Email>,
}

impl Users {
    /// The use cases of the users, where the store keeps accounts.
    pub(crate) async fn start(
        parts: &Parts,
        options: AccountOptions,
    ) -> Result<Option<Self>, BuildError> {
        let Some(users) = parts.store.users() else {
            return Ok(None);
        };
        let AccountOptions {
            mut keys,
            sender,
            administrator,
        } = options;
        let settings = &parts.settings;
        if keys.is_empty() {
            let mut candidate = [0; 32];
            parts.ids.fill(&mut candidate);
            keys.push(TokenKey::own(
                &users.signing_key(SigningKey::from_bytes(candidate)).await?,
            ));
        }
        if let Some(email) = &administrator {
            appoint_first(users, email).await?;
        }
        let passwords =
            Passwords::new(settings, Arc::clone(&parts.ids)).map_err(StoreError::internal)?;
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
                post: Post::new(parts, sender),
                imports: Imports::new(&settings.imports),
                administrator,
            }),
        }))
    }

    /// Signs somebody up.
    ///
    /// # Errors
    /// `FeatureOff`; `Invalid`, with every field that breaks a rule; `RateLimited`; `EmailTaken`; `Overloaded`; `Store`.
    #[instrument(name = "users.create", skip_all)]
    pub async fn create(&self, actor: &Actor, new: NewUser) -> Result<UserView, UserError> {
        let actor = actor.clone();
        self.run(|inner| async move {
            if !inner.parts.settings.features.sign_up && !matches!(actor, Actor::System) {
                return Err(FeatureOff("sign_up").into());
            }
            let (name, email) = validate(&new)?;
            inner.parts.limits.check(Rule::SignUp, &actor).await?;
            let guesses = policy::guesses(&name, &email);
            let hash = inner.passwords.set(new.password, guesses).await;
            let hash = hash.map_err(|error| UserError::unset(error, "/password"))?;
            let now = inner.parts.clock.now();
            let user = User {
                id: UserId::new(now, &*inner.parts.ids),
                name,
                email,
                is_admin: false,
                created_at: now,
            };
            match inner.users()?.insert(&user, Some(&hash)).await? {
                Inserted::Done => {
                    inner.appoint([&user.email]).await;
                    Ok(UserView::public(&user))
                }
                Inserted::EmailTaken => Err(UserError::EmailTaken),
            }
        })
        .await
    }

    /// Whose access token it is, and until when; `None` where it is not good, or not any more.
    pub(crate) fn verify(&self, token: &str) -> Option<(UserId, Timestamp)> {
        self.inner.tokens.verify(token)
    }

    /// Runs what changes something to its end, whether or not the caller waits for it.
    pub(super) async fn run<T, F>(&self, work: impl FnOnce(Arc<Inner>) -> F) -> Result<T, UserError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, UserError>> + Send + 'static,
    {
        let work = work(Arc::clone(&self.inner));
        let done = self.inner.parts.tasks.run(work).await;
        done.ok_or(UserError::ShuttingDown)?
    }
}

impl Inner {
    pub(super) fn users(&self) -> Result<&dyn UserRepository, StoreError> {
        self.parts
            .store
            .users()
            .ok_or_else(|| StoreError::internal("the store keeps no accounts any more"))
    }

    /// Where one of these addresses, which have accounts now, is the first administrator's, it is made one. The accounts are
    /// there, whatever comes of it: the next start tries again.
    pub(super) async fn appoint(&self, signed_up: impl IntoIterator<Item = &Email>) {
        let Some(administrator) = &self.administrator else {
            return;
        };
        let key = administrator.key();
        if !signed_up.into_iter().any(|email| email.key() == key) {
            return;
        }
        let appointed = match self.users() {
            Ok(users) => appoint_first(users, administrator).await,
            Err(error) => Err(error),
        };
        if let Err(error) = appointed {
            log_each_second!(
                warn,
                "the first administrator could not be appointed: the next start tries again",
                error = %error
            );
        }
    }

    /// The account of the signed-in user.
    pub(super) async fn own(&self, actor: &Actor) -> Result<Account, UserError> {
        let id = actor.user_id().ok_or(UserError::Unauthorized)?;
        let account = self.users()?.account(id).await?;
        account.ok_or(UserError::Unauthorized)
    }

    /// The account of the signed-in user, who has just said its password.
    pub(super) async fn proved(
        &self,
        actor: &Actor,
        password: SecretString,
    ) -> Result<Proved, UserError> {
        let Account {
            user,
            password: stored,
        } = self.own(actor).await?;
        // Whoever found a screen unlocked may not guess for longer than who stands outside.
        let account = Key::Account(AccountKey::of(user.email.as_str()));
        let rules = [Rule::Login, Rule::LoginAddress];
        let attempt = self.parts.limits.attempt(rules, account, actor).await?;
        match self.passwords.verify(password, stored.clone()).await {
            Ok(fits) => Ok(Proved {
                user,
                hash: stored.filter(|_| fits).ok_or(UserError::WrongPassword)?,
                attempt,
            }),
            Err(error) => {
                attempt.give_back().await;
                Err(error.into())
            }
        }
    }
}

/// The account of somebody who has just said its password.
pub(super) struct Proved {
    pub(super) user: User,
    /// What is stored of the password.
    pub(super) hash: PasswordHash,
    /// Only what is found wrong stays counted.
    pub(super) attempt: Attempt,
}

/// Makes the account with this address an administrator, where there is none at all: a site that has one is theirs, whoever
/// has the address by then.
async fn appoint_first(users: &dyn UserRepository, email: &Email) -> Result<(), StoreError> {
    if let Some(user) = users.appoint_first_admin(email).await? {
        info!(user = %user.id, "the account of the first administrator's address is an administrator now");
    }
    Ok(())
}

fn validate(new: &NewUser) -> Result<(UserName, Email), UserError> {
    let password = policy::length_fits(new.password.expose_secret(), "/password");
    match (name(&new.name), email(&new.email), password) {
        (Ok(name), Ok(email), Ok(())) => Ok((name, email)),
        (name, email, password) => {
            let errors = [name.err(), email.err(), password.err()];
            Err(UserError::Invalid(errors.into_iter().flatten().collect()))
        }
    }
}

pub(super) fn name(text: &str) -> Result<UserName, FieldError> {
    UserName::parse(text, NAME_CHARS).map_err(|detail| FieldError::invalid("/name", detail))
}

pub(super) fn email(text: &str) -> Result<Email, FieldError> {
    Email::parse(text).map_err(|detail| FieldError::invalid("/email", detail))
}

impl std::fmt::Debug for Users {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Users").finish_non_exhaustive()
    }
}
