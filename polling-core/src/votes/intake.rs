//! The bounded queues between the callers and the lanes.

use std::hash::{BuildHasher, RandomState};

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::error::VoteError;
use super::lane::{Answer, Job, Lane};
use super::model::BallotRecord;
use super::repository::Outcome;
use super::twins::Twins;
use crate::StoreError;
use crate::engine::Parts;

/// Where ballots wait for their commit.
#[derive(Debug)]
pub(crate) struct Intake {
    lanes: Vec<mpsc::Sender<Job>>,
    route: RandomState,
}

impl Intake {
    /// Starts the lanes; they end after `shutdown`, when everything accepted is answered.
    pub(crate) fn start(parts: &Parts, shutdown: &CancellationToken) -> Self {
        let lanes = parts
            .settings
            .lanes
            .unwrap_or_else(|| parts.store.votes().lanes())
            .max(1);
        let lanes = (0..lanes).map(|_| {
            let (sender, jobs) =
                mpsc::channel(parts.settings.queue_ballots.min(Semaphore::MAX_PERMITS));
            let lane = Lane {
                parts: parts.clone(),
                jobs,
                shutdown: shutdown.clone(),
                writer: None,
                twins: Twins::default(),
            };
            parts.tasks.spawn(lane.run());
            sender
        });
        Self {
            lanes: lanes.collect(),
            route: RandomState::new(),
        }
    }

    /// Whether every lane takes ballots.
    pub(crate) fn is_open(&self) -> bool {
        self.lanes.iter().all(|lane| !lane.is_closed())
    }

    /// Hands over a ballot, and waits for its outcome. Whoever stops waiting does not take the ballot back.
    pub(super) async fn submit(&self, ballot: BallotRecord) -> Result<Outcome, VoteError> {
        let (answer, outcome) = oneshot::channel();
        let lane = &self.lanes[self.lane(&ballot)];
        lane.try_send(Job { ballot, answer })
            .map_err(|error| match error {
                TrySendError::Full(_) => VoteError::Overloaded,
                TrySendError::Closed(_) => VoteError::ShuttingDown,
            })?;
        answered(outcome).await
    }

    /// Hands over all of these ballots, or none of them; the outcomes come in the same order.
    pub(super) async fn submit_all(
        &self,
        ballots: Vec<BallotRecord>,
    ) -> Result<Vec<Result<Outcome, VoteError>>, VoteError> {
        let lanes: Vec<usize> = ballots.iter().map(|ballot| self.lane(ballot)).collect();
        let mut places = Vec::with_capacity(self.lanes.len());
        for (number, lane) in self.lanes.iter().enumerate() {
            let ballots = lanes.iter().filter(|lane| **lane == number).count();
            // Where one has no room, what was reserved in the others is free again.
            let reserved = lane.try_reserve_many(ballots);
            places.push(reserved.map_err(|error| match error {
                TrySendError::Full(()) => VoteError::Overloaded,
                TrySendError::Closed(()) => VoteError::ShuttingDown,
            })?);
        }
        let mut waiting = Vec::with_capacity(ballots.len());
        for (ballot, lane) in ballots.into_iter().zip(lanes) {
            let (answer, outcome) = oneshot::channel();
            // There is one for each.
            if let Some(place) = places[lane].next() {
                place.send(Job { ballot, answer });
            }
            waiting.push(outcome);
        }
        let mut outcomes = Vec::with_capacity(waiting.len());
        for outcome in waiting {
            outcomes.push(answered(outcome).await);
        }
        Ok(outcomes)
    }

    /// The ballots of a voter in a poll go one road, so that they are decided in the order in which they came. Those of
    /// other voters may go another: while one lane answers, the next one has the store, also where all vote in one poll.
    fn lane(&self, ballot: &BallotRecord) -> usize {
        let lanes = self.lanes.len();
        if lanes == 1 {
            return 0;
        }
        let place = self.route.hash_one((ballot.poll, ballot.voter)) % lanes as u64;
        usize::try_from(place).unwrap_or(0)
    }
}

async fn answered(outcome: oneshot::Receiver<Answer>) -> Result<Outcome, VoteError> {
    // A lane that died without an answer leaves the ballot undecided.
    let answer = outcome
        .await
        .unwrap_or_else(|_| Err(StoreError::unavailable("the lane ended without an answer")));
    Ok(answer?)
}
