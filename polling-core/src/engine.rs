//! The one handle that applications and transports hold, and the tasks behind it.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::actor::AuthError;
use crate::polls::cache::PollCache;
use crate::polls::schedule::{Alarm, Schedule};
use crate::polls::{Polls, purge};
use crate::results::{Announcer, Hub, LocalNotifier, Refresher, ResultsNotifier, ResultsService};
#[cfg(feature = "accounts")]
use crate::users::Users;
use crate::votes::Votes;
use crate::votes::intake::Intake;
use crate::{
    Actor, Authenticator, Clock, IdSource, RandomIds, Repository, Settings, StoreError, SystemClock,
};

/// A running polling engine: cheap to clone, and shared by everything that uses it.
///
/// When the last handle is dropped its tasks end; [`shutdown`](Self::shutdown) also waits until everything that was
/// accepted is answered.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<dyn Repository>,
    polls: Polls,
    votes: Votes,
    results: ResultsService,
    #[cfg(feature = "accounts")]
    users: Option<Users>,
    authenticator: Arc<dyn Authenticator>,
    hub: Arc<Hub>,
    settings: Settings,
    tasks: Tasks,
    background: TaskTracker,
    stop_lanes: CancellationToken,
    stop_background: CancellationToken,
    _stop_on_drop: [DropGuard; 2],
}

/// Why an engine was not built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A bound is zero, or two do not fit together.
    #[error("the setting {name} {rule}")]
    Setting {
        /// Which.
        name: &'static str,
        /// What would be right.
        rule: &'static str,
    },
    /// The store could not be asked for what the engine needs at its start.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A given key is no good.
    #[error("the keys of the access tokens: {0}")]
    Keys(String),
}

impl Engine {
    /// Begins to build an engine on this store.
    pub fn builder(store: impl Repository) -> EngineBuilder {
        EngineBuilder {
            store: Arc::new(store),
            notifier: Arc::new(LocalNotifier::default()),
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
            settings: Settings::default(),
            authenticator: None,
            #[cfg(feature = "accounts")]
            token_keys: Vec::new(),
        }
    }

    /// The use cases of the polls.
    #[must_use]
    pub fn polls(&self) -> &Polls {
        &self.inner.polls
    }

    /// The use cases of the votes.
    #[must_use]
    pub fn votes(&self) -> &Votes {
        &self.inner.votes
    }

    /// The use cases of the results.
    #[must_use]
    pub fn results(&self) -> &ResultsService {
        &self.inner.results
    }

    /// The use cases of the users; `None` where the store keeps no accounts.
    #[cfg(feature = "accounts")]
    #[must_use]
    pub fn users(&self) -> Option<&Users> {
        self.inner.users.as_ref()
    }

    /// The bounds and paces that the engine runs with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// Turns a bearer credential into an actor: every transport's way to know who asks.
    ///
    /// # Errors
    /// `Rejected` where the credential is not good; `Store`.
    pub async fn authenticate(&self, bearer: &str) -> Result<Actor, AuthError> {
        self.inner.authenticator.authenticate(bearer).await
    }

    /// Whether the store answers, and the engine takes work.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn ready(&self) -> Result<(), StoreError> {
        if self.inner.tasks.tracker.is_closed() {
            return Err(StoreError::unavailable("the engine is shutting down"));
        }
        self.inner.store.ping().await
    }

    /// Takes no more work, answers everything that was accepted, tells the viewers, and ends the engine's tasks. All
    /// handles share this; repeated, it waits for the same end.
    pub async fn shutdown(&self) {
        let inner = &*self.inner;
        inner.tasks.tracker.close();
        inner.stop_lanes.cancel();
        inner.tasks.tracker.wait().await;
        inner.hub.end();
        inner.stop_background.cancel();
        inner.background.close();
        inner.background.wait().await;
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("settings", &self.inner.settings)
            .finish_non_exhaustive()
    }
}

