//! A lane's own connection, and its batches on it.

use std::sync::Arc;

use async_trait::async_trait;
use deadpool_postgres::ClientWrapper;
use polling_core::votes::{BallotRecord, RecordError, Recorded, VoteWriter};
use tracing::{Instrument, debug_span};

use super::batch::{Batch, Sent};
use super::road::{Road, Roads, Way};
use crate::PgStore;
use crate::error::Failure;

/// Rounds in which what a gate refused is taken out of a batch and the rest is sent again. A poll that refuses for good
/// is out after one; the others may be on the move, so that from the third on each poll has a commit of its own.
const ROUNDS: usize = 8;

/// Owns a connection while it is good; a lost one is replaced with the next batch.
pub(super) struct Writer {
    store: PgStore,
    client: Option<ClientWrapper>,
    road: Road,
    roads: Roads,
}

impl Writer {
    pub(super) fn new(store: PgStore) -> Self {
        Self {
            client: None,
            road: Road::new(),
            roads: store.roads(),
            store,
        }
    }

    async fn try_record(&mut self, ballots: &[BallotRecord]) -> Result<Recorded, RecordError> {
        let client = match self.client.take() {
            Some(client) if !client.is_closed() => client,
            _ => self.store.database().take().await?,
        };
        let mut batch = Batch::new(ballots);
        let way = if self.roads.expects_conflicts {
            Way::Mixed
        } else {
            self.road.way()
        };
        let recorded = record(&client, &self.store, &mut batch, (way, self.roads));
        match self.store.database().in_time(recorded).await {
            Ok(()) => {
                self.client = Some(client);
                self.road.learn(ballots.len(), batch.rows_met());
                Ok(batch.finish()?)
            }
            Err(failure) => {
                // A lost statement may still be under way: only an insert waits for its rows, a look-up does not.
                self.road = Road::new();
                if failure.refuses_copies() {
                    self.roads.copy_from = usize::MAX;
                }
                if !failure.ends_connection() {
                    self.client = Some(client);
                }
                if batch.has_begun() || matches!(failure, Failure::Row(_)) {
                    // Some of it is there, which its ids will tell when it is sent again.
                    return Err(RecordError::Lost(failure.into()));
                }
                Err(failure.into())
            }
        }
    }
}

#[async_trait]
impl VoteWriter for Writer {
    async fn record(&mut self, batch: Arc<[BallotRecord]>) -> Result<Recorded, RecordError> {
        let span = debug_span!("db.votes.record", ballots = batch.len());
        self.try_record(&batch).instrument(span).await
    }
}

async fn record(
    client: &ClientWrapper,
    store: &PgStore,
    batch: &mut Batch<'_>,
    (way, roads): (Way, Roads),
) -> Result<(), Failure> {
    let sql = &store.sql().votes;
    let whole = batch.whole();
    let mut groups = match way {
        Way::New => match batch.send_new(client, sql, &whole, roads).await? {
            Sent::All => return Ok(()),
            Sent::Conflict => vec![whole],
            // It would refuse the batch again.
            Sent::Refused => Batch::merge(batch.look_up(client, sql, &whole.places).await?),
        },
        Way::Mixed => vec![whole],
        Way::Known => Batch::merge(batch.look_up(client, sql, &whole.places).await?),
    };
    for round in 0..ROUNDS {
        let mut undecided = Vec::new();
        for group in &groups {
            undecided.extend(batch.send(client, sql, group).await?);
        }
        if undecided.is_empty() {
            return Ok(());
        }
        batch.sort(&mut undecided);
        groups = batch.look_up(client, sql, &undecided).await?;
        if round == 0 {
            groups = Batch::merge(groups);
        }
    }
    Err(Failure::Restless)
}
