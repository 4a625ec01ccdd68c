//! `PgBouncer`, the pool that many people put between their program and PostgreSQL.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;

use crate::cluster::Cluster;
use crate::error::{Error, While};
use crate::making::private_directory;
use crate::ports;
use crate::postmaster::{self, Log, Started};
use crate::programs;
use crate::watchdog::Watchdog;

const PROGRAM: &str = "pgbouncer";

/// For how long a client keeps the server's connection it was lent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolMode {
    /// Until it goes away.
    Session,
    /// Until its transaction ends: prepared statements, locks and settings of a session do not
    /// hold.
    Transaction,
    /// For one statement: there are no transactions of more.
    Statement,
}

impl PoolMode {
    fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Transaction => "transaction",
            Self::Statement => "statement",
        }
    }
}

/// A `PgBouncer` in front of a cluster. Dropping it ends it.
#[derive(Debug)]
pub struct PgBouncer {
    port: u16,
    user: &'static str,
    process: Option<Child>,
    watchdog: Watchdog,
}

impl PgBouncer {
    /// Starts one for every database of `cluster`.
    ///
    /// # Errors
    /// When it is not installed, with what to do about it, or does not start, with the end of its
    /// log.
    pub fn start(cluster: &Cluster, mode: PoolMode) -> Result<Self, Error> {
        let program = programs::find(PROGRAM)?;
        let directory = private_directory()?;
        let mut watchdog = Watchdog::over(&directory, "TERM")?;
        let account = cluster.account();
        let log = Log::at(directory.join("log"));
        let config = config_in(&directory);
        account.own(&directory)?;
        for _ in 0..ports::ATTEMPTS {
            let port = ports::free();
            configure(cluster, mode, port, &directory)
                .during(|| "configure a PgBouncer".to_owned())?;
            // Not everybody's umask lets others read what root has written.
            account.own(&config)?;
            account.own(&users_in(&directory))?;
            let mut command = account.command(&program);
            command.arg(&config);
            let is_ready = |_: &Child| log.text().contains("process up");
            match postmaster::start(PROGRAM, command, &log, &mut watchdog, is_ready)? {
                Started::Ready(process) => {
                    return Ok(Self {
                        port,
                        user: cluster.user(),
                        process: Some(process),
                        watchdog,
                    });
                }
                Started::Ended(log) if log.contains("Address already in use") => {}
                Started::Ended(_) => return Err(log.error(PROGRAM, "did not start")),
            }
        }
        Err(log.error(PROGRAM, "found no free port"))
    }

    /// Where it takes connections.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of a database of its cluster, through it.
    pub fn url_of(&self, database: &str) -> String {
        let address = ports::loopback(self.port);
        format!("postgres://{}@{address}/{database}", self.user)
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        self.watchdog.let_go(self.process.take());
    }
}

fn config_in(directory: &Path) -> PathBuf {
    directory.join("config")
}

fn users_in(directory: &Path) -> PathBuf {
    directory.join("users")
}

fn configure(
    cluster: &Cluster,
    mode: PoolMode,
    port: u16,
    directory: &Path,
) -> std::io::Result<()> {
    let users = users_in(directory);
    let config = format!(
        "[databases]\n\
         * = host=127.0.0.1 port={}\n\
         [pgbouncer]\n\
         listen_addr = 127.0.0.1\n\
         listen_port = {port}\n\
         unix_socket_dir =\n\
         auth_type = trust\n\
         auth_file = {}\n\
         pool_mode = {}\n\
         max_client_conn = 1000\n\
         default_pool_size = 20\n\
         ignore_startup_parameters = extra_float_digits\n",
        cluster.port(),
        users.display(),
        mode.name(),
    );
    fs::write(config_in(directory), config)?;
    fs::write(users, format!("\"{}\" \"\"\n", cluster.user()))
}
