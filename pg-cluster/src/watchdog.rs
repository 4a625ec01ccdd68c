//! What ends a server when the process that started it is gone.

use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;

use crate::error::{Error, While};
use crate::postmaster::end_at_once;
use crate::waiting::{PATIENCE, poll};

/// Reads the number of the process to end, one a line, an empty line for none. The end of the
/// input is the end of whoever held it: the system closes the pipe, however a process dies. A
/// process that ended stays known until its parent asks for it, which not every first process of a
/// container does: its state is looked at, where the system shows it.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
directory=$1 signal=$2 pid=
runs() {
    kill -s 0 "$pid" || return 1
    stat=
    read -r stat <"/proc/$pid/stat"
    case "${stat##*) }" in [ZX]*) return 1 ;; esac
}
while read -r line; do pid=$line; done
tries=0
if [ -n "$pid" ] && kill -s "$signal" "$pid"; then
    while runs && [ "$tries" -lt 200 ]; do
        sleep 0.05
        tries=$((tries + 1))
    done
    kill -s KILL "$pid"
fi
tries=0
until rm -rf "$directory" || [ "$tries" -ge 100 ]; do
    sleep 0.05
    tries=$((tries + 1))
done
"#;

/// A process that outlives this one for as long as it takes to end a server and to remove its
/// directory.
#[derive(Debug)]
pub(crate) struct Watchdog {
    /// `None` once somebody else waits for it.
    process: Option<Child>,
    /// `None` once it has been let go.
    pipe: Option<ChildStdin>,
    directory: PathBuf,
}

impl Watchdog {
    /// Watches over `directory` from now on. `signal` is what ends the server at once.
    pub(crate) fn over(directory: &Path, signal: &str) -> Result<Self, Error> {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "watchdog"]).arg(directory);
        // A group of its own, so that Ctrl-C does not reach it; and no output, for whose end the
        // reader of the tests' output would wait.
        let mut process = command
            .arg(signal)
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .during(|| "start a watchdog".to_owned())?;
        Ok(Self {
            pipe: process.stdin.take(),
            process: Some(process),
            directory: directory.to_owned(),
        })
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The process to end, if any, in place of the one told before.
    pub(crate) fn watch(&mut self, pid: Option<u32>) -> Result<(), Error> {
        let line = pid.map(|pid| pid.to_string()).unwrap_or_default() + "\n";
        let mut pipe = self.pipe.iter_mut();
        pipe.try_for_each(|pipe| pipe.write_all(line.as_bytes()))
            .during(|| "tell the watchdog what to end".to_owned())
    }

    /// Ends the server, a child of this process, and then removes the directory, for which nobody
    /// has to wait.
    pub(crate) fn let_go(&mut self, server: Option<Child>) {
        self.pipe = None;
        if let Some(mut server) = server {
            // Until a parent has asked for it, a process that ended still counts as there.
            poll(PATIENCE, || {
                let runs = matches!(server.try_wait(), Ok(None));
                (!runs || self.status().is_some()).then_some(())
            });
            // One that still runs has no watchdog any more that would end it.
            end_at_once(&mut server);
        }
        if self.status().is_some_and(|status| !status.success()) {
            // Somebody has killed the watchdog: its other work is done here, as well as may be.
            let _ = fs::remove_dir_all(&self.directory);
        }
    }

    /// How it ended, if it has.
    fn status(&mut self) -> Option<ExitStatus> {
        self.process.as_mut()?.try_wait().ok().flatten()
    }

    /// Waits until the directory is removed, after it has been let go.
    pub(crate) fn wait(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.wait();
        }
    }
}

impl Drop for Watchdog {
    /// It ends later than this, and stays among the processes until somebody has asked for it.
    fn drop(&mut self) {
        self.pipe = None;
        if let Some(mut process) = self.process.take() {
            let _ = thread::Builder::new().spawn(move || process.wait());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A watchdog over a directory of its own.
    fn watchdog() -> Watchdog {
        let directory = tempfile::tempdir().unwrap().keep();
        Watchdog::over(&directory, "TERM").unwrap()
    }

    fn server() -> Child {
        Command::new("sleep").arg("600").spawn().unwrap()
    }

    /// Whether the system still knows a process, be it one that ended.
    fn is_known(pid: u32) -> bool {
        let mut kill = Command::new("sh");
        kill.args(["-c", "kill -s 0 \"$1\"", "kill"])
            .arg(pid.to_string());
        kill.output().unwrap().status.success()
    }

    #[test]
    fn a_server_ends_with_its_directory_though_the_watchdog_was_killed() {
        let (mut watchdog, server) = (watchdog(), server());
        let pid = server.id();
        watchdog.watch(Some(pid)).unwrap();
        end_at_once(watchdog.process.as_mut().unwrap());
        watchdog.let_go(Some(server));
        assert!(!is_known(pid));
        assert!(!watchdog.directory().exists());
    }

    #[test]
    fn a_watchdog_that_is_dropped_leaves_no_process() {
        let (mut watchdog, server) = (watchdog(), server());
        let pid = watchdog.process.as_ref().unwrap().id();
        watchdog.watch(Some(server.id())).unwrap();
        watchdog.let_go(Some(server));
        drop(watchdog);
        let gone = poll(PATIENCE, || (!is_known(pid)).then_some(()));
        assert!(gone.is_some(), "it stays among the processes");
    }

    #[test]
    fn a_server_that_ended_is_not_waited_for_until_its_parent_asks() {
        let (mut watchdog, mut server) = (watchdog(), server());
        watchdog.watch(Some(server.id())).unwrap();
        watchdog.let_go(None);
        let ended = poll(Duration::from_secs(7), || watchdog.status());
        end_at_once(&mut server);
        assert!(ended.is_some_and(|status| status.success()));
        assert!(!watchdog.directory().exists());
    }
}
