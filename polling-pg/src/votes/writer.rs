//! A lane's own connection, and its batches on it.

use std::sync::Arc;

use async_trait::async_trait;
use deadpool_postgres::ClientWrapper;
use polling_core::votes::{BallotRecord, RecordError, Recorded, VoteWriter};
use tracing::{Instrument, debug_span};

use super::batch::{Batch, Sent};
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
}

/// Whether batches are sent as ballots of voters who have none. That is faster while it is so, and costs a statement when it
/// is not.
#[derive(Debug)]
struct Road {
    /// Batches in a row that would have gone through as new.
    new_in_a_row: u32,
}

/// After so many of them the next batch is sent as new.
const SURE_AFTER: u32 = 8;

impl Road {
    const fn expects_new(&self) -> bool {
        self.new_in_a_row >= SURE_AFTER
    }

    fn learn(&mut self, was_new: bool) {
        self.new_in_a_row = if was_new {
            self.new_in_a_row.saturating_add(1)
        } else {
            0
        };
    }
}

impl Writer {
    pub(super) const fn new(store: PgStore) -> Self {
        Self {
            store,
            client: None,
            road: Road {
                new_in_a_row: SURE_AFTER,
            },
        }
    }

    async fn try_record(&mut self, ballots: &[BallotRecord]) -> Result<Recorded, RecordError> {
        let client = match self.client.take() {
            Some(client) if !client.is_closed() => client,
            _ => self.store.database().take().await?,
        };
        let mut batch = Batch::new(ballots);
        let recorded = record(&client, &self.store, &mut batch, &mut self.road);
        match self.store.database().in_time(recorded).await {
            Ok(()) => {
                self.client = Some(client);
                Ok(batch.finish())
            }
            Err(failure) => {
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
    road: &mut Road,
) -> Result<(), Failure> {
    let sql = &store.sql().votes;
    let mut is_telling = true;
    if !store.expects_conflicts() && road.expects_new() {
        match batch.send_new(client, sql).await? {
            Sent::All => return Ok(()),
            Sent::Conflict => {}
            // What a gate refuses says nothing about who has voted.
            Sent::Refused => is_telling = false,
        }
    }
    let mut groups = vec![batch.whole()];
    for round in 0..ROUNDS {
        let mut undecided = Vec::new();
        for group in &groups {
            undecided.extend(batch.send(client, sql, group).await?);
        }
        if round == 0 && is_telling {
            road.learn(undecided.is_empty());
        }
        if undecided.is_empty() {
            return Ok(());
        }
        groups = batch.look_up(client, sql, &undecided).await?;
        if groups.is_empty() {
            return Ok(());
        }
        if round == 0 {
            groups = Batch::merge(groups);
        }
    }
    Err(Failure::Restless)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_road_that_met_a_row_is_taken_again_after_a_while_without_one() {
        let mut road = Road {
            new_in_a_row: SURE_AFTER,
        };
        assert!(road.expects_new());
        road.learn(false);
        for _ in 0..SURE_AFTER {
            assert!(!road.expects_new());
            road.learn(true);
        }
        assert!(road.expects_new());
    }
}
