//! New clusters, as `initdb` makes them. That takes it most of a second of computing, so the first
//! one that a version has made is kept, and all others are copies of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::account::Account;
use crate::error::{Error, While};
use crate::postmaster;
use crate::programs::{Programs, build_directory};

const OPTIONS: [&str; 5] = [
    "--no-sync",
    "--auth=trust",
    "--username=postgres",
    "--encoding=UTF8",
    "--locale=C",
];

/// Makes a new cluster in `data`, which belongs to `account`.
pub(crate) fn make(programs: &Programs, account: Account, data: &Path) -> Result<(), Error> {
    let kept = place_for(programs);
    if let Some(kept) = kept.as_deref().filter(|kept| kept.is_dir()) {
        if copy(kept, data) && account.own_all(data) {
            return Ok(());
        }
        // It may belong to somebody else. What became of the copy is in the way of a new one.
        if data.exists() {
            fs::remove_dir_all(data).during(|| "remove half a cluster".to_owned())?;
        }
    }
    initdb(programs, account, data)?;
    if let Some(kept) = kept {
        keep(data, &kept);
    }
    Ok(())
}

fn initdb(programs: &Programs, account: Account, data: &Path) -> Result<(), Error> {
    let mut initdb = account.command(programs.initdb());
    let done = initdb.arg("-D").arg(data).args(OPTIONS).output();
    let done = done.during(|| "run initdb".to_owned())?;
    if done.status.success() {
        return Ok(());
    }
    let said = [done.stdout, done.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    Err(postmaster::failed("initdb", "failed", &said))
}

/// Where the cluster of this version, to the last patch, made with these options, is kept.
fn place_for(programs: &Programs) -> Option<PathBuf> {
    let asked = Command::new(programs.postgres()).arg("--version").output();
    let version = String::from_utf8(asked.ok()?.stdout).ok()?;
    let name = version + &OPTIONS.concat();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    let name: String = name.chars().filter(|c| is_plain(*c)).collect();
    Some(build_directory().join("tmp").join("clusters").join(name))
}

/// It gets its name only when it is whole. Whoever cannot keep it does without, and where another
/// process has kept one first, that one stays.
fn keep(data: &Path, place: &Path) {
    let Some(folder) = place.parent() else { return };
    let draft = fs::create_dir_all(folder).and_then(|()| tempfile::tempdir_in(folder));
    if let Ok(draft) = draft {
        let copied = draft.path().join("data");
        if copy(data, &copied) {
            let _ = fs::rename(copied, place);
        }
    }
}

fn copy(from: &Path, to: &Path) -> bool {
    let mut cp = Command::new("cp");
    cp.arg("-R").arg(from).arg(to);
    cp.output().is_ok_and(|done| done.status.success())
}