/// What changes something runs as a task of its own: it comes to its end, and everyone is told, whether or not the
/// caller still waits.
#[derive(Clone, Debug)]
pub(crate) struct Tasks {
    tracker: TaskTracker,
}

impl Tasks {
    /// What `work` gives; `None` where the engine is shutting down and it was not started.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        if self.tracker.is_closed() {
            return None;
        }
        match self.tracker.spawn(work).await {
            Ok(done) => Some(done),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => None,
        }
    }
}

/// Builds an [`Engine`].
pub struct EngineBuilder {
    store: Arc<dyn Repository>,
    notifier: Arc<dyn ResultsNotifier>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    settings: Settings,
    authenticator: Option<Arc<dyn Authenticator>>,
    #[cfg(feature = "accounts")]
    token_keys: Vec<crate::users::TokenKey>,
}

impl EngineBuilder {
    /// Tells the other servers of the store through this; in-process by default.
    #[must_use]
    pub fn notifier(mut self, notifier: impl ResultsNotifier) -> Self {
        self.notifier = Arc::new(notifier);
        self
    }

    /// Gets its time from here; from the computer's clock by default.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Gets its ids and secrets from here; from the operating system's randomness by default.
    #[must_use]
    pub fn ids(mut self, ids: impl IdSource) -> Self {
        self.ids = Arc::new(ids);
        self
    }

    /// Runs with these bounds and paces.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Knows who asks through this, instead of the engine's own access and manage tokens.
    #[must_use]
    pub fn authenticator(mut self, authenticator: impl Authenticator) -> Self {
        self.authenticator = Some(Arc::new(authenticator));
        self
    }

    /// Signs access tokens with the first of these keys, and accepts those of all. Without any, the engine makes one and
    /// keeps it in the store, so that restarts and all servers of a store share it.
    #[cfg(feature = "accounts")]
    #[must_use]
    pub fn token_keys(mut self, keys: Vec<crate::users::TokenKey>) -> Self {
        self.token_keys = keys;
        self
    }

    /// Starts the engine. Must be called within a tokio runtime, in which its tasks then run.
    ///
    /// # Errors
    /// `Setting`, `Keys`, or `Store` where the store could not be asked for the key of the access tokens.
    pub async fn build(self) -> Result<Engine, BuildError> {
        check(&self.settings)?;
        let Self {
            store,
            notifier,
            clock,
            ids,
            settings,
            ..
        } = self;
        let (stop_lanes, stop_background) = (CancellationToken::new(), CancellationToken::new());
        let tasks = Tasks {
            tracker: TaskTracker::new(),
        };
        let hub = Arc::new(Hub::default());
        let cache = Arc::new(PollCache::new(
            Arc::clone(&store),
            Arc::clone(&clock),
            settings.cached_polls,
        ));
        let (alarm, deleted) = (Alarm::default(), Arc::new(Notify::new()));
        #[cfg(feature = "accounts")]
        let users =
            Users::start(&store, (&clock, &ids), &settings, self.token_keys, &tasks).await?;
        let authenticator = self.authenticator.unwrap_or_else(|| {
            Arc::new(crate::actor::OwnTokens::new(
                Arc::clone(&store),
                #[cfg(feature = "accounts")]
                users.clone(),
            ))
        });

        let intake = Intake::start(&store, &hub, &clock, &settings, &tasks.tracker, &stop_lanes);
        let results = ResultsService::new(Arc::clone(&store), Arc::clone(&hub));
        let time_and_ids = || (Arc::clone(&clock), Arc::clone(&ids));
        let votes = Votes::new(
            Arc::clone(&store),
            Arc::clone(&hub),
            Arc::clone(&cache),
            intake,
            time_and_ids(),
            settings.clone(),
            tasks.clone(),
        );
        let polls = Polls::new(
            Arc::clone(&store),
            Arc::clone(&hub),
            Arc::clone(&cache),
            results.clone(),
            time_and_ids(),
            settings.clone(),
            (alarm.clone(), Arc::clone(&deleted)),
            tasks.clone(),
        );
        let background = Background {
            store: &store,
            hub: &hub,
            clock: &clock,
            settings: &settings,
        };
        let schedule = background.schedule(cache, alarm);
        let background = background.start(schedule, &notifier, deleted, &stop_background);
        let stop_on_drop = [
            stop_lanes.clone().drop_guard(),
            stop_background.clone().drop_guard(),
        ];
        let inner = Inner {
            store,
            polls,
            votes,
            results,
            #[cfg(feature = "accounts")]
            users,
            authenticator,
            hub,
            settings,
            tasks,
            background,
            stop_lanes,
            stop_background,
            _stop_on_drop: stop_on_drop,
        };
        Ok(Engine {
            inner: Arc::new(inner),
        })
    }
}

