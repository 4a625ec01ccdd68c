//! One process per file.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::OpenError;

/// The right to a database file, for as long as this lives. The kernel takes it back from a process that ends, however it
/// ends. The file `FILE.lock` stays: to remove it would let two processes lock two files of the same name.
#[derive(Debug)]
pub(crate) struct FileLock(File);

impl FileLock {
    /// Takes the right to the database at `path`, at once or not at all.
    pub(crate) fn take(path: &Path) -> Result<Self, OpenError> {
        let mut lock_path = path.as_os_str().to_owned();
        lock_path.push(".lock");
        let lock_path = Path::new(&lock_path);
        let file = private_file(lock_path).map_err(|error| OpenError::io(lock_path, error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse {
                path: path.to_owned(),
            }),
            Err(TryLockError::Error(error)) => Err(OpenError::io(lock_path, error)),
        }
    }
}

impl Drop for FileLock {
    /// Closing the file would not do: a process that is being started meanwhile holds a copy of it until it runs its program.
    fn drop(&mut self) {
        // Where it cannot be given back here, the kernel takes it back when the file is closed.
        let _ = self.0.unlock();
    }
}

/// Opens a file, and makes it where there is none: for its owner alone, because a database holds the key that signs access
/// tokens, and SQLite gives the files beside it the same permissions.
pub(crate) fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
