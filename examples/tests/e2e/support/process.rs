//! The bundled server as a process of its own, as users run it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

use super::soon;

/// A running server. It is killed when it is dropped.
pub(crate) struct ServerProcess {
    child: Child,
    pub(crate) address: SocketAddr,
    /// What it printed up to its greeting's end, where it was read.
    pub(crate) greeting: String,
}

/// A server that has not greeted yet.
pub(crate) struct Starting {
    child: Child,
    output: Lines<BufReader<ChildStdout>>,
    log: Lines<BufReader<ChildStderr>>,
}

impl Starting {
    /// Starts a server on this database and a free port.
    pub(crate) fn new(database_url: &str, flags: &[&str]) -> Self {
        Self::logging(database_url, flags, "warn", "")
    }

    /// The same, which logs so much; `into` may send it elsewhere, as a shell writes that.
    pub(crate) fn logging(database_url: &str, flags: &[&str], level: &str, into: &str) -> Self {
        Self::after("", database_url, flags, level, into)
    }

    /// A server whose open files are limited as `ulimit` takes it, and that logs to this file.
    pub(crate) fn with_open_files(
        limit: &str,
        database_url: &str,
        flags: &[&str],
        log: &Path,
    ) -> Self {
        let limit = format!("ulimit {limit} &&");
        let into = format!("2>'{}'", log.display());
        Self::after(&limit, database_url, flags, "warn", &into)
    }

    /// Starts a server after what a shell does first.
    fn after(first: &str, database_url: &str, flags: &[&str], level: &str, into: &str) -> Self {
        // A file that cannot grow is an error of the write, as on a full disk, and not the end of the program.
        let run = format!("trap '' XFSZ; {first} exec \"$0\" \"$@\" {into}");
        let mut child = Command::new("sh")
            .args(["-c", &run])
            .arg(program())
            .args(["--listen", "127.0.0.1:0", "--log", level])
            .args(["--database-url", database_url])
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the server is built: cargo build --examples");
        let output = child.stdout.take().expect("it is piped");
        let log = child.stderr.take().expect("it is piped");
        Self {
            child,
            output: BufReader::new(output).lines(),
            log: BufReader::new(log).lines(),
        }
    }

    /// Returns when it has logged something with these words.
    pub(crate) async fn logs(&mut self, words: &str) {
        let read = async {
            loop {
                let line = self.log.next_line().await.expect("the log can be read");
                if line.expect("the server runs").contains(words) {
                    break;
                }
            }
        };
        soon(read).await;
    }

    /// Reads until it has greeted. Its log is passed on from here.
    pub(crate) async fn greets(self) -> ServerProcess {
        let Self {
            child,
            mut output,
            mut log,
        } = self;
        tokio::spawn(async move {
            while let Ok(Some(line)) = log.next_line().await {
                eprintln!("{line}");
            }
        });
        let mut greeting = String::new();
        let read = async {
            // The greeting's last line is the one to watch with.
            while !greeting.trim_end().ends_with("/events") {
                let line = output.next_line().await.expect("the output can be read");
                greeting.push_str(&line.expect("the server greets"));
                greeting.push('\n');
            }
        };
        soon(read).await;
        let address = greeting
            .lines()
            .find_map(|line| line.strip_prefix("listening on http://"));
        let address = address
            .expect("the greeting says where")
            .parse()
            .expect("it is an address");
        ServerProcess {
            child,
            address,
            greeting,
        }
    }
}

impl ServerProcess {
    /// Starts a server on this database and a free port.
    pub(crate) async fn start(database_url: &str) -> Self {
        Starting::new(database_url, &[]).greets().await
    }

    /// Lets none of its files grow beyond so many bytes, as on a full disk; `None` makes room again.
    pub(crate) fn limit_files(&self, bytes: Option<u64>) {
        let id = self.child.id().expect("it runs");
        pg_cluster::limit_files(id, bytes).expect("it is ours");
    }

    /// The bytes of its memory that are in use: its resident set.
    pub(crate) fn resident(&self) -> usize {
        let id = self.child.id().expect("it runs");
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("this is Linux");
        let mut lines = status.lines();
        let resident = lines.find_map(|line| line.strip_prefix("VmRSS:")?.strip_suffix(" kB"));
        let kib: usize = resident
            .and_then(|kib| kib.trim().parse().ok())
            .expect("a number");
        kib * 1024
    }

    /// Pulls the plug.
    pub(crate) async fn kill_9(mut self) {
        self.child.start_kill().expect("it runs");
        soon(self.child.wait()).await.expect("it can be waited for");
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) async fn stop(mut self) -> ExitStatus {
        self.ask_to_stop().await;
        soon(self.child.wait()).await.expect("it can be waited for")
    }

    pub(crate) async fn ask_to_stop(&self) {
        let id = self.child.id().expect("it runs").to_string();
        let asked = Command::new("sh")
            .args(["-c", &format!("kill -TERM {id}")])
            .status()
            .await;
        assert!(asked.expect("there is a shell").success());
    }
}

/// Where cargo puts examples, seen from where it puts tests.
pub(crate) fn program() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let target = test
        .parent()
        .and_then(Path::parent)
        .expect("tests are in target/PROFILE/deps");
    target.join("examples/server")
}
