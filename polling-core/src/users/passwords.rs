//! Passwords: estimated, and hashed with Argon2id, off the async threads, a bounded number at a time.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::hashing::{HashBounds, HashError, Hasher};
use super::model::PasswordHash;
use super::policy;
use crate::{IdSource, Settings};

/// Characters of a password, at least (NIST SP 800-63B), and bytes at most, so that hashing stays bounded.
pub(super) const LEAST_CHARS: usize = 8;
pub(super) const MOST_BYTES: usize = 1_000;

/// Why a password was not hashed or checked.
#[derive(Debug, thiserror::Error)]
pub(super) enum PasswordError {
    #[error("too many passwords are waiting")]
    Overloaded,
    #[error("hashing a password did not end")]
    Failed,
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error("the password {0}")]
    Weak(String),
}

#[derive(Clone)]
pub(super) struct Passwords {
    /// Takes one place of each while it waits, and then of `at_work` while it is hashed.
    waiting: Arc<Semaphore>,
    at_work: Arc<Semaphore>,
    /// Called by those who are `at_work`, and so by at most `password_workers` at the same time.
    hasher: Arc<Hasher>,
    ids: Arc<dyn IdSource>,
    /// The hash of no password that anyone knows: checked where there is no such user, so that the time is the same.
    nobody: PasswordHash,
}

impl Passwords {
    pub(super) fn new(settings: &Settings, ids: Arc<dyn IdSource>) -> Result<Self, PasswordError> {
        let (workers, queue) = (settings.password_workers, settings.password_queue);
        let hasher = Hasher::new(HashBounds {
            kib: settings.password_hash_kib,
            passes: settings.password_hash_passes,
        });
        let mut secret = [0; 32];
        ids.fill(&mut secret);
        let nobody = hasher.hash(&secret, &salt(&*ids))?;
        let (waiting, at_work) = (
            Semaphore::new(workers.saturating_add(queue).min(Semaphore::MAX_PERMITS)),
            Semaphore::new(workers.min(Semaphore::MAX_PERMITS)),
        );
        Ok(Self {
            waiting: Arc::new(waiting),
            at_work: Arc::new(at_work),
            hasher: Arc::new(hasher),
            ids,
            nobody,
        })
    }

    /// The hash of a new password, unless it is weak for somebody of whom one guesses `guesses` first.
    pub(super) async fn set(
        &self,
        password: SecretString,
        guesses: Vec<String>,
    ) -> Result<PasswordHash, PasswordError> {
        let salt = salt(&*self.ids);
        self.work(move |hasher| strong_hash(hasher, &password, &guesses, &salt))
            .await?
    }

    /// The same, for somebody who waits for a place however long that takes, and sets one after the other.
    pub(super) async fn set_in_turn(
        &self,
        password: SecretString,
        guesses: Vec<String>,
    ) -> Result<PasswordHash, PasswordError> {
        let salt = salt(&*self.ids);
        let place = Arc::clone(&self.waiting).acquire_owned().await;
        let place = place.map_err(|_| PasswordError::Failed)?;
        self.work_at(place, move |hasher| {
            strong_hash(hasher, &password, &guesses, &salt)
        })
        .await?
    }

    /// The hash of a password that was set before, whatever is asked of new ones.
    pub(super) async fn hash(&self, password: SecretString) -> Result<PasswordHash, PasswordError> {
        let salt = salt(&*self.ids);
        self.work(move |hasher| hasher.hash(password.expose_secret().as_bytes(), &salt))
            .await?
            .map_err(PasswordError::Hash)
    }

    /// Whether this is the password; where there is no `stored` hash it is not, which takes as long to say.
    pub(super) async fn verify(
        &self,
        password: SecretString,
        stored: Option<PasswordHash>,
    ) -> Result<bool, PasswordError> {
        let is_somebody = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.nobody.clone());
        self.work(move |hasher| {
            let fits = hasher.verify(password.expose_secret().as_bytes(), &stored)?;
            Ok(fits && is_somebody)
        })
        .await?
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Hasher) -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let place = Arc::clone(&self.waiting)
            .try_acquire_owned()
            .map_err(|_| PasswordError::Overloaded)?;
        self.work_at(place, work).await
    }

    async fn work_at<T: Send + 'static>(
        &self,
        place: OwnedSemaphorePermit,
        work: impl FnOnce(&Hasher) -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let turn = Arc::clone(&self.at_work)
            .acquire_owned()
            .await
            .map_err(|_| PasswordError::Failed)?;
        let hasher = Arc::clone(&self.hasher);
        let work = move || {
            // Held until the work is done, also where the caller does not wait for it any more.
            let _held = (place, turn);
            work(&hasher)
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| PasswordError::Failed)
    }
}

fn strong_hash(
    hasher: &Hasher,
    password: &SecretString,
    guesses: &[String],
    salt: &[u8; 16],
) -> Result<PasswordHash, PasswordError> {
    let password = password.expose_secret();
    policy::is_strong(password, guesses).map_err(PasswordError::Weak)?;
    Ok(hasher.hash(password.as_bytes(), salt)?)
}

fn salt(ids: &dyn IdSource) -> [u8; 16] {
    let mut salt = [0; 16];
    ids.fill(&mut salt);
    salt
}
