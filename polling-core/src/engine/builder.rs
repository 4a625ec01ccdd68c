//! How an engine is built and started.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::bulk::Bulk;
use super::check::check;
use super::health::StoreHealth;
use super::parts::{Parts, Tasks};
use super::time::{Task, TimeSource};
use super::{Engine, Inner, background};
use crate::actor::OwnTokens;
use crate::limits::{Limits, MemoryLimiter, RateLimiter};
use crate::polls::Polls;
use crate::polls::cache::PollCache;
use crate::polls::schedule::Alarm;
use crate::results::{Hub, LocalNotifier, ResultsNotifier, ResultsService};
use crate::tickets::Tickets;
#[cfg(feature = "accounts")]
use crate::users::{AccountOptions, Email, LinkSender, TokenKey, Users};
use crate::vote_tokens::VoteTokens;
use crate::votes::Votes;
use crate::votes::intake::Intake;
#[cfg(feature = "accounts")]
use crate::workspaces::Workspaces;
use crate::{
    Authenticator, Clock, IdSource, LimitSettings, RandomIds, Repository, Settings, StoreError,
};

/// Builds an [`Engine`].
pub struct EngineBuilder {
    store: Arc<dyn Repository>,
    /// `None` for the store's own.
    notifier: Option<Arc<dyn ResultsNotifier>>,
    /// `None` for this computer's.
    time: Option<TimeSource>,
    ids: Arc<dyn IdSource>,
    /// `None` for one in memory.
    limiter: Option<Arc<dyn RateLimiter>>,
    settings: Settings,
    authenticator: Option<Arc<dyn Authenticator>>,
    #[cfg(feature = "accounts")]
    accounts: AccountOptions,
}

impl EngineBuilder {
    pub(super) fn on(store: Arc<dyn Repository>) -> Self {
        Self {
            store,
            notifier: None,
            time: None,
            ids: Arc::new(RandomIds),
            limiter: None,
            settings: Settings::default(),
            authenticator: None,
            #[cfg(feature = "accounts")]
            accounts: AccountOptions::default(),
        }
    }

    /// Tells the other servers of the store through this; by default through the store's own notifier, or in-process
    /// where it has none.
    #[must_use]
    pub fn notifier(mut self, notifier: impl ResultsNotifier) -> Self {
        self.notifier = Some(Arc::new(notifier));
        self
    }

