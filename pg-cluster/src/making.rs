//! What there must be before a server can start: a directory of its own, and a cluster in it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::account::Account;
use crate::error::{Error, While};
use crate::options::ClusterOptions;
use crate::postmaster;
use crate::pristine;
use crate::programs::Programs;

/// What only the server may touch is in a folder of its own; sockets lie beside it.
pub(crate) fn data_in(directory: &Path) -> PathBuf {
    directory.join("data")
}

/// A new directory that nothing removes but a watchdog. Its name is short: that of a socket, which
/// will lie in it, must not pass 107 bytes.
pub(crate) fn private_directory() -> Result<PathBuf, Error> {
    let made = tempfile::Builder::new().prefix("pg-").tempdir();
    let made = made.during(|| "make a directory for a server".to_owned())?;
    Ok(made.keep())
}

/// The programs, where `account` can run them: a copy in `directory`, if it must be.
pub(crate) fn reachable(
    programs: Programs,
    account: Account,
    directory: &Path,
) -> Result<Programs, Error> {
    let postgres = programs.postgres();
    let may_run = |programs: &Programs| {
        let tried = account.may_run(&programs.postgres());
        tried.during(|| "try whether a server can be run".to_owned())
    };
    if may_run(&programs)? {
        return Ok(programs);
    }
    if let Some(tree) = &programs.tree {
        let copy = directory.join("programs");
        let copied = Command::new("cp").arg("-R").arg(tree).arg(&copy).status();
        copied.during(|| format!("copy {}", tree.display()))?;
        let programs = programs.moved_to(&copy);
        if may_run(&programs)? {
            return Ok(programs);
        }
    }
    let what = "may not be run by the account that servers run under: its folders are closed";
    let at = postgres.display().to_string();
    Err(postmaster::failed("postgres", what, &at))
}

/// Makes a new cluster in `directory`, and sets it up as it is wanted.
pub(crate) fn make(
    options: &ClusterOptions,
    programs: &Programs,
    account: Account,
    directory: &Path,
) -> Result<(), Error> {
    let data = data_in(directory);
    pristine::make(programs, account, &data)?;
    let write = || {
        let config = data.join("postgresql.conf");
        let usual = fs::read_to_string(&config)?;
        let more = options.config_text(&directory.to_string_lossy());
        fs::write(config, usual + &more)?;
        fs::write(data.join("pg_hba.conf"), options.hba_text())
    };
    write().during(|| "configure a cluster".to_owned())?;
    for (name, content) in &options.files {
        let file = data.join(name);
        let written = fs::write(&file, content);
        let closed =
            written.and_then(|()| fs::set_permissions(&file, PermissionsExt::from_mode(0o600)));
        closed.during(|| format!("write {}", file.display()))?;
        account.own(&file)?;
    }
    Ok(())
}
