//! The bounded queues between the callers and the lanes.
//!
//! A request with many ballots has places for all of them, or is refused. But it hands them over in turns: of all requests
//! together only a bounded number of ballots stands in a queue, so that a single ballot waits behind no more than those,
//! however many requests there are and however large they are.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::error::VoteError;
use super::lane::Lane;
use super::model::BallotRecord;
use super::recorder::Recorder;
use super::reply::{Answer, Reply, Tray, or_unknown};
use super::repository::Outcome;
use super::shares::{Shares, Slot};
use super::voter::VoterKey;
use super::waiting::{Job, Waiting};
use crate::PollId;
use crate::engine::Parts;

/// A poll is hot while a quarter of a batch waits in its lane: by measure, from an eighth to the whole.
const HOT_PART: usize = 4;

/// So many turns may stand in a queue: one is being taken out while the next one is there.
const TURNS_IN_QUEUE: usize = 2;

/// Where ballots wait for their commit.
#[derive(Debug)]
pub(crate) struct Intake {
    lanes: Vec<Queue>,
    hasher: RandomState,
    hot_from: usize,
    turn_ballots: usize,
}

/// The way into one lane.
#[derive(Debug)]
struct Queue {
    jobs: mpsc::Sender<Job>,
    shares: Arc<Shares>,
}

/// Places in a queue; those that are not used are free again.
struct Places<'a> {
    permits: mpsc::PermitIterator<'a, Job>,
    shares: &'a Shares,
    slot: Slot,
}

impl Queue {
    /// So many places for ballots of a poll, or none.
    fn reserve(&self, slot: Slot, ballots: usize) -> Result<Places<'_>, VoteError> {
        if self.jobs.is_closed() {
            return Err(VoteError::ShuttingDown);
        }
        if !self.shares.enter(slot, ballots, self.jobs.capacity()) {
            return Err(VoteError::Overloaded);
        }
        match self.jobs.try_reserve_many(ballots) {
            Ok(permits) => Ok(Places {
                permits,
                shares: &self.shares,
                slot,
            }),
            Err(refused) => {
                self.shares.leave(slot, ballots);
                Err(match refused {
                    TrySendError::Full(()) => VoteError::Overloaded,
                    TrySendError::Closed(()) => VoteError::ShuttingDown,
                })
            }
        }
    }
}

impl Places<'_> {
    /// There is a place for each ballot that some were reserved for.
    fn send(&mut self, ballot: BallotRecord, reply: Reply) {
        if let Some(permit) = self.permits.next() {
            let slot = self.slot;
            permit.send(Job {
                ballot,
                slot,
                reply,
            });
        }
    }

    /// Sends the ballots of a request in its turns. Where the lane has ended, the others are dropped without an answer.
    async fn send_in_turns(
        mut self,
        mut ballots: impl ExactSizeIterator<Item = (BallotRecord, Reply)>,
        turn_ballots: usize,
    ) {
        while ballots.len() > 0 {
            let now = ballots.len().min(turn_ballots);
            let turns = u32::try_from(now).unwrap_or(u32::MAX);
            match self.shares.turns.acquire_many(turns).await {
                // The lane gives them back when it takes the ballots out of the queue.
                Ok(turn) => turn.forget(),
                Err(_) => return,
            }
            for (ballot, reply) in ballots.by_ref().take(now) {
                self.send(ballot, reply);
            }
        }
    }
}

impl Drop for Places<'_> {
    fn drop(&mut self) {
        self.shares.leave(self.slot, self.permits.len());
    }
}

impl Intake {
    /// Starts the lanes; they end after `shutdown`, when everything accepted is answered.
    pub(crate) fn start(parts: &Parts, shutdown: &CancellationToken) -> Self {
        let lanes = parts
            .settings
            .lanes
            .unwrap_or_else(|| parts.store.votes().lanes())
            .max(1);
        // No more than there are places for.
        let turn_ballots = parts
            .settings
            .turn_ballots
            .unwrap_or_else(|| parts.store.votes().turn_ballots())
            .clamp(1, parts.settings.queue_ballots);
        let turns = turn_ballots.saturating_mul(TURNS_IN_QUEUE);
        let turns = turns.min(Semaphore::MAX_PERMITS);
        let lanes = (0..lanes).map(|_| {
            let places = parts.settings.queue_ballots.min(Semaphore::MAX_PERMITS);
            let (sender, jobs) = mpsc::channel(places);
            let shares = Arc::new(Shares::new(turns));
            let lane = Lane {
                parts: parts.clone(),
                waiting: Waiting::new(parts, jobs, Arc::clone(&shares), shutdown.clone()),
                recorder: Recorder::new(parts.clone()),
            };
            parts.tasks.spawn(lane.run());
            Queue {
                jobs: sender,
                shares,
            }
        });
        Self {
            lanes: lanes.collect(),
            hasher: RandomState::new(),
            hot_from: parts.settings.batch_ballots.div_ceil(HOT_PART),
            turn_ballots,
        }
    }

