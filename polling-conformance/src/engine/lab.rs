//! An engine on the store under test, with a clock to move.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use polling_core::polls::{Status, Voters};
use polling_core::results::{Subscription, Update, Viewer, WatchEnd};
use polling_core::votes::VoteError;
use polling_core::{
    Actor, Ballot, BallotId, Code, Engine, FakeClock, Fault, NewPoll, PollId, PollView, Receipt,
    Repository, Results, SeededIds, Settings, Voter,
};

/// Nobody in particular.
pub(crate) static ANYONE: Actor = Actor::anonymous();

pub(crate) struct Lab {
    pub(crate) engine: Engine,
    pub(crate) clock: FakeClock,
    pub(crate) store: Arc<dyn Repository>,
}

/// No two engines of a test make the same ids.
static SEEDS: AtomicU64 = AtomicU64::new(1);

impl Lab {
    /// An engine with the default settings, but that viewers are told at once: else they would wait for a clock that
    /// stands still.
    pub(crate) async fn on(store: Arc<dyn Repository>) -> Self {
        Self::with(store, |_| ()).await
    }

    pub(crate) async fn with(store: Arc<dyn Repository>, set: impl FnOnce(&mut Settings)) -> Self {
        Self::at(store, FakeClock::default(), set).await
    }

    pub(crate) async fn at(
        store: Arc<dyn Repository>,
        clock: FakeClock,
        set: impl FnOnce(&mut Settings),
    ) -> Self {
        let mut settings = Settings::default();
        settings.push_interval = Duration::ZERO;
        // However far the clock is moved while the store is at work.
        settings.answer_within = Duration::from_secs(1 << 30);
        set(&mut settings);
        let engine = Engine::builder(Arc::clone(&store))
            .clock(clock.clone())
            .ids(SeededIds::new(SEEDS.fetch_add(1 << 40, Ordering::Relaxed)))
            .settings(settings)
            .build()
            .await
            .unwrap();
        Self {
            engine,
            clock,
            store,
        }
    }

    /// Another server of the same store, at the same time.
    pub(crate) async fn another(&self) -> Self {
        Self::at(Arc::clone(&self.store), self.clock.clone(), |_| ()).await
    }

    pub(crate) async fn create(&self, new: NewPoll) -> PollView {
        self.engine
            .polls()
            .create(&Actor::System, new)
            .await
            .unwrap()
    }

    /// An open poll of [`tea`].
    pub(crate) async fn open(&self) -> PollView {
        self.create(tea().published()).await
    }

    /// A poll of [`tea`] in this status, whose results nobody has touched. Its end is 100 s after its beginning, and the
    /// clock stands where the status says.
    pub(crate) async fn in_status(&self, status: Status, new: NewPoll) -> PollView {
        let now = polling_core::Clock::now(&self.clock);
        let seconds = |seconds| now.after(Duration::from_secs(seconds));
        let new = if status == Status::Scheduled {
            new.opens_at(seconds(50))
        } else {
            new
        };
        let new = if status == Status::Draft {
            new
        } else {
            new.published()
        };
        let poll = self.create(new.closes_at(seconds(100))).await;
        match status {
            Status::Draft | Status::Scheduled | Status::Open => {}
            Status::Closing => {
                self.clock.advance(Duration::from_secs(100));
                self.reached(poll.id, Status::Closing).await;
            }
            Status::Closed => {
                let closed = self.engine.polls().close(&Actor::System, poll.id).await;
                return closed.unwrap();
            }
        }
        let poll = self.read(poll.id).await;
        assert_eq!(poll.status, status);
        poll
    }

    /// Waits until the poll has this status.
    pub(crate) async fn reached(&self, poll: PollId, status: Status) -> Results {
        let mut live = self.subscribe(&Actor::System, poll, None).await;
        loop {
            let results = results(live.update().await);
            if results.status == status {
                return results;
            }
        }
    }

    pub(crate) async fn read(&self, poll: PollId) -> PollView {
        self.engine
            .polls()
            .read(&Actor::System, poll, None)
            .await
            .unwrap()
    }

