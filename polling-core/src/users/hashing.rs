//! Argon2id on memory that is kept and used again: hashing one password takes 19 MiB, and memory that is allocated for each
//! one on changing threads stays in the allocator's pools.

use std::sync::{Mutex, PoisonError};

use argon2::password_hash::phc::{self, Output, ParamsString, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};

use super::model::PasswordHash;
use crate::Settings;

/// Blocks of 1 KiB that a password of today needs (19,456).
const BLOCKS: usize = Params::DEFAULT.block_count();

/// Why a password was not hashed or checked.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum HashError {
    /// The library refused what it never should.
    #[error("hashing a password failed")]
    Failed,
    /// What is stored is no PHC string.
    #[error("a stored password hash cannot be read")]
    Unreadable,
    /// What is stored would take more memory or time than is allowed.
    #[error(
        "a stored password hash needs {kib} KiB and {passes} passes, and the settings password_hash_kib and \
         password_hash_passes allow {most_kib} KiB and {most_passes} passes: raise them, or set a new password"
    )]
    TooCostly {
        kib: usize,
        passes: u32,
        most_kib: u32,
        most_passes: u32,
    },
}

/// What a stored hash may cost to check.
#[derive(Clone, Copy, Debug)]
pub(super) struct HashBounds {
    pub(super) kib: u32,
    pub(super) passes: u32,
}

/// Hashes and checks passwords. It keeps one memory of 19 MiB for each caller that it ever had at the same time: whoever
/// calls it bounds these.
pub(super) struct Hasher {
    bounds: HashBounds,
    /// The memories that nobody uses at the moment; the one used last comes first.
    idle: Mutex<Vec<Box<[Block]>>>,
    #[cfg(test)]
    pub(super) allocations: std::sync::atomic::AtomicUsize,
}

impl Hasher {
    pub(super) const fn new(bounds: HashBounds) -> Self {
        Self {
            bounds,
            idle: Mutex::new(Vec::new()),
            #[cfg(test)]
            allocations: std::sync::atomic::AtomicUsize::new(0),
        }
    }

    /// The hash of a password, with today's parameters.
    pub(super) fn hash(&self, password: &[u8], salt: &[u8; 16]) -> Result<PasswordHash, HashError> {
        let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
        self.fill(&Argon2::default(), password, salt, &mut output)?;
        let failed = |_| HashError::Failed;
        let phc = phc::PasswordHash {
            algorithm: Algorithm::default().ident(),
            version: Some(Version::default().into()),
            params: ParamsString::try_from(&Params::DEFAULT).map_err(failed)?,
            salt: Some(Salt::new(salt).map_err(|_| HashError::Failed)?),
            hash: Some(Output::new(&output).map_err(|_| HashError::Failed)?),
        };
        Ok(PasswordHash::from_store(phc.to_string()))
    }

    /// Whether this is the password of a stored hash, whatever parameters it has, within the bounds.
    pub(super) fn verify(&self, password: &[u8], stored: &PasswordHash) -> Result<bool, HashError> {
        let phc = phc::PasswordHash::new(stored.as_str()).map_err(|_| HashError::Unreadable)?;
        let (Ok(params), Some(salt), Some(expected)) =
            (Params::try_from(&phc), &phc.salt, &phc.hash)
        else {
            return Ok(false);
        };
        self.allow(&params)?;
        // A version that is not named is today's, for the library as for us.
        let version = phc
            .version
            .map_or(Ok(Version::default()), Version::try_from);
        let (Ok(algorithm), Ok(version)) = (Algorithm::try_from(phc.algorithm.as_str()), version)
        else {
            return Ok(false);
        };
        let mut output = [0; Output::MAX_LENGTH];
        let Some(output) = output.get_mut(..expected.len()) else {
            return Ok(false);
        };
        let argon2 = Argon2::new(algorithm, version, params);
        if self.fill(&argon2, password, salt, output).is_err() {
            return Ok(false);
        }
        // The comparison of outputs takes the same time wherever they differ.
        Ok(Output::new(output).is_ok_and(|output| output == *expected))
    }

    fn allow(&self, params: &Params) -> Result<(), HashError> {
        let HashBounds { kib, passes } = self.bounds;
        let (needs, takes) = (params.block_count(), params.t_cost());
        if takes <= passes && u32::try_from(needs).is_ok_and(|needs| needs <= kib) {
            return Ok(());
        }
        let error = HashError::TooCostly {
            kib: needs,
            passes: takes,
            most_kib: kib,
            most_passes: passes,
        };
        Err(error)
    }

    fn fill(
        &self,
        argon2: &Argon2<'_>,
        password: &[u8],
        salt: &[u8],
        output: &mut [u8],
    ) -> Result<(), HashError> {
        let mut blocks = self.take(argon2.params().block_count());
        let filled = argon2.hash_password_into_with_memory(password, salt, output, &mut *blocks);
        self.keep(blocks);
        filled.map_err(|_| HashError::Failed)
    }

    /// A memory of at least so many blocks.
    fn take(&self, blocks: usize) -> Box<[Block]> {
        let idle = (blocks <= BLOCKS).then(|| self.idle().pop());
        idle.flatten()
            .unwrap_or_else(|| self.allocate(blocks.max(BLOCKS)))
    }

    /// Gives a memory back; a larger one than hashes of today need must not stay.
    fn keep(&self, blocks: Box<[Block]>) {
        if blocks.len() == BLOCKS {
            self.idle().push(blocks);
        }
    }

    fn allocate(&self, blocks: usize) -> Box<[Block]> {
        #[cfg(test)]
        self.allocations
            .fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        vec![Block::new(); blocks].into()
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Box<[Block]>>> {
        // Whole whoever panics: who takes a memory and does not return it has freed it.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the bounds let hashes of today be checked.
pub(crate) fn admits_todays_hashes(settings: &Settings) -> bool {
    settings.password_hash_kib >= Params::DEFAULT_M_COST
        && settings.password_hash_passes >= Params::DEFAULT_T_COST
}

/// Whether a hash was made with weaker parameters than new ones are. What cannot be read is not: it will not be better for
/// being made anew.
pub(super) fn is_weaker(stored: &PasswordHash) -> bool {
    let Ok(phc) = phc::PasswordHash::new(stored.as_str()) else {
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

#[cfg(test)]
mod tests;
