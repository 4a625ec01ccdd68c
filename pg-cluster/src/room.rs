//! Disks that are full.

use std::fs;
use std::io;
use std::process::Command;

use crate::account::Account;
use crate::error::{Error, While};

/// PostgreSQL writes whole blocks of this many bytes.
const BLOCK: u64 = 8_192;

/// Lets no file of a process, and of those that it will start, grow beyond so many bytes, as on a disk that is full; `None`
/// lets them grow again. It needs no privileges, for a process of one's own account. The process must ignore `SIGXFSZ`, as
/// PostgreSQL does, or it is ended by its first byte too many.
///
/// # Errors
/// When there is no such process, or `prlimit` is not installed.
pub fn limit_files(process: u32, bytes: Option<u64>) -> Result<(), Error> {
    limit(Command::new(PRLIMIT), process, bytes)
}

const PRLIMIT: &str = "prlimit";

fn limit(mut prlimit: Command, process: u32, bytes: Option<u64>) -> Result<(), Error> {
    let bytes = bytes.map_or_else(|| "unlimited".to_owned(), |bytes| bytes.to_string());
    // The soft limit alone: whoever is not root could never raise the other one again.
    prlimit.args(["--pid", &process.to_string(), &format!("--fsize={bytes}:")]);
    let done = prlimit.output().and_then(|done| {
        let failed = || io::Error::other(String::from_utf8_lossy(&done.stderr).into_owned());
        done.status.success().then_some(()).ok_or_else(failed)
    });
    done.during(|| "limit the files of a process".to_owned())
}

/// The same for a server and all its children. A block that does not fit whole is written in part: so PostgreSQL finds its
/// disk full, as it would find a real one (53100), and not a file too large.
pub(crate) fn limit_server(
    account: Account,
    postmaster: u32,
    bytes: Option<u64>,
) -> Result<(), Error> {
    let bytes = bytes.map(|bytes| bytes / BLOCK * BLOCK + BLOCK / 2);
    limit(account.command(PRLIMIT), postmaster, bytes)?;
    // Whoever is started from here on has the limit already.
    for child in children_of(postmaster).during(|| "list the children of a server".to_owned())? {
        if let Err(error) = limit(account.command(PRLIMIT), child, bytes)
            && fs::exists(format!("/proc/{child}")).unwrap_or(false)
        {
            return Err(error);
        }
    }
    Ok(())
}

fn children_of(parent: u32) -> io::Result<Vec<u32>> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(process) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // One that has ended meanwhile is nobody's child.
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        // After the program's name, which stands in brackets and may hold any: the state, and the parent.
        let after = stat.rsplit_once(") ").map(|(_, after)| after);
        let of = after.and_then(|after| after.split(' ').nth(1)?.parse().ok());
        if of == Some(parent) {
            children.push(process);
        }
    }
    Ok(children)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_started_is_a_child() {
        let mut child = Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        assert!(
            children_of(std::process::id())
                .unwrap()
                .contains(&child.id())
        );
        drop(child.stdin.take());
        child.wait().unwrap();
    }

    #[test]
    fn what_is_limited_can_grow_again() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let script = "trap '' XFSZ; while read line; do printf %s \"$line\" >> \"$1\" && echo done || echo full; done";
        let mut child = Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(file.path())
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let (mut to, from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut said = io::BufRead::lines(io::BufReader::new(from));
        for (limit, expected) in [(None, "done"), (Some(4), "full"), (None, "done")] {
            limit_files(child.id(), limit).unwrap();
            io::Write::write_all(&mut to, b"four\n").unwrap();
            assert_eq!(said.next().unwrap().unwrap(), expected);
        }
        drop(to);
        child.wait().unwrap();
    }
}