    /// Casts a vote as a client without an account does.
    pub(crate) async fn vote(
        &self,
        poll: PollId,
        voter: &str,
        positions: &[u8],
    ) -> Result<Receipt, VoteError> {
        let ballot = ballot(poll, voter, positions);
        self.engine.votes().cast(&ANYONE, ballot).await
    }

    pub(crate) async fn cast(&self, ballot: Ballot) -> Result<Receipt, VoteError> {
        self.engine.votes().cast(&ANYONE, ballot).await
    }

    pub(crate) async fn change(&self, ballot: Ballot) -> Result<Receipt, VoteError> {
        self.engine.votes().change(&ANYONE, ballot).await
    }

    pub(crate) async fn withdraw(&self, poll: PollId, voter: &str) -> Result<(), VoteError> {
        let voter = Voter::anyone(voter);
        self.engine.votes().withdraw(&ANYONE, poll, &voter).await
    }

    /// The results as the store has them now, after they were found to agree with a recount.
    pub(crate) async fn proven(&self, poll: PollId) -> Results {
        let (system, service) = (&Actor::System, self.engine.results());
        let recount = service.recount(system, poll).await.unwrap();
        assert!(recount.agrees(), "the counters are wrong: {recount:?}");
        assert_eq!(self.store.results().orphans().await.unwrap(), 0);
        let snapshot = service.read(system, poll, None).await.unwrap();
        snapshot.results().clone()
    }

    pub(crate) async fn subscribe(
        &self,
        actor: &Actor,
        poll: PollId,
        voter: Option<&str>,
    ) -> Subscription {
        let viewer = Viewer::default().voter(voter.map(Voter::anyone));
        let service = self.engine.results();
        service.subscribe(actor, poll, viewer).await.unwrap()
    }

    /// What a viewer is told while time goes by: every second each server reads the store again.
    pub(crate) async fn told_in_time(&self, viewer: &mut Subscription) -> Update {
        loop {
            tokio::select! {
                biased;
                told = viewer.update() => return told,
                () = tokio::task::yield_now() => self.advance(1),
            }
        }
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

/// A draft in which everybody may choose one of three.
pub(crate) fn tea() -> NewPoll {
    NewPoll::single("Tea or coffee?", ["Tea", "Coffee", "Water"]).voters(Voters::Anyone)
}

/// A draft in which everybody may choose from two to three of four.
pub(crate) fn toppings() -> NewPoll {
    NewPoll::multiple("On top?", ["Salt", "Oil", "Basil", "Nothing"], 2, 3).voters(Voters::Anyone)
}

pub(crate) fn ballot(poll: PollId, voter: &str, positions: &[u8]) -> Ballot {
    Ballot::of(poll, Voter::anyone(voter), positions.iter().copied())
}

/// The ballot id with this number.
pub(crate) fn ballot_id(number: u8) -> BallotId {
    BallotId::from_bytes([number; 16])
}

/// The votes of each option, in order.
pub(crate) fn votes(results: &Results) -> Vec<u64> {
    results.options.iter().map(|option| option.votes).collect()
}

/// The code of what was refused.
#[track_caller]
pub(crate) fn refused<T: Debug>(result: Result<T, impl Fault>) -> Code {
    match result {
        Err(error) => error.code(),
        Ok(value) => panic!("was to be refused: {value:?}"),
    }
}

/// The results that a viewer is told.
#[track_caller]
pub(crate) fn results(update: Update) -> Results {
    match update {
        Update::Results(snapshot) => snapshot.results().clone(),
        other => panic!("results were to come: {other:?}"),
    }
}

#[track_caller]
pub(crate) fn hidden(update: Update) {
    match update {
        Update::Hidden => {}
        other => panic!("the results were to be hidden: {other:?}"),
    }
}

#[track_caller]
pub(crate) fn end(update: Update) -> WatchEnd {
    match update {
        Update::Ended(end) => end,
        other => panic!("the end was to come: {other:?}"),
    }
}
