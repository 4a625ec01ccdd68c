//! An engine goes by the clock of its store, where that has one; and uses the notifier that the store brings.

#![expect(
    clippy::unwrap_used,
    reason = "everything here is a test, where an unexpected answer ends the run"
)]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use polling_core::polls::PollRepository;
use polling_core::results::{LocalNotifier, ResultsNotifier, ResultsRepository, Update, Viewer};
use polling_core::users::UserRepository;
use polling_core::votes::VoteRepository;
use polling_core::{
    Actor, Ballot, BuildError, Clock, Engine, FakeClock, NewPoll, Repository, Settings, StoreError,
    SystemClock, Timestamp, Voter,
};
use polling_sqlite::SqliteStore;

/// As a database server is: with a clock and a notifier of its own.
#[derive(Clone)]
struct Server {
    store: SqliteStore,
    notifier: LocalNotifier,
    /// How far its clock is ahead of the computer's; `None` where it cannot be asked.
    ahead: Option<Duration>,
}

#[async_trait]
impl Repository for Server {
    fn polls(&self) -> &dyn PollRepository {
        self.store.polls()
    }

    fn votes(&self) -> &dyn VoteRepository {
        self.store.votes()
    }

    fn results(&self) -> &dyn ResultsRepository {
        self.store.results()
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }

    fn users(&self) -> Option<&dyn UserRepository> {
        self.store.users()
    }

    fn notifier(&self) -> Option<Arc<dyn ResultsNotifier>> {
        Some(Arc::new(self.notifier.clone()))
    }

    async fn now(&self) -> Result<Option<Timestamp>, StoreError> {
        let unavailable = || StoreError::unavailable("as the test wants");
        let ahead = self.ahead.ok_or_else(unavailable)?;
        Ok(Some(SystemClock.now().after(ahead)))
    }
}

async fn server(ahead: Option<Duration>) -> Server {
    Server {
        store: SqliteStore::in_memory().await.unwrap(),
        notifier: LocalNotifier::default(),
        ahead,
    }
}

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn the_first_vote_is_stamped_by_the_clock_of_the_store() {
    let engine = Engine::builder(server(Some(HOUR)).await)
        .build()
        .await
        .unwrap();
    let before = SystemClock.now();
    let poll = NewPoll::single("Tea or coffee?", ["Tea", "Coffee"]).published();
    let poll = engine.polls().create(&Actor::System, poll).await.unwrap();
    let vote = Ballot::of(poll.id, Voter::vouched("ada"), [0]);
    let receipt = engine.votes().cast(&Actor::System, vote).await.unwrap();
    let after = SystemClock.now();
    for stamped in [poll.created_at, receipt.cast_at] {
        let early = before.after(HOUR - Duration::from_secs(1));
        assert!(stamped >= early, "{stamped} is by the computer's clock");
        assert!(stamped <= after.after(HOUR + Duration::from_secs(1)));
    }
}

#[tokio::test]
async fn a_clock_that_is_given_is_taken_as_it_is() {
    let clock = FakeClock::default();
    let engine = Engine::builder(server(None).await).clock(clock.clone());
    let engine = engine.build().await.unwrap();
    let poll = NewPoll::single("Tea or coffee?", ["Tea", "Coffee"]);
    let poll = engine.polls().create(&Actor::System, poll).await.unwrap();
    assert_eq!(poll.created_at, clock.now());
}

#[tokio::test]
async fn an_engine_that_cannot_learn_the_time_is_not_built() {
    let built = Engine::builder(server(None).await).build().await;
    assert!(matches!(built, Err(BuildError::Store(_))));
    let mut settings = Settings::default();
    settings.clock_interval = Duration::from_secs(120);
    let built = Engine::builder(server(Some(HOUR)).await).settings(settings);
    assert!(matches!(
        built.build().await,
        Err(BuildError::Setting { .. })
    ));
    let mut settings = Settings::default();
    settings.clock_jump = Duration::from_millis(99);
    let built = Engine::builder(server(Some(HOUR)).await).settings(settings);
    assert!(matches!(
        built.build().await,
        Err(BuildError::Setting {
            name: "clock_jump",
            ..
        })
    ));
}

/// On a clock that stands still, so that nothing but a hint can bring the news.
#[tokio::test]
async fn servers_hear_each_other_through_the_stores_notifier() {
    let store = server(None).await;
    let engine = async |own: bool| {
        let mut settings = Settings::default();
        settings.push_interval = Duration::ZERO;
        let engine = Engine::builder(store.clone())
            .clock(FakeClock::default())
            .settings(settings);
        let engine = if own {
            engine.notifier(LocalNotifier::default())
        } else {
            engine
        };
        engine.build().await.unwrap()
    };
    let (here, there, deaf) = (engine(false).await, engine(false).await, engine(true).await);
    let poll = NewPoll::single("Tea or coffee?", ["Tea", "Coffee"]).published();
    let poll = here.polls().create(&Actor::System, poll).await.unwrap().id;
    let watch = async |engine: &Engine| {
        let service = engine.results();
        let mut viewer = service
            .subscribe(&Actor::System, poll, Viewer::default())
            .await
            .unwrap();
        assert!(matches!(viewer.update().await, Update::Results(_)));
        viewer
    };
    let (mut hears, mut hears_nothing) = (watch(&there).await, watch(&deaf).await);
    let vote = Ballot::of(poll, Voter::vouched("ada"), [0]);
    here.votes().cast(&Actor::System, vote).await.unwrap();
    let told = tokio::time::timeout(Duration::from_secs(60), hears.update()).await;
    let Update::Results(told) = told.unwrap() else {
        panic!("results were to come")
    };
    assert_eq!(told.results().ballots, 1);
    let told = tokio::time::timeout(Duration::ZERO, hears_nothing.update()).await;
    assert!(
        told.is_err(),
        "a notifier that is given is the one that is used"
    );
}
