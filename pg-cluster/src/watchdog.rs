//! What ends a server when the process that started it is gone.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::error::{Error, While};

/// Reads the number of the process to end, one a line, an empty line for none. The end of the
/// input is the end of whoever held it: the system closes the pipe, however a process dies.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
directory=$1 signal=$2 pid=
while read -r line; do pid=$line; done
tries=0
if [ -n "$pid" ] && kill -s "$signal" "$pid"; then
    while kill -s 0 "$pid" && [ "$tries" -lt 200 ]; do
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
    process: Child,
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
            process,
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
            let _ = server.wait();
        }
    }

    /// Waits until the directory is removed, after it has been let go.
    pub(crate) fn wait(&mut self) {
        let _ = self.process.wait();
    }
}