    /// Whether every lane takes ballots.
    pub(crate) fn is_open(&self) -> bool {
        self.lanes.iter().all(|lane| !lane.jobs.is_closed())
    }

    /// Hands over a ballot, and waits for its outcome. Whoever stops waiting does not take the ballot back.
    pub(super) async fn submit(&self, ballot: BallotRecord) -> Result<Outcome, VoteError> {
        let (caller, outcome) = oneshot::channel();
        let route = self.route(ballot.poll, 1);
        let queue = &self.lanes[self.lane(&route, &ballot.voter)];
        let mut place = queue.reserve(route.slot, 1)?;
        place.send(ballot, Reply::Caller(caller));
        drop(place);
        Ok(or_unknown(outcome.await.ok())?)
    }

    /// Whether these are handed over in more than one turn. Then whoever stops waiting in between would take back the ballots
    /// of the other turns: [`submit_all`](Self::submit_all) has to run as a task of its own.
    pub(super) const fn takes_turns(&self, ballots: usize) -> bool {
        ballots > self.turn_ballots
    }

    /// Hands over all of these ballots of a poll, or none of them; the answers come in the same order.
    pub(super) async fn submit_all(
        &self,
        ballots: Vec<BallotRecord>,
    ) -> Result<Vec<Answer>, VoteError> {
        let Some(first) = ballots.first() else {
            return Ok(Vec::new());
        };
        let route = self.route(first.poll, ballots.len());
        let (tray, answers) = Tray::new(ballots.len());
        let seated = ballots.into_iter().enumerate();
        let seated = seated.map(|(place, ballot)| (ballot, Reply::Request(tray.seat(place))));
        if route.is_hot {
            let mut of_lanes: Vec<Vec<_>> = self.lanes.iter().map(|_| Vec::new()).collect();
            for (ballot, reply) in seated {
                of_lanes[self.lane(&route, &ballot.voter)].push((ballot, reply));
            }
            let mut places = Vec::with_capacity(self.lanes.len());
            for (queue, ballots) in self.lanes.iter().zip(&of_lanes) {
                // Where one has no room, what was reserved in the others is free again.
                places.push(queue.reserve(route.slot, ballots.len())?);
            }
            let turns = places.into_iter().zip(of_lanes);
            join_all(turns.map(|(places, ballots)| {
                places.send_in_turns(ballots.into_iter(), self.turn_ballots)
            }))
            .await;
        } else {
            let places = self.lanes[route.home].reserve(route.slot, seated.len())?;
            places.send_in_turns(seated, self.turn_ballots).await;
        }
        // Whoever held a seat has answered, or dropped it, before the tray goes.
        let answers = answers.await.unwrap_or_default();
        Ok(answers.into_iter().map(or_unknown).collect())
    }

    /// Where so many ballots of this poll go.
    ///
    /// A poll has a lane of its own, so that lanes do not wait for one another at its gate, which is held until the commit
    /// is on disk. While a good part of a batch waits there, its ballots go to all lanes: by then it is the processor that
    /// limits, and not the wait. The ballots of a voter go one road then too, and are decided in the order in which they
    /// came; where the road changes between two of them, which were not answered yet, the store decides which was first.
    fn route(&self, poll: PollId, ballots: usize) -> Route {
        let hash = self.hasher.hash_one(poll);
        let (slot, home) = (Slot::of(hash), pick(hash >> 32, self.lanes.len()));
        let waiting = self.lanes[home].shares.waiting(slot);
        Route {
            slot,
            home,
            is_hot: self.lanes.len() > 1 && waiting + ballots >= self.hot_from,
        }
    }

    fn lane(&self, route: &Route, voter: &VoterKey) -> usize {
        if route.is_hot {
            pick(self.hasher.hash_one(voter), self.lanes.len())
        } else {
            route.home
        }
    }
}

/// The way of a poll's ballots.
struct Route {
    slot: Slot,
    /// The lane that is the poll's own.
    home: usize,
    /// Whether they go to all lanes.
    is_hot: bool,
}

fn pick(hash: u64, lanes: usize) -> usize {
    usize::try_from(hash % lanes as u64).unwrap_or(0)
}
