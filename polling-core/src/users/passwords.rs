//! Passwords: estimated, and hashed with Argon2id, off the async threads, a bounded number at a time.

use std::sync::Arc;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::model::PasswordHash;
use super::policy;
use crate::IdSource;

/// Characters of a password, at least (NIST SP 800-63B), and bytes at most, so that hashing stays bounded.
pub(super) const LEAST_CHARS: usize = 8;
pub(super) const MOST_BYTES: usize = 1_000;

/// Why a password was not hashed or checked.
#[derive(Debug, thiserror::Error)]
pub(super) enum PasswordError {
    #[error("too many passwords are waiting")]
    Overloaded,
    #[error("hashing a password failed")]
    Failed,
    #[error("the password {0}")]
    Weak(String),
}

#[derive(Clone)]
pub(super) struct Passwords {
    /// Takes one place of each while it waits, and then of `at_work` while it is hashed.
    waiting: Arc<Semaphore>,
    at_work: Arc<Semaphore>,
    ids: Arc<dyn IdSource>,
    /// The hash of no password that anyone knows: checked where there is no such user, so that the time is the same.
    nobody: PasswordHash,
}

impl Passwords {
    pub(super) fn new(
        workers: usize,
        queue: usize,
        ids: Arc<dyn IdSource>,
    ) -> Result<Self, PasswordError> {
        let mut secret = [0; 32];
        ids.fill(&mut secret);
        let nobody = hash(&secret, &salt(&*ids))?;
        let (waiting, at_work) = (
            Semaphore::new(workers.saturating_add(queue).min(Semaphore::MAX_PERMITS)),
            Semaphore::new(workers.min(Semaphore::MAX_PERMITS)),
        );
        Ok(Self {
            waiting: Arc::new(waiting),
            at_work: Arc::new(at_work),
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
        self.work(move || strong_hash(&password, &guesses, &salt))
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
        self.work_at(place, move || strong_hash(&password, &guesses, &salt))
            .await?
    }

    /// The hash of a password that was set before, whatever is asked of new ones.
    pub(super) async fn hash(&self, password: SecretString) -> Result<PasswordHash, PasswordError> {
        let salt = salt(&*self.ids);
        self.work(move || hash(password.expose_secret().as_bytes(), &salt))
            .await?
    }

    /// Whether this is the password; where there is no `stored` hash it is not, which takes as long to say.
    pub(super) async fn verify(
        &self,
        password: SecretString,
        stored: Option<PasswordHash>,
    ) -> Result<bool, PasswordError> {
        let is_somebody = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.nobody.clone());
        self.work(move || {
            let phc = argon2::password_hash::phc::PasswordHash::new(stored.as_str());
            let phc = phc.map_err(|_| PasswordError::Failed)?;
            let fits = Argon2::default()
                .verify_password(password.expose_secret().as_bytes(), &phc)
                .is_ok();
            Ok(fits && is_somebody)
        })
        .await?
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let place = Arc::clone(&self.waiting)
            .try_acquire_owned()
            .map_err(|_| PasswordError::Overloaded)?;
        self.work_at(place, work).await
    }

    async fn work_at<T: Send + 'static>(
        &self,
        place: OwnedSemaphorePermit,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let turn = Arc::clone(&self.at_work)
            .acquire_owned()
            .await
            .map_err(|_| PasswordError::Failed)?;
        let work = move || {
            // Held until the work is done, also where the caller does not wait for it any more.
            let _held = (place, turn);
            work()
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| PasswordError::Failed)
    }
}

/// Whether a hash was made with weaker parameters than new ones are. What cannot be read is not: it will not be better for
/// being made anew.
pub(super) fn is_weaker(stored: &PasswordHash) -> bool {
    let Ok(phc) = argon2::password_hash::phc::PasswordHash::new(stored.as_str()) else {
        return false;
    };
    let Ok(params) = Params::try_from(&phc) else {
        return false;
    };
    let algorithm = phc.algorithm.as_str();
    let version = phc.version.unwrap_or(Version::V0x10.into());
    algorithm != Algorithm::Argon2id.as_str()
        || version < Version::V0x13.into()
        || params.m_cost() < Params::DEFAULT_M_COST
        || params.t_cost() < Params::DEFAULT_T_COST
}

fn strong_hash(
    password: &SecretString,
    guesses: &[String],
    salt: &[u8; 16],
) -> Result<PasswordHash, PasswordError> {
    let password = password.expose_secret();
    policy::is_strong(password, guesses).map_err(PasswordError::Weak)?;
    hash(password.as_bytes(), salt)
}

fn salt(ids: &dyn IdSource) -> [u8; 16] {
    let mut salt = [0; 16];
    ids.fill(&mut salt);
    salt
}

fn hash(password: &[u8], salt: &[u8; 16]) -> Result<PasswordHash, PasswordError> {
    let phc = Argon2::default()
        .hash_password_with_salt(password, salt)
        .map_err(|_| PasswordError::Failed)?;
    Ok(PasswordHash::from_store(phc.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_with_weaker_parameters_is_told_from_one_of_today() {
        let today = hash(b"correct horse", &[1; 16]).unwrap();
        assert!(!is_weaker(&today));
        let with = |algorithm, version, memory, passes| {
            let params = Params::new(memory, passes, 1, None).unwrap();
            let argon2 = Argon2::new(algorithm, version, params);
            let phc = argon2.hash_password_with_salt(b"correct horse", &[1; 16]);
            is_weaker(&PasswordHash::from_store(phc.unwrap().to_string()))
        };
        let (memory, passes) = (Params::DEFAULT_M_COST, Params::DEFAULT_T_COST);
        let (id, v13) = (Algorithm::Argon2id, Version::V0x13);
        assert!(with(id, v13, memory - 8, passes));
        assert!(with(id, v13, memory, passes - 1));
        assert!(with(id, Version::V0x10, memory, passes));
        assert!(with(Algorithm::Argon2i, v13, memory, passes));
        assert!(!with(id, v13, memory + 8, passes + 1));
        assert!(!is_weaker(&PasswordHash::from_store("no hash".into())));
    }
}
