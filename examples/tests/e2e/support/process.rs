//! The bundled server as a process of its own, as users run it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// More than a server ever needs to start or stop, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server. It is killed when it is dropped.
pub(crate) struct ServerProcess {
    child: Child,
    pub(crate) address: SocketAddr,
    /// What it printed up to its greeting's end, where it was read.
    pub(crate) greeting: String,
}

impl ServerProcess {
    /// Starts a server on this database and a free port.
    pub(crate) async fn start_with(database_url: &str, flags: &[&str]) -> Self {
        let mut child = Command::new(program())
            .args([
                "--listen",
                "127.0.0.1:0",
                "--log",
                "warn",
                "--database-url",
                database_url,
            ])
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the server is built: cargo build --examples");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let mut greeting = String::new();
        let read = async {
            // The greeting's last line is the one to watch with.
            while !greeting.trim_end().ends_with("/events") {
                let line = lines
                    .next_line()
                    .await
                    .expect("the output can be read")
                    .expect("the server greets");
                greeting.push_str(&line);
                greeting.push('\n');
            }
        };
        timeout(PATIENCE, read).await.expect("the server starts");
        let address = greeting
            .lines()
            .find_map(|line| line.strip_prefix("listening on http://"));
        let address = address
            .expect("the greeting says where")
            .parse()
            .expect("it is an address");
        Self {
            child,
            address,
            greeting,
        }
    }

    /// Pulls the plug.
    pub(crate) async fn kill_9(mut self) {
        self.child.start_kill().expect("it runs");
        timeout(PATIENCE, self.child.wait())
            .await
            .expect("a killed server ends")
            .expect("it can be waited for");
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) async fn stop(mut self) -> ExitStatus {
        self.ask_to_stop().await;
        timeout(PATIENCE, self.child.wait())
            .await
            .expect("the server stops")
            .expect("it can be waited for")
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
