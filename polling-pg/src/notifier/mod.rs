//! How the servers of a database tell each other what moved: `NOTIFY` and `LISTEN` on a channel of the schema.
//!
//! A notification is a transaction of its own: within that of a batch it would line up all commits one behind the other.

mod packs;

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::poll_fn;
use futures_util::stream::unfold;
use polling_core::results::{Hint, Hints, ResultsNotifier};
use polling_core::{StoreError, log_each_second};
use tokio::sync::mpsc;
use tokio_postgres::{AsyncMessage, Client};
use tracing::{debug, debug_span};

use crate::PgStore;
use crate::connect::{Connection, Connector};

/// Notifications that a subscriber may be behind; what it misses it reads from the store.
const BACKLOG: usize = 1_024;

/// The notifier of a PostgreSQL store.
#[derive(Clone, Debug)]
pub struct PgNotifier {
    store: PgStore,
}

impl PgNotifier {
    /// Tells the servers that use the same database and schema as this store.
    #[must_use]
    pub const fn of(store: PgStore) -> Self {
        Self { store }
    }
}

#[async_trait]
impl ResultsNotifier for PgNotifier {
    async fn announce(&self, hints: &[Hint]) -> Result<(), StoreError> {
        let packs = packs::pack(hints);
        let span = debug_span!(
            "db.notifier.announce",
            hints = hints.len(),
            packs = packs.len()
        );
        let sql = &self.store.sql().store.notify;
        let channel = self.store.schema().channel();
        self.store
            .database()
            .write(span, sql, &[&channel, &packs])
            .await?;
        Ok(())
    }

    async fn subscribe(&self) -> Result<Hints, StoreError> {
        let Some(connector) = self.store.listener() else {
            debug!(
                "there is no connection to listen on: the store is read again, and nothing is heard"
            );
            return Ok(Box::pin(futures_util::stream::pending()));
        };
        let listening = listen(connector, &self.store.schema().channel()).await;
        let heard = listening.map_err(StoreError::unavailable)?;
        Ok(Box::pin(unfold(heard, async |mut heard| {
            let hints = heard.hints.recv().await?;
            Some((hints, heard))
        })))
    }
}

/// A session that listens while this is held.
struct Heard {
    hints: mpsc::Receiver<Arc<[Hint]>>,
    _client: Client,
}

async fn listen(connector: &Connector, channel: &str) -> Result<Heard, polling_core::Cause> {
    let (client, connection) = connector.connect().await?;
    let (sender, hints) = mpsc::channel(BACKLOG);
    tokio::spawn(hear(connection, sender));
    client
        .batch_execute(&format!("LISTEN \"{channel}\""))
        .await?;
    Ok(Heard {
        hints,
        _client: client,
    })
}

/// Drives a connection to its end, and hands on what is heard. The stream ends with the connection, and the connection
/// with the stream.
async fn hear(mut connection: Connection, hints: mpsc::Sender<Arc<[Hint]>>) {
    while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
        match message {
            Ok(AsyncMessage::Notification(heard)) => {
                let pack = packs::unpack(heard.payload());
                if !pack.is_empty() && hints.try_send(pack.into()).is_err() {
                    debug!("a subscriber is behind; what it misses it reads from the store");
                }
            }
            Ok(_) => {}
            Err(error) => {
                log_each_second!(
                    warn,
                    "the connection that listens was lost",
                    error = %error
                );
                return;
            }
        }
    }
}
