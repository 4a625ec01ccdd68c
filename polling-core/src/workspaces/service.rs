//! Creating, reading, renaming and deleting workspaces, and the way in to all that is done in one.

use std::sync::Arc;

use tracing::{debug, instrument};

use super::access::Action;
use super::error::WorkspaceError;
use super::model::{NAME_CHARS, Workspace, WorkspaceName, WorkspaceRole};
use super::page::{Listing, ListingRequest};
use super::repository::{Added, Deleted, WorkspaceRepository};
use super::view::WorkspaceView;
use super::wire::{NewWorkspace, WorkspacePatch};
use crate::engine::Parts;
use crate::limits::Rule;
use crate::polls::Polls;
use crate::settings::WorkspaceLimits;
use crate::users::{LinkSender, Post};
use crate::{Actor, FieldError, PollId, StoreError, UserId, WorkspaceId};

/// The use cases of the workspaces.
#[derive(Clone)]
pub struct Workspaces {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) parts: Parts,
    polls: Polls,
    /// The invitations on their way.
    pub(super) post: Post,
}

impl Workspaces {
    /// The use cases of the workspaces, where the store keeps them.
    pub(crate) fn start(
        parts: &Parts,
        polls: &Polls,
        sender: Option<Arc<dyn LinkSender>>,
    ) -> Option<Self> {
        parts.store.workspaces()?;
        let inner = Inner {
            parts: parts.clone(),
            polls: polls.clone(),
            post: Post::new(parts, sender),
        };
        Some(Self {
            inner: Arc::new(inner),
        })
    }

    /// Creates a workspace, whose owner is the user who asks; the application itself names one.
    ///
    /// # Errors
    /// `Invalid`; `Unauthorized` to who is not signed in; `LimitReached`; `Store`.
    #[instrument(name = "workspaces.create", skip_all)]
    pub async fn create(
        &self,
        actor: &Actor,
        new: NewWorkspace,
    ) -> Result<WorkspaceView, WorkspaceError> {
        let owner = match actor {
            Actor::System => new.owner.ok_or_else(|| {
                let field = FieldError::invalid("/owner", "is needed: nobody is signed in");
                WorkspaceError::Invalid(vec![field])
            })?,
            Actor::Caller(_) => signed_in(actor)?,
        };
        let name = name(&new.name)?;
        let actor = actor.clone();
        self.run(move |inner| async move {
            if inner.parts.is_deleted(&actor).await? {
                return Err(WorkspaceError::Unauthorized);
            }
            let now = inner.parts.clock.now();
            let workspace = Workspace {
                id: WorkspaceId::new(now, &*inner.parts.ids),
                name,
                created_at: now,
            };
            let most = inner.limits().of_a_user;
            match inner.store()?.insert(&workspace, owner, most).await? {
                Added::Done(()) => {
                    inner.membership_changed(workspace.id, owner);
                    Ok(WorkspaceView::from((workspace, Some(WorkspaceRole::Owner))))
                }
                Added::TooMany => Err(WorkspaceError::LimitReached("workspaces for you")),
                Added::Missing => Err(WorkspaceError::NotFound),
            }
        })
        .await
    }

    /// Reads a workspace.
    ///
    /// # Errors
    /// `NotFound` to who is no member; `Unauthorized`; `Store`.
    pub async fn read(
        &self,
        actor: &Actor,
        id: WorkspaceId,
    ) -> Result<WorkspaceView, WorkspaceError> {
        let found = self.inner.allowed(actor, id, Action::Read).await?;
        Ok(found.into())
    }

    /// Lists the workspaces that the user is in, newest first; for the application itself, all.
    ///
    /// # Errors
    /// `Invalid` where the page is none; `Unauthorized`; `RateLimited`; `Store`.
    pub async fn list(
        &self,
        actor: &Actor,
        page: ListingRequest<WorkspaceId>,
    ) -> Result<Listing<WorkspaceView, WorkspaceId>, WorkspaceError> {
        let user = match actor {
            Actor::System => None,
            Actor::Caller(_) => Some(signed_in(actor)?),
        };
        let room = page.room(&self.inner.parts.settings)?;
        self.inner.parts.limits.check(Rule::List, actor).await?;
        let store = self.inner.store()?;
        let found = store.list(user, page.cursor, room.limit + 1).await?;
        let id = |(workspace, _): &(Workspace, _)| workspace.id;
        let name = |(workspace, _): &(Workspace, _)| workspace.name.as_str().len();
        Ok(Listing::of(found, room, id, name))
    }

