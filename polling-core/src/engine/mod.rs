//! The one handle that applications and transports hold, and what stands behind it.

mod background;
mod builder;
mod bulk;
mod check;
mod health;
mod parts;
mod time;

use std::sync::Arc;

use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

pub use builder::{BuildError, EngineBuilder};
#[cfg(test)]
pub(crate) use bulk::Bulk;
pub(crate) use health::StoreHealth;
pub(crate) use parts::Parts;

use crate::actor::AuthError;
use crate::limits::Limits;
use crate::polls::Polls;
use crate::results::ResultsService;
use crate::tickets::{Ticket, TicketError, Tickets};
#[cfg(feature = "accounts")]
use crate::users::Users;
use crate::vote_tokens::VoteTokens;
use crate::votes::Votes;
#[cfg(feature = "accounts")]
use crate::workspaces::Workspaces;
use crate::{Actor, Authenticator, Repository, Settings, StoreError};

/// A running polling engine: cheap to clone, and shared by everything that uses it.
///
/// When the last handle is dropped its tasks end; [`shutdown`](Self::shutdown) also waits until everything that was
/// accepted is answered.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    parts: Parts,
    polls: Polls,
    votes: Votes,
    vote_tokens: Option<VoteTokens>,
    tickets: Tickets,
    results: ResultsService,
    #[cfg(feature = "accounts")]
    users: Option<Users>,
    #[cfg(feature = "accounts")]
    workspaces: Option<Workspaces>,
    authenticator: Arc<dyn Authenticator>,
    background: TaskTracker,
    stop_lanes: CancellationToken,
    stop_background: CancellationToken,
    _stop_on_drop: [DropGuard; 2],
}

impl Engine {
    /// Begins to build an engine on this store.
    pub fn builder(store: impl Repository) -> EngineBuilder {
        EngineBuilder::on(Arc::new(store))
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

    /// The use cases of the one-time vote tokens; `None` where the store keeps none.
    #[must_use]
    pub fn vote_tokens(&self) -> Option<&VoteTokens> {
        self.inner.vote_tokens.as_ref()
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

    /// How often somebody may do what.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.inner.parts.limits
    }

    /// The use cases of the workspaces; `None` where the store keeps none.
    #[cfg(feature = "accounts")]
    #[must_use]
    pub fn workspaces(&self) -> Option<&Workspaces> {
        self.inner.workspaces.as_ref()
    }

    /// The bounds and paces that the engine runs with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.inner.parts.settings
    }

    /// Turns a bearer credential into an actor: every transport's way to know who asks.
    ///
    /// # Errors
    /// `Rejected` where the credential is not good; `Store`.
    pub async fn authenticate(&self, bearer: &str) -> Result<Actor, AuthError> {
        self.inner.authenticator.authenticate(bearer).await
    }

    /// Makes a ticket for all that `actor` has proved: good once, on this engine, for
    /// [`ticket_lifetime`](Settings::ticket_lifetime). What it stands for ends no later than it does by itself.
    ///
    /// # Errors
    /// `Unauthorized` to who proved nothing; `RateLimited`; `Overloaded`; `Store`.
    pub async fn ticket(&self, actor: &Actor) -> Result<Ticket, TicketError> {
        self.inner.tickets.make(&self.inner.parts, actor).await
    }

    /// Turns a ticket into the actor that it was made for, once.
    ///
    /// # Errors
    /// `Rejected` where it is none, was used or is over.
    pub fn redeem_ticket(&self, ticket: &str) -> Result<Actor, AuthError> {
        self.inner.tickets.redeem(&self.inner.parts, ticket)
    }

    /// Whether the store answers, and the engine takes work.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn ready(&self) -> Result<(), StoreError> {
        if self.inner.parts.tasks.are_closed() {
            return Err(StoreError::unavailable("the engine is shutting down"));
        }
        if !self.inner.votes.takes_work() {
            return Err(StoreError::internal("a lane of the votes has ended"));
        }
        let parts = &self.inner.parts;
        parts.health.heard(parts.store.ping().await)
    }

    /// Ends every watch, as a first step of a shutdown: event streams never end by themselves, and a server waits for
    /// them. Votes are still taken and answered.
    pub fn end_watches(&self) {
        self.inner.parts.hub.end();
    }

    /// Takes no more work, answers everything that was accepted, tells the viewers, and ends the engine's tasks. All
    /// handles share this; repeated, it waits for the same end.
    pub async fn shutdown(&self) {
        let inner = &*self.inner;
        inner.parts.tasks.close();
        inner.stop_lanes.cancel();
        inner.parts.tasks.wait().await;
        inner.parts.hub.end();
        inner.stop_background.cancel();
        inner.background.close();
        inner.background.wait().await;
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("settings", &self.inner.parts.settings)
            .finish_non_exhaustive()
    }
}
