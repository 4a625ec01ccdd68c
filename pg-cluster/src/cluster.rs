//! A server of one's own, and its life.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::OnceCell;

use crate::account::Account;
use crate::error::Error;
use crate::making::{data_in, make, private_directory, reachable};
use crate::options::ClusterOptions;
use crate::ports;
use crate::postmaster::{self, Log, Started};
use crate::programs::{Programs, Version, find};
use crate::room;
use crate::waiting::{PATIENCE, poll};
use crate::watchdog::Watchdog;

const PROGRAM: &str = "postgres";

/// A private PostgreSQL server. Dropping it ends it, and what it held is removed a little later.
#[derive(Debug)]
pub struct Cluster {
    port: u16,
    postgres: PathBuf,
    account: Account,
    log: Log,
    life: Mutex<Life>,
    /// The databases that others are copied from, each prepared once.
    pub(crate) templates: Mutex<HashMap<String, Arc<OnceCell<()>>>>,
    directory: PathBuf,
    /// How it copies databases.
    pub(crate) strategy: &'static str,
}

#[derive(Debug)]
struct Life {
    /// `None` while it is down.
    server: Option<Child>,
    watchdog: Watchdog,
}

impl Cluster {
    /// Makes a cluster, starts it, and waits until it takes connections.
    ///
    /// # Errors
    /// When the server is not installed, with what to do about it, or does not start, with the end
    /// of its log.
    pub fn start(options: &ClusterOptions) -> Result<Self, Error> {
        let directory = private_directory()?;
        let mut watchdog = Watchdog::over(&directory, "QUIT")?;
        let account = Account::for_servers_in(&directory)?;
        account.own(&directory)?;
        let programs = reachable(Programs::of(options.version)?, account, &directory)?;
        make(options, &programs, account, &directory)?;
        let log = Log::at(directory.join("log"));
        let postgres = programs.postgres();
        for _ in 0..ports::ATTEMPTS {
            let port = ports::free();
            let command = command(&postgres, account, &directory, port);
            match run(command, &log, &mut watchdog)? {
                Started::Ready(server) => {
                    return Ok(Self {
                        port,
                        postgres,
                        account,
                        log,
                        life: Mutex::new(Life {
                            server: Some(server),
                            watchdog,
                        }),
                        templates: Mutex::default(),
                        directory,
                        strategy: options.copying_strategy(),
                    });
                }
                Started::Ended(log) if log.contains("Address already in use") => {}
                Started::Ended(_) => return Err(log.error(PROGRAM, "did not start")),
            }
        }
        Err(log.error(PROGRAM, "found no free port"))
    }