    /// Gets its time from here, taken as it is; by default from the [computer's clocks](Self::computer_clocks).
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.time = Some(TimeSource::Given(Arc::new(clock)));
        self
    }

    /// Gets its time from the clocks of a computer: `wall` has the time of day and may be set by anybody at any time; `steady`
    /// counts the time that passes, from any beginning, and is set by nobody. By default these are [`SystemClock`] and the
    /// computer's monotonic clock.
    ///
    /// Where the store has a clock of its own, `steady` is measured against that, and `wall` is not used. Where it has none,
    /// a jump of `wall` is doubted until it has stood for [`Settings::clock_jump_wait`].
    ///
    /// [`SystemClock`]: crate::SystemClock
    #[must_use]
    pub fn computer_clocks(mut self, wall: impl Clock, steady: impl Clock) -> Self {
        self.time = Some(TimeSource::Computer {
            wall: Arc::new(wall),
            steady: Arc::new(steady),
        });
        self
    }

    /// Gets its ids and secrets from here; from the operating system's randomness by default.
    #[must_use]
    pub fn ids(mut self, ids: impl IdSource) -> Self {
        self.ids = Arc::new(ids);
        self
    }

    /// Counts here how often somebody does what; by default in memory, for this engine alone.
    #[must_use]
    pub fn limiter(mut self, limiter: impl RateLimiter) -> Self {
        self.limiter = Some(Arc::new(limiter));
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
    pub fn token_keys(mut self, keys: Vec<TokenKey>) -> Self {
        self.accounts.keys = keys;
        self
    }

    /// Sends one-time links and invitations through this. Without it nobody can set a password but by knowing the one before,
    /// and invitations are passed on by who makes them.
    #[cfg(feature = "accounts")]
    #[must_use]
    pub fn link_sender(mut self, sender: impl LinkSender) -> Self {
        self.accounts.sender = Some(Arc::new(sender));
        self
    }

    /// Makes the account with this address the first administrator, while the store has no administrator at all: when the
    /// engine is built, or when somebody signs up, or is imported, with it. Once there is one it does nothing, whoever has
    /// the address then; where the last one is gone, or was revoked, it does so again.
    ///
    /// Addresses are not verified, and whoever signs up first with this one is believed: sign up before you tell the world
    /// about the site.
    #[cfg(feature = "accounts")]
    #[must_use]
    pub fn administrator(mut self, email: Email) -> Self {
        self.accounts.administrator = Some(email);
        self
    }

    /// Starts the engine. Must be called within a tokio runtime, in which its tasks then run.
    ///
    /// # Errors
    /// `Setting`, `Keys`, or `Store` where the store could not be asked for its time or the key of the access tokens.
    pub async fn build(self) -> Result<Engine, BuildError> {
        check(&self.settings)?;
        let (stop_lanes, stop_background) = (CancellationToken::new(), CancellationToken::new());
        let (alarm, deleted) = (Alarm::default(), Arc::new(Notify::new()));
        let (parts, clock_task) = self.parts().await?;
        #[cfg(feature = "accounts")]
        let sender = self.accounts.sender.clone();
        #[cfg(feature = "accounts")]
        let users = Users::start(&parts, self.accounts).await?;
        let authenticator = self.authenticator.unwrap_or_else(|| {
            Arc::new(OwnTokens::new(
                Arc::clone(&parts.store),
                #[cfg(feature = "accounts")]
                users.clone(),
            ))
        });
        let notifier = self
            .notifier
            .or_else(|| parts.store.notifier())
            .unwrap_or_else(|| Arc::new(LocalNotifier::default()));
        let intake = Intake::start(&parts, &stop_lanes);
        let results = ResultsService::new(
            Arc::clone(&parts.store),
            Arc::clone(&parts.hub),
            Arc::clone(&parts.clock),
        );
        let polls = Polls::new(
            parts.clone(),
            results.clone(),
            alarm.clone(),
            Arc::clone(&deleted),
        );
        let inner = Inner {
            #[cfg(feature = "accounts")]
            workspaces: Workspaces::start(&parts, &polls, sender),
            polls,
            votes: Votes::new(parts.clone(), intake),
            vote_tokens: VoteTokens::start(&parts),
            tickets: Tickets::default(),
            results,
            #[cfg(feature = "accounts")]
            users,
            authenticator,
            background: background::start(
                &parts,
                clock_task,
                &notifier,
                (alarm, deleted),
                &stop_background,
            ),
            _stop_on_drop: [
                stop_lanes.clone().drop_guard(),
                stop_background.clone().drop_guard(),
            ],
            stop_lanes,
            stop_background,
            parts,
        };
        Ok(Engine {
            inner: Arc::new(inner),
        })
    }

    async fn parts(&self) -> Result<(Parts, Option<Task>), StoreError> {
        let store = &self.store;
        let time = self.time.clone();
        let time = time.unwrap_or_else(TimeSource::this_computer);
        let health = Arc::<StoreHealth>::default();
        let (clock, clock_task) = time.clock(store, &health, &self.settings).await?;
        let settings = Arc::new(self.settings.clone());
        let limiter = self.limiter.clone().unwrap_or_else(|| {
            let LimitSettings { keys, bytes, .. } = settings.limits;
            Arc::new(MemoryLimiter::new(Arc::clone(&clock), keys, bytes))
        });
        let parts = Parts {
            store: Arc::clone(store),
            clock: Arc::clone(&clock),
            ids: Arc::clone(&self.ids),
            limits: Limits::new(limiter, Arc::clone(&settings)),
            bulk: Bulk::new(&settings.bulk),
            settings,
            hub: Arc::new(Hub::default()),
            cache: Arc::new(PollCache::new(Arc::clone(store), clock, &self.settings)),
            tasks: Tasks::default(),
            health,
        };
        Ok((parts, clock_task))
    }
}

impl std::fmt::Debug for EngineBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineBuilder")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
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
