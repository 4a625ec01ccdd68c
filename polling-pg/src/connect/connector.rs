//! Connections, one attempt at a time or until there is one.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use deadpool::managed::{Manager, Metrics, RecycleError, RecycleResult};
use deadpool_postgres::ClientWrapper;
use tokio::time::Instant;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;
use tracing::{debug, info, warn};

use super::error::Chain;
use super::hosts::Host;
use super::{Backoff, ConnectError, ConnectOptions};

/// What drives a connection; it must be polled for the client to get anywhere.
pub(crate) type Connection =
    tokio_postgres::Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// While a server is waited for, one line in this time says so.
const WAITING_LINE: Duration = Duration::from_secs(5);

/// Connects as the options say. A clone is cheap, and connects in the same way.
#[derive(Clone)]
pub(crate) struct Connector {
    shared: Arc<Shared>,
}

struct Shared {
    options: ConnectOptions,
    places: Vec<(Host, Config)>,
    tls: MakeRustlsConnect,
}

impl Connector {
    /// Reads the files that the options name.
    pub(crate) fn new(options: ConnectOptions) -> Result<Self, ConnectError> {
        let tls = options.tls.connector()?;
        let places = options.hosts.iter();
        let places = places.map(|host| Ok((host.clone(), options.config_for(host)?)));
        Ok(Self {
            shared: Arc::new(Shared {
                places: places.collect::<Result<_, ConnectError>>()?,
                options,
                tls,
            }),
        })
    }

    /// Where it connects to, for people.
    pub(crate) fn options(&self) -> &ConnectOptions {
        &self.shared.options
    }

    /// One attempt at each host, until one lets us in or says why it never will. Of several errors the one is told that
    /// says most: that somebody was there, or else the first.
    pub(crate) async fn connect(&self) -> Result<(Client, Connection), ConnectError> {
        let mut telling = None;
        for (host, config) in self.places() {
            let error = match self.attempt_at(host, config).await {
                Err(error) if error.heals() => error,
                ended => return ended,
            };
            debug!(error = %Chain(&error), "there is no connection to this host now");
            let says_little = matches!(error, ConnectError::Unreachable { .. });
            if telling.is_none() || !says_little {
                telling = Some(error);
            }
        }
        Err(telling.unwrap_or_else(|| ConnectError::setup("there is no host to connect to")))
    }

    /// A client whose connection runs by itself, and ends when the client is dropped.
    pub(crate) async fn open(&self) -> Result<Client, ConnectError> {
        let (client, connection) = self.connect().await?;
        tokio::spawn(drive(connection));
        Ok(client)
    }

    /// As [`Self::open`], again and again for `patience` while the server may still come.
    pub(crate) async fn wait(&self, patience: Duration) -> Result<Client, ConnectError> {
        let begun = Instant::now();
        let mut backoff = Backoff::default();
        let mut said: Option<Instant> = None;
        loop {
            let error = match self.open().await {
                Ok(client) => {
                    if said.is_some() {
                        info!(target = %self.options(), waited_ms = millis(begun), "PostgreSQL is there");
                    }
                    return Ok(client);
                }
                Err(error) => error,
            };
            // After a try that failed there is always a pause, else a server that is refused would be asked in a loop.
            let pause = backoff.after_failure();
            if !error.heals() || begun.elapsed() + pause > patience {
                return Err(error);
            }
            if said.is_none_or(|said| said.elapsed() >= WAITING_LINE) {
                warn!(
                    target = %self.options(),
                    error = %Chain(&error),
                    waited_ms = millis(begun),
                    patience_ms = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX),
                    "waiting for PostgreSQL"
                );
                said = Some(Instant::now());
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn attempt_at(
        &self,
        host: &Host,
        config: &Config,
    ) -> Result<(Client, Connection), ConnectError> {
        let options = &self.shared.options;
        let connecting = config.connect(self.shared.tls.clone());
        let connected = match options.connect_timeout {
            None => connecting.await,
            Some(after) => tokio::time::timeout(after, connecting).await.map_err(|_| {
                ConnectError::TimedOut {
                    target: host.to_string(),
                    after,
                }
            })?,
        };
        connected.map_err(|error| ConnectError::of(options, host.to_string(), error))
    }

    /// The places in the order in which they are tried.
    fn places(&self) -> impl Iterator<Item = &(Host, Config)> {
        let places = &self.shared.places;
        let first = if self.shared.options.any_order {
            // A hasher's seed is all the randomness that this needs.
            let random = RandomState::new().hash_one(0);
            usize::try_from(random % places.len() as u64).unwrap_or(0)
        } else {
            0
        };
        let (before, after) = places.split_at(first);
        after.iter().chain(before)
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connector").field(self.options()).finish()
    }
}

/// Runs a connection to its end, which the client's owner hears of from the client.
async fn drive(connection: Connection) {
    match connection.await {
        Ok(()) => debug!("a connection to PostgreSQL was closed"),
        Err(error) => debug!(%error, "a connection to PostgreSQL was lost"),
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// A `deadpool::managed::Pool<Connector>` keeps connections and lends them, each with the statements that it has prepared.
impl Manager for Connector {
    type Type = ClientWrapper;
    type Error = ConnectError;

    async fn create(&self) -> Result<ClientWrapper, ConnectError> {
        let (client, connection) = self.connect().await?;
        Ok(ClientWrapper::new(client, tokio::spawn(drive(connection))))
    }

    /// Asks nothing of the server: a connection that was lost is known to be, and one that is lost on the way to the
    /// server fails as one that is lost on the way back does.
    async fn recycle(
        &self,
        client: &mut ClientWrapper,
        _: &Metrics,
    ) -> RecycleResult<ConnectError> {
        if client.is_closed() {
            return Err(RecycleError::message("the connection was lost"));
        }
        Ok(())
    }
}