    /// The cluster that all tests of this process share, started by the first that asks. It never
    /// syncs its files. Whoever wants to stop a server, or to look at all of it, starts their own.
    ///
    /// # Panics
    /// Where [`Cluster::start`] fails.
    pub fn shared(version: Version) -> &'static Self {
        static INSTALLED: OnceLock<Cluster> = OnceLock::new();
        static V18: OnceLock<Cluster> = OnceLock::new();
        let shared = match version {
            Version::Installed => &INSTALLED,
            Version::V18 => &V18,
        };
        shared.get_or_init(|| match Self::start(&ClusterOptions::new(version)) {
            Ok(cluster) => cluster,
            Err(error) => panic!("no PostgreSQL to test on: {error}"),
        })
    }

    /// Where it takes connections over TCP. It comes back there after a crash.
    pub fn address(&self) -> SocketAddr {
        ports::loopback(self.port)
    }

    /// The port of [`Cluster::address`], which the name of the socket has in it, too.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The directory of its Unix socket.
    pub fn socket_dir(&self) -> &Path {
        &self.directory
    }

    /// The postmaster's process id, whose children serve the clients; `None` while it is down.
    pub fn pid(&self) -> Option<u32> {
        self.life().server.as_ref().map(Child::id)
    }

    /// A program that belongs to the server, as `pgbench` or `psql` does: the one beside it, or else one on the `PATH`.
    ///
    /// # Errors
    /// When it is not installed, with what to do about it.
    pub fn program(&self, name: &'static str) -> Result<PathBuf, Error> {
        let beside = self.postgres.with_file_name(name);
        if beside.is_file() {
            return Ok(beside);
        }
        find(name)
    }

    /// The superuser.
    pub fn user(&self) -> &'static str {
        "postgres"
    }

    /// The address of a database of this cluster, over TCP.
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://{}@{}/{database}", self.user(), self.address())
    }

    /// The address of a database of this cluster, over its Unix socket.
    pub fn socket_url_of(&self, database: &str) -> String {
        let host = self.directory.to_string_lossy().replace('/', "%2F");
        let user = self.user();
        format!("postgres://{user}@{host}:{}/{database}", self.port)
    }

    /// What the server has written since its last start.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Crashes it: `kill -9` of the postmaster. Its children see that and end by themselves, a
    /// little later. What was committed is there again after [`Cluster::start_again`], whatever
    /// the options: only a crash of the machine loses what was not synced. Nothing happens if it
    /// is down.
    ///
    /// # Errors
    /// When there is no watchdog any more.
    pub fn kill_9(&self) -> Result<(), Error> {
        let mut life = self.life();
        if let Some(mut server) = life.server.take() {
            postmaster::end_at_once(&mut server);
        }
        life.watchdog.watch(None)
    }

    /// Stops it in good order: open transactions are rolled back, and all that is committed gets
    /// to the disk. Nothing happens if it is down.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop_fast(&self) -> Result<(), Error> {
        let mut life = self.life();
        let Some(server) = &mut life.server else {
            return Ok(());
        };
        postmaster::signal(server, "INT")?;
        if !postmaster::has_ended(server) {
            return Err(self.log.error(PROGRAM, "did not stop"));
        }
        life.server = None;
        life.watchdog.watch(None)
    }

    /// Starts it again on the same port, with what it has on its disk, and waits until it takes
    /// connections. Nothing happens if it is up.
    ///
    /// # Errors
    /// When it does not start, with the end of its log.
    pub fn start_again(&self) -> Result<(), Error> {
        let mut life = self.life();
        if let Some(server) = &mut life.server
            && matches!(server.try_wait(), Ok(None))
        {
            return Ok(());
        }
        life.server = None;
        let attempt = || match run(self.command(), &self.log, &mut life.watchdog) {
            Ok(Started::Ended(log)) if is_in_its_own_way(&log) => None,
            Ok(Started::Ended(_)) => Some(Err(self.log.error(PROGRAM, "did not start again"))),
            Ok(Started::Ready(server)) => Some(Ok(server)),
            Err(error) => Some(Err(error)),
        };
        let started = poll(PATIENCE, attempt);
        let timeout = || Err(self.log.error(PROGRAM, "cannot start again"));
        life.server = Some(started.unwrap_or_else(timeout)?);
        Ok(())
    }

    /// Lets none of its files grow beyond so many bytes from now on, rounded to the middle of a block: to it, its disk is
    /// full. `None` makes room again, and so does a new start. A file that is greater already can be read and overwritten.
    /// With less than 16 MiB there is no room for another segment of its log, which it does not survive. Nothing happens
    /// if it is down.
    ///
    /// # Errors
    /// As [`limit_files`](crate::limit_files).
    pub fn limit_files(&self, bytes: Option<u64>) -> Result<(), Error> {
        match &self.life().server {
            Some(server) => room::limit_server(self.account, server.id(), bytes),
            None => Ok(()),
        }
    }

    /// Stops it in good order and starts it again.
    ///
    /// # Errors
    /// Where [`Cluster::stop_fast`] or [`Cluster::start_again`] fails.
    pub fn restart(&self) -> Result<(), Error> {
        self.stop_fast()?;
        self.start_again()
    }

    /// Ends it at once, as dropping it does, and waits until all that it held is removed.
    pub fn stop(self) {
        let mut life = self.life();
        life.end();
        life.watchdog.wait();
    }

    pub(crate) fn account(&self) -> Account {
        self.account
    }

    fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn command(&self) -> Command {
        command(&self.postgres, self.account, &self.directory, self.port)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.life().end();
    }
}

impl Life {
    fn end(&mut self) {
        self.watchdog.let_go(self.server.take());
    }
}

fn command(postgres: &Path, account: Account, directory: &Path, port: u16) -> Command {
    let mut command = account.command(postgres);
    command.arg("-D").arg(data_in(directory));
    command.arg("-p").arg(port.to_string());
    command
}

fn run(command: Command, log: &Log, watchdog: &mut Watchdog) -> Result<Started, Error> {
    let data = data_in(watchdog.directory());
    postmaster::start(PROGRAM, command, log, watchdog, |child| {
        postmaster::takes_connections(&data, child)
    })
}

/// Whether what remains of the run before is what kept it from starting. That goes by itself:
/// children of a server that was killed end as soon as they notice.
fn is_in_its_own_way(log: &str) -> bool {
    let remains = [
        "Address already in use",
        "pre-existing shared memory block",
        "lock file \"postmaster.pid\" already exists",
    ];
    remains.iter().any(|reason| log.contains(reason))
}
