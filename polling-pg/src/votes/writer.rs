//! A lane's own connection, and its batches on it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::ClientWrapper;
use polling_core::PollId;
use polling_core::votes::{BallotRecord, RecordError, Recorded, VoteWriter};
use tokio::time::Instant;
use tracing::{Instrument, debug, debug_span};
use uuid::Uuid;

use super::batch::{Batch, Sent};
use super::held;
use super::road::{Road, Roads, Way};
use crate::PgStore;
use crate::columns::{self, Params};
use crate::database::query;
use crate::error::Failure;

/// Rounds in which what a gate refused is taken out of a batch and the rest is sent again. A poll that refuses for good
/// is out after one; the others may be on the move, so that from the third on each poll has a commit of its own.
const ROUNDS: usize = 8;

/// For so long after a batch was held up, and nobody could say by whom, the next ones wait for this part of the time: while it
/// is found out whose ballots are, one part of the batch after the other waits.
const WARY_FOR: Duration = Duration::from_secs(1);
const WARY_PART: u32 = 8;

/// Owns a connection while it is good; a lost one is replaced with the next batch.
pub(super) struct Writer {
    store: PgStore,
    session: Option<Session>,
    road: Road,
    roads: Roads,
    /// Whether it waits for gates before it writes, because that is what its ballots are here for.
    is_patient: bool,
    /// How often it has waited for one of several gates.
    turns: usize,
    wary_until: Option<Instant>,
}

/// A connection, and for how long it waits for a lock, where that is set.
struct Session {
    client: ClientWrapper,
    lock_wait: Option<Duration>,
}

impl Writer {
    pub(super) fn new(store: PgStore) -> Self {
        Self {
            session: None,
            road: Road::new(),
            roads: store.roads(),
            store,
            is_patient: false,
            turns: 0,
            wary_until: None,
        }
    }

    pub(super) fn patient(store: PgStore) -> Self {
        Self {
            is_patient: true,
            ..Self::new(store)
        }
    }

    async fn try_record(&mut self, ballots: &[BallotRecord]) -> Result<Recorded, RecordError> {
        let session = self.session().await?;
        let client = &session.client;
        let database = self.store.database();
        if self.is_patient {
            let polls = polls(ballots);
            let waits = held::wait(client, &self.store.sql().votes, &polls, self.turns);
            match database.in_time(waits).await {
                Ok(are_held) if are_held.is_empty() => {}
                Ok(are_held) => {
                    self.turns += 1;
                    let cause = Failure::Held;
                    return Err(self.blocked(session, are_held, cause).await);
                }
                Err(failure) => return Err(failure.into()),
            }
        }
        let mut batch = Batch::new(ballots);
        let way = if self.roads.expects_conflicts {
            Way::Mixed
        } else {
            self.road.way()
        };
        let recorded = record(client, &self.store, &mut batch, (way, self.roads));
        match database.in_time(recorded).await {
            Ok(()) => {
                self.session = Some(session);
                self.road.learn(ballots.len(), batch.rows_met());
                Ok(batch.finish()?)
            }
            Err(failure) if failure.is_held_up() => {
                let polls = polls(ballots);
                let find = held::held(client, &self.store.sql().votes, &polls);
                // Where that fails, too, it is not known whose ballots have to wait.
                let are_held = database.in_time(find).await.unwrap_or_default();
                Err(self.blocked(session, are_held, failure).await)
            }
            Err(failure) => {
                // A lost statement may still be under way: only an insert waits for its rows, a look-up does not.
                self.road = Road::new();
                if failure.refuses_copies() {
                    self.roads.copy_from = usize::MAX;
                }
                if !failure.ends_connection() {
                    self.session = Some(session);
                }
                if batch.has_begun() || matches!(failure, Failure::Row(_)) {
                    // Some of it is there, which its ids will tell when it is sent again.
                    return Err(RecordError::Lost(failure.into()));
                }
                Err(failure.into())
            }
        }
    }

    /// A connection that waits for locks for as long as it should now.
    async fn session(&mut self) -> Result<Session, Failure> {
        let database = self.store.database();
        let mut session = match self.session.take() {
            Some(session) if !session.client.is_closed() => session,
            _ => Session {
                client: database.take().await?,
                lock_wait: None,
            },
        };
        let waits = database.waits();
        let is_wary = self.wary_until.is_some_and(|until| Instant::now() < until);
        let lock_wait = if is_wary && !self.is_patient {
            (waits.lock / WARY_PART).max(Duration::from_millis(1))
        } else {
            waits.lock
        };
        if session.lock_wait != Some(lock_wait) {
            let sql = &self.store.sql().votes.set_waits;
            let [lock, frozen] =
                [lock_wait, waits.frozen].map(|wait| format!("{}ms", wait.as_millis()));
            let values: &Params<'_> = &[&lock, &frozen];
            database
                .in_time(query(&session.client, sql, values))
                .await?;
            session.lock_wait = Some(lock_wait);
        }
        Ok(session)
    }

    /// Something is held that ballots of these polls need, or of any, where there are none.
    async fn blocked(
        &mut self,
        session: Session,
        polls: Vec<PollId>,
        failure: Failure,
    ) -> RecordError {
        if polls.is_empty() {
            self.wary_until = Some(Instant::now() + WARY_FOR);
        }
        let database = self.store.database();
        let sql = &self.store.sql().votes;
        let ended = held::end_frozen(&session.client, sql, database.waits().frozen);
        match database.in_time(ended).await {
            Ok(()) => self.session = Some(session),
            Err(error) => debug!(error = %error, "nothing could be found out about who holds it"),
        }
        RecordError::Blocked {
            polls,
            source: failure.into(),
        }
    }
}

/// The polls of a batch, each once.
fn polls(ballots: &[BallotRecord]) -> Vec<Uuid> {
    let polls: BTreeSet<PollId> = ballots.iter().map(|ballot| ballot.poll).collect();
    polls.into_iter().map(columns::poll).collect()
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
