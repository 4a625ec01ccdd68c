//! One run of a server, from its start until it takes connections.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use crate::error::{Error, While};
use crate::waiting::{PATIENCE, poll};
use crate::watchdog::Watchdog;

/// What a start came to, where it was not refused altogether.
pub(crate) enum Started {
    Ready(Child),
    /// The server ended again. What it wrote tells why.
    Ended(String),
}

/// Starts a server that writes to `log`, and waits until `is_ready`.
pub(crate) fn start(
    program: &'static str,
    mut command: Command,
    log: &Log,
    watchdog: &mut Watchdog,
    is_ready: impl Fn(&Child) -> bool,
) -> Result<Started, Error> {
    let (output, errors) = log.renew()?;
    command.stdout(output).stderr(errors);
    let mut child = command.spawn().during(|| format!("start {program}"))?;
    let pid = child.id();
    let seen = watchdog.watch(Some(pid)).and_then(|()| {
        let seen = poll(PATIENCE, || match child.try_wait() {
            Ok(None) => is_ready(&child).then_some(Ok(true)),
            Ok(Some(_)) => Some(Ok(false)),
            Err(error) => Some(Err(error)),
        });
        seen.transpose()
            .during(|| format!("ask whether {program} runs"))
    });
    match seen {
        Ok(Some(true)) => return Ok(Started::Ready(child)),
        Ok(Some(false)) => {
            watchdog.watch(None)?;
            return Ok(Started::Ended(log.text()));
        }
        Ok(None) | Err(_) => end_at_once(&mut child),
    }
    watchdog.watch(None)?;
    seen?;
    Err(log.error(program, "did not get ready in time"))
}

pub(crate) fn end_at_once(child: &mut Child) {
    // Neither fails for a child that is ours to wait for; one that has ended is what is wanted.
    let _ = child.kill();
    let _ = child.wait();
}

/// Asks a child to end. The standard library knows only the signal that nobody can refuse.
pub(crate) fn signal(child: &Child, signal: &str) -> Result<(), Error> {
    let mut kill = Command::new("sh");
    kill.args(["-c", "kill -s \"$1\" \"$2\"", "kill", signal]);
    let status = kill.arg(child.id().to_string()).status();
    let done = status.and_then(|status| {
        let failed = || io::Error::other(status.to_string());
        status.success().then_some(()).ok_or_else(failed)
    });
    done.during(|| format!("send {signal} to a server"))
}

/// Waits for a child that has been asked to end; `false` if it does not.
pub(crate) fn has_ended(child: &mut Child) -> bool {
    poll(PATIENCE, || child.try_wait().ok().flatten()).is_some()
}

/// Whether the server in `data` that is `child` takes connections: it writes so into its lock
/// file, where its own tools look, too.
pub(crate) fn takes_connections(data: &Path, child: &Child) -> bool {
    let lock = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let mut lines = lock.lines();
    let is_its_own = lines.next() == Some(&child.id().to_string());
    is_its_own && lines.nth(6).map(str::trim) == Some("ready")
}

/// Where a server writes what goes wrong.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
}

impl Log {
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// The files for the two outputs of a new run, which begins with an empty log.
    fn renew(&self) -> Result<(File, File), Error> {
        let renew = || {
            fs::write(&self.path, "")?;
            let file = File::options().append(true).open(&self.path)?;
            Ok((file.try_clone()?, file))
        };
        renew().during(|| format!("write to {}", self.path.display()))
    }

    pub(crate) fn text(&self) -> String {
        fs::read_to_string(&self.path).unwrap_or_default()
    }

    pub(crate) fn error(&self, program: &'static str, what: &str) -> Error {
        failed(program, what, &self.text())
    }
}

/// An error with the end of what the program wrote, where its reason stands.
pub(crate) fn failed(program: &'static str, what: &str, log: &str) -> Error {
    const LINES: usize = 30;
    let lines: Vec<_> = log.lines().collect();
    let end = lines[lines.len().saturating_sub(LINES)..].join("\n");
    Error::Failed {
        program,
        what: what.to_owned(),
        log: end,
    }
}