    /// Gives a workspace another name.
    ///
    /// # Errors
    /// `Invalid`; `Forbidden` to all but owners; `NotFound`, `Unauthorized`; `Store`.
    #[instrument(name = "workspaces.rename", skip_all, fields(workspace = %id))]
    pub async fn rename(
        &self,
        actor: &Actor,
        id: WorkspaceId,
        patch: WorkspacePatch,
    ) -> Result<WorkspaceView, WorkspaceError> {
        let actor = actor.clone();
        self.run(move |inner| async move {
            let (workspace, role) = inner.allowed(&actor, id, Action::Rename).await?;
            let name = name(&patch.name)?;
            if !inner.store()?.rename(id, &name).await? {
                return Err(WorkspaceError::NotFound);
            }
            Ok(WorkspaceView::from((Workspace { name, ..workspace }, role)))
        })
        .await
    }

    /// Deletes a workspace, with its polls first: each is gone at once, for everybody, and its viewers are told. What is
    /// cut short by the end of the engine goes on when it is asked for again.
    ///
    /// # Errors
    /// `Forbidden` to all but owners; `NotFound`, `Unauthorized`; `Store`.
    #[instrument(name = "workspaces.delete", skip_all, fields(workspace = %id))]
    pub async fn delete(&self, actor: &Actor, id: WorkspaceId) -> Result<(), WorkspaceError> {
        let actor = actor.clone();
        self.run(move |inner| async move {
            inner.allowed(&actor, id, Action::Delete).await?;
            loop {
                match inner.store()?.delete(id, POLLS_AT_ONCE).await? {
                    Deleted::Done => return Ok(()),
                    Deleted::HasPolls(polls) => inner.delete_polls(polls).await?,
                    Deleted::Missing => return Err(WorkspaceError::NotFound),
                }
            }
        })
        .await
    }

    /// Runs what changes something to its end, whether or not the caller waits for it.
    pub(super) async fn run<T, F>(
        &self,
        work: impl FnOnce(Arc<Inner>) -> F,
    ) -> Result<T, WorkspaceError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, WorkspaceError>> + Send + 'static,
    {
        self.inner
            .parts
            .tasks
            .run(work(Arc::clone(&self.inner)))
            .await
            .ok_or(WorkspaceError::ShuttingDown)?
    }
}

/// Polls that are deleted between two looks at what is left.
pub(super) const POLLS_AT_ONCE: usize = 100;

impl Inner {
    pub(super) fn store(&self) -> Result<&dyn WorkspaceRepository, StoreError> {
        self.parts
            .store
            .workspaces()
            .ok_or_else(|| StoreError::internal("the store keeps no workspaces any more"))
    }

    pub(super) fn limits(&self) -> &WorkspaceLimits {
        &self.parts.settings.workspaces
    }

    /// The workspace, and what the actor is there, if they may do this. To who is no member it is not there, whatever they
    /// want of it.
    pub(super) async fn allowed(
        &self,
        actor: &Actor,
        id: WorkspaceId,
        action: Action,
    ) -> Result<(Workspace, Option<WorkspaceRole>), WorkspaceError> {
        let user = match actor {
            Actor::System => None,
            Actor::Caller(_) => Some(signed_in(actor)?),
        };
        let found = self.store()?.find(id, user).await?;
        let (workspace, role) = found.ok_or(WorkspaceError::NotFound)?;
        match (actor, role) {
            (Actor::System, _) => Ok((workspace, None)),
            (_, Some(role)) if role.may(action) => Ok((workspace, Some(role))),
            (_, Some(_)) => Err(WorkspaceError::Forbidden),
            (_, None) => Err(WorkspaceError::NotFound),
        }
    }

    pub(super) async fn delete_polls(&self, polls: Vec<PollId>) -> Result<(), WorkspaceError> {
        for poll in polls {
            if let Err(error) = self.polls.delete(&Actor::System, poll).await
                && let Some(error) = WorkspaceError::of_a_poll(error)
            {
                return Err(error);
            }
        }
        Ok(())
    }

    /// Every change of who is what passes here, after it is durable: what somebody may do is looked up with each request,
    /// and so is right by itself; whatever outlives a request has to be told from here.
    pub(super) fn membership_changed(&self, workspace: WorkspaceId, user: UserId) {
        debug!(%workspace, %user, "a membership changed");
        self.parts.hub.changes().of_user(user);
    }
}

/// The user who asks.
pub(super) fn signed_in(actor: &Actor) -> Result<UserId, WorkspaceError> {
    actor.user_id().ok_or(WorkspaceError::Unauthorized)
}

fn name(text: &str) -> Result<WorkspaceName, WorkspaceError> {
    WorkspaceName::parse(text, NAME_CHARS)
        .map_err(|detail| WorkspaceError::Invalid(vec![FieldError::invalid("/name", detail)]))
}

impl std::fmt::Debug for Workspaces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workspaces").finish_non_exhaustive()
    }
}
