//! Creating, changing, publishing, closing and deleting polls.

use std::sync::Arc;

use tokio::sync::Notify;
use tracing::instrument;

use super::access::managed;
use super::edit::PollPatch;
use super::error::PollError;
use super::fields;
use super::model::{PollRecord, Status};
use super::new::NewPoll;
use super::project;
use super::repository::{Advanced, Edited, Kept};
use super::schedule::Alarm;
use super::step::Step;
use super::view::{ManageToken, PollView};
use crate::engine::Parts;
use crate::id::opaque_token;
use crate::limits::Rule;
use crate::results::ResultsService;
use crate::{Actor, PollId, TokenHash};

/// What every manage token begins with.
pub(crate) const MANAGE_TOKEN_PREFIX: &str = "pm_";

/// The use cases of the polls.
#[derive(Clone)]
pub struct Polls {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) parts: Parts,
    pub(super) results: ResultsService,
    alarm: Alarm,
    deleted: Arc<Notify>,
}

impl Polls {
    pub(crate) fn new(
        parts: Parts,
        results: ResultsService,
        alarm: Alarm,
        deleted: Arc<Notify>,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                parts,
                results,
                alarm,
                deleted,
            }),
        }
    }

    /// Creates a poll. Without an account, the answer holds the manage token: it is shown this once.
    ///
    /// # Errors
    /// `Invalid`, with every field that breaks a rule; `AccountNeeded`; `RateLimited`; in a project also `ProjectNotFound`,
    /// `Unauthorized` and, to viewers, `Forbidden`; `Store`.
    #[instrument(name = "polls.create", skip_all)]
    pub async fn create(&self, actor: &Actor, new: NewPoll) -> Result<PollView, PollError> {
        let inner = &self.inner;
        let needs_token = inner.needs_token(actor)?;
        let token = needs_token.then(|| opaque_token(MANAGE_TOKEN_PREFIX, &*inner.parts.ids));
        let hash = token.as_deref().map(TokenHash::of);
        let project = match new.project_id {
            Some(id) => Some(project::to_create_in(&*inner.parts.store, actor, id).await?),
            None => None,
        };
        let (mut poll, tally) = new
            .validate(
                actor,
                hash,
                inner.parts.clock.now(),
                &*inner.parts.ids,
                &inner.parts.settings.polls,
            )
            .map_err(PollError::Invalid)?;
        poll.project = project;
        inner.parts.limits.check(Rule::CreatePoll, actor).await?;
        let record = PollRecord {
            poll: Arc::new(poll),
            tally,
        };
        let actor = actor.clone();
        self.run(move |inner| async move {
            if inner.parts.is_deleted(&actor).await? {
                return Err(PollError::Unauthorized);
            }
            let polls = inner.parts.store.polls();
            match polls.insert(&record.poll, &record.tally).await? {
                Kept::Done => inner.moved(&record),
                Kept::ProjectMissing => return Err(PollError::ProjectNotFound),
            }
            Ok(PollView {
                manage_token: token.map(ManageToken::new),
                ..PollView::of(&record, true)
            })
        })
        .await
    }

    /// Whether somebody may create polls, whatever is in them: for what can be refused before it is read whole. It counts
    /// nothing.
    ///
    /// # Errors
    /// `AccountNeeded`; `RateLimited`; `Unauthorized`; `Store`.
    pub async fn may_create(&self, actor: &Actor) -> Result<(), PollError> {
        let parts = &self.inner.parts;
        self.inner.needs_token(actor)?;
        parts.limits.look(Rule::CreatePoll, actor).await?;
        match parts.is_deleted(actor).await? {
            true => Err(PollError::Unauthorized),
            false => Ok(()),
        }
    }

    /// Whether somebody may edit a poll, whatever the edit: for what can be refused before it is read whole. It counts nothing.
    ///
    /// # Errors
    /// `RateLimited`; `NotFound`, `Unauthorized`, `Forbidden`; `Store`.
    pub async fn may_edit(&self, actor: &Actor, id: PollId) -> Result<(), PollError> {
        let parts = &self.inner.parts;
        parts.limits.look(Rule::Manage, actor).await?;
        managed(parts, actor, id).await.map(drop)
    }

    /// Changes a poll, as far as its status lets it. A change that changes nothing is no edit.
    ///
    /// # Errors
    /// `Invalid`, `Fixed`, `Closed` with the fields; `VersionConflict`; `NotFound`, `Unauthorized`, `Forbidden`;
    /// `RateLimited`; `Store`.
    #[instrument(name = "polls.edit", skip_all, fields(poll = %id))]
    pub async fn edit(
        &self,
        actor: &Actor,
        id: PollId,
        patch: PollPatch,
    ) -> Result<PollView, PollError> {
        self.inner.parts.limits.check(Rule::Manage, actor).await?;
        let actor = actor.clone();
        self.run(move |inner| async move {
            // Whoever comes second judges again what they want to change.
            loop {
                let record = managed(&inner.parts, &actor, id).await?;
                let now = inner.parts.clock.now();
                let Some(edit) =
                    patch.judge(&record, now, &*inner.parts.ids, &inner.parts.settings.polls)?
                else {
                    return inner.view(&actor, &record).await;
                };
                match inner.parts.store.polls().edit(&edit).await? {
                    Edited::Done(record) => {
                        inner.moved(&record);
                        return inner.view(&actor, &record).await;
                    }
                    Edited::Stale => {}
                    Edited::Missing => return Err(PollError::NotFound),
                }
            }
        })
        .await
    }

    /// Publishes a draft: from now on its options, choice and voters are fixed. Repeated, it changes nothing.
    ///
    /// # Errors
    /// `Invalid` where its end has passed meanwhile; `NotFound`, `Unauthorized`, `Forbidden`; `RateLimited`; `Store`.
    #[instrument(name = "polls.publish", skip_all, fields(poll = %id))]
    pub async fn publish(&self, actor: &Actor, id: PollId) -> Result<PollView, PollError> {
        self.inner.parts.limits.check(Rule::Manage, actor).await?;
        let actor = actor.clone();
        self.run(move |inner| async move {
            loop {
                let record = managed(&inner.parts, &actor, id).await?;
                if record.tally.status != Status::Draft {
                    return inner.view(&actor, &record).await;
                }
                let now = inner.parts.clock.now();
                let mut errors = Vec::new();
                fields::window(record.tally.window, now, &mut errors);
                if !errors.is_empty() {
                    return Err(PollError::Invalid(errors));
                }
                // Refused means that it was edited or published meanwhile: look again.
                let step = Step::Publish {
                    version: record.poll.version,
                };
                if let Some(record) = inner.take(id, step).await? {
                    return inner.view(&actor, &record).await;
                }
            }
        })
        .await
    }

    /// Closes a published poll, now and for good: the results in the answer are final. Repeated, it changes nothing.
    ///
    /// # Errors
    /// `Draft`; `NotFound`, `Unauthorized`, `Forbidden`; `RateLimited`; `Store`.
    #[instrument(name = "polls.close", skip_all, fields(poll = %id))]
    pub async fn close(&self, actor: &Actor, id: PollId) -> Result<PollView, PollError> {
        self.inner.parts.limits.check(Rule::Manage, actor).await?;
        let actor = actor.clone();
        self.run(move |inner| async move {
            loop {
                let record = managed(&inner.parts, &actor, id).await?;
                match record.tally.status {
                    Status::Draft => return Err(PollError::Draft),
                    Status::Closed => return inner.view(&actor, &record).await,
                    Status::Scheduled | Status::Open | Status::Closing => {}
                }
                if let Some(record) = inner.take(id, Step::Close).await? {
                    return inner.view(&actor, &record).await;
                }
            }
        })
        .await
    }

    /// Deletes a poll: it is gone at once, for everybody, and its viewers are told.
    ///
    /// # Errors
    /// `NotFound`, `Unauthorized`, `Forbidden`; `RateLimited`; `Store`.
    #[instrument(name = "polls.delete", skip_all, fields(poll = %id))]
    pub async fn delete(&self, actor: &Actor, id: PollId) -> Result<(), PollError> {
        self.inner.parts.limits.check(Rule::Manage, actor).await?;
        let actor = actor.clone();
        self.run(move |inner| async move {
            managed(&inner.parts, &actor, id).await?;
            let deleted = inner
                .parts
                .store
                .polls()
                .delete(id, inner.parts.clock.now())
                .await?;
            deleted.ok_or(PollError::NotFound)?;
            inner.parts.cache.forget(id);
            inner.parts.hub.delete_committed(id);
            inner.deleted.notify_one();
            Ok(())
        })
        .await
    }

    /// Runs what changes something to its end, whether or not the caller waits for it.
    async fn run<T, F>(&self, work: impl FnOnce(Arc<Inner>) -> F) -> Result<T, PollError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, PollError>> + Send + 'static,
    {
        self.inner
            .parts
            .tasks
            .run(work(Arc::clone(&self.inner)))
            .await
            .ok_or(PollError::ShuttingDown)?
    }
}

impl Inner {
    /// Whether a poll that this actor creates is managed by a token.
    fn needs_token(&self, actor: &Actor) -> Result<bool, PollError> {
        let needs_token = !matches!(actor, Actor::System) && actor.user_id().is_none();
        if needs_token && !self.parts.settings.features.anonymous_polls {
            return Err(PollError::AccountNeeded);
        }
        Ok(needs_token)
    }

    /// Takes a step, and tells everyone; `None` where it was refused.
    async fn take(&self, id: PollId, step: Step) -> Result<Option<PollRecord>, PollError> {
        match self
            .parts
            .store
            .polls()
            .advance(id, step, self.parts.clock.now())
            .await?
        {
            Advanced::Taken(record) => {
                self.moved(&record);
                Ok(Some(record))
            }
            Advanced::Refused(_) => Ok(None),
            Advanced::Missing => Err(PollError::NotFound),
        }
    }

    fn moved(&self, record: &PollRecord) {
        self.parts.cache.note(record);
        self.parts.hub.put_changed(record);
        self.alarm.ring();
    }
}

impl std::fmt::Debug for Polls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Polls").finish_non_exhaustive()
    }
}
