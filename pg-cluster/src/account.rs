//! Under whose name a server runs.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::{Error, While};

/// The account that runs a server: ours, but for root, whom PostgreSQL refuses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account {
    other: Option<(u32, u32)>,
}

/// Whom root becomes; the first that the system knows.
const SUBSTITUTES: [&str; 2] = ["postgres", "nobody"];

impl Account {
    /// The account for servers whose files are in `directory`, which this process has made.
    pub(crate) fn for_servers_in(directory: &Path) -> Result<Self, Error> {
        let owner =
            fs::metadata(directory).during(|| format!("look at {}", directory.display()))?;
        if owner.uid() != 0 {
            return Ok(Self { other: None });
        }
        let accounts = fs::read_to_string("/etc/passwd").during(|| "list accounts".to_owned())?;
        let mut known = SUBSTITUTES.iter().filter_map(|name| ids(&accounts, name));
        let other = known.next().ok_or_else(|| Error::Missing {
            what: format!("an account to run a server as root ({SUBSTITUTES:?})"),
        })?;
        Ok(Self { other: Some(other) })
    }

    /// A program that will run under this account, away from the terminal and its signals.
    pub(crate) fn command(self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        // Whoever it becomes may not enter the folder where the tests run. The language and the
        // time zone are fixed, for what is read in the log and for what initdb writes down.
        command
            .current_dir("/")
            .stdin(Stdio::null())
            .process_group(0)
            .env("LC_ALL", "C")
            .env("TZ", "UTC");
        if let Some((uid, gid)) = self.other {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Hands over a file or a directory.
    pub(crate) fn own(self, path: &Path) -> Result<(), Error> {
        let Some((uid, gid)) = self.other else {
            return Ok(());
        };
        chown(path, Some(uid), Some(gid)).during(|| format!("hand over {}", path.display()))
    }

    /// Hands over a directory with everything in it; `false` if that fails.
    pub(crate) fn own_all(self, directory: &Path) -> bool {
        let Some((uid, gid)) = self.other else {
            return true;
        };
        let mut chown = Command::new("chown");
        chown.arg("-R").arg(format!("{uid}:{gid}")).arg(directory);
        chown.output().is_ok_and(|done| done.status.success())
    }

    /// Whether the account can run this program, every folder on the way considered.
    pub(crate) fn may_run(self, program: &Path) -> io::Result<bool> {
        let mut test = self.command("test");
        let status = test.arg("-x").arg(program).status()?;
        Ok(status.success())
    }
}

fn ids(accounts: &str, name: &str) -> Option<(u32, u32)> {
    let mut lines = accounts.lines().map(|line| line.split(':'));
    let mut fields =
        lines.find_map(|mut fields| (fields.next() == Some(name)).then_some(fields))?;
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some((uid, gid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_name() {
        let accounts =
            "root:x:0:0:root:/root:/bin/sh\npost:x:1:2::/:/bin/sh\npostgres:x:101:104::/:/bin/sh\n";
        assert_eq!(ids(accounts, "postgres"), Some((101, 104)));
        assert_eq!(ids(accounts, "nobody"), None);
    }
}