impl std::fmt::Debug for EngineBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineBuilder")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// What the background tasks share.
struct Background<'a> {
    store: &'a Arc<dyn Repository>,
    hub: &'a Arc<Hub>,
    clock: &'a Arc<dyn Clock>,
    settings: &'a Settings,
}

impl Background<'_> {
    fn schedule(&self, cache: Arc<PollCache>, alarm: Alarm) -> Schedule {
        Schedule {
            store: Arc::clone(self.store),
            hub: Arc::clone(self.hub),
            cache,
            clock: Arc::clone(self.clock),
            alarm,
            grace: self.settings.closing_grace,
            look_again: self.settings.refresh_interval,
        }
    }

    /// Starts every task that runs as long as the engine does.
    fn start(
        &self,
        schedule: Schedule,
        notifier: &Arc<dyn ResultsNotifier>,
        deleted: Arc<Notify>,
        stop: &CancellationToken,
    ) -> TaskTracker {
        let tasks = TaskTracker::new();
        let spawn = |task: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>| {
            let stop = stop.clone();
            tasks.spawn(async move {
                stop.run_until_cancelled(task).await;
            });
        };
        let (clock, settings) = (self.clock, self.settings);
        let refresher = Refresher {
            hub: Arc::clone(self.hub),
            store: Arc::clone(self.store),
        };
        let announcer = || Announcer {
            hub: Arc::clone(self.hub),
            notifier: Arc::clone(notifier),
            clock: Arc::clone(clock),
        };
        spawn(Box::pin(schedule.run()));
        spawn(Box::pin(
            Arc::clone(self.hub).run(Arc::clone(clock), settings.push_interval),
        ));
        spawn(Box::pin(
            refresher
                .clone()
                .run(Arc::clone(clock), settings.refresh_interval),
        ));
        spawn(Box::pin(announcer().announce(settings.push_interval)));
        spawn(Box::pin(
            announcer().listen(refresher, settings.refresh_interval),
        ));
        let store = Arc::clone(self.store);
        spawn(Box::pin(purge::run(
            store,
            Arc::clone(clock),
            deleted,
            settings.purge_rows,
        )));
        tasks
    }
}

fn check(settings: &Settings) -> Result<(), BuildError> {
    let rule = |name, rule| Err(BuildError::Setting { name, rule });
    if settings.batch_ballots == 0 {
        return rule("batch_ballots", "must be at least 1");
    }
    if settings.request_ballots == 0 || settings.request_ballots > settings.queue_ballots {
        return rule(
            "request_ballots",
            "must be from 1 to queue_ballots, or a full request could never be taken",
        );
    }
    if settings.lanes == Some(0) {
        return rule("lanes", "must be at least 1");
    }
    if !(2..=255).contains(&settings.polls.options) {
        return rule("polls.options", "must be from 2 to 255");
    }
    if settings.page_polls == 0 || settings.cached_polls == 0 || settings.purge_rows == 0 {
        return rule(
            "page_polls, cached_polls and purge_rows",
            "must be at least 1",
        );
    }
    if settings.password_workers == 0 {
        return rule("password_workers", "must be at least 1");
    }
    Ok(())
}
