//! Reading and listing polls, as whoever asks may see them.

use super::access::Role;
use super::error::PollError;
use super::model::PollRecord;
use super::page::{Page, PageRequest};
use super::project;
use super::repository::ListQuery;
use super::service::{Inner, Polls};
use super::view::PollView;
use crate::limits::Rule;
use crate::page::Room;
use crate::votes::Voter;
use crate::workspaces::membership::{Memberships, OfManyPolls};
use crate::{Actor, PollId, StoreError};

impl Polls {
    /// Reads a poll, with its results where the viewer may see them. `voter` is who the viewer is as a voter.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden` and `Invalid` for a voter that the viewer cannot be; `Store`.
    pub async fn read(
        &self,
        actor: &Actor,
        id: PollId,
        voter: Option<Voter>,
    ) -> Result<PollView, PollError> {
        let record = self
            .inner
            .parts
            .store
            .polls()
            .find(id)
            .await?
            .ok_or(PollError::NotFound)?;
        let store = &*self.inner.parts.store;
        let memberships = Memberships::look_up(store, actor, &record.poll, &voter).await?;
        if !Role::of(actor, &record.poll, &memberships).finds(record.tally.status) {
            return Err(PollError::NotFound);
        }
        self.inner
            .view_as(actor, &record, &memberships, voter.as_ref())
            .await
    }

    /// Lists the published polls that are listed, and the actor's own, newest first; for the application itself, all. Of a
    /// project all are listed to its members, drafts to those who manage them. A page may have fewer polls than were asked for:
    /// it ends with [`page_bytes`](crate::Settings::page_bytes), too, and only its cursor says whether there are more.
    ///
    /// # Errors
    /// `Invalid` where the page is none; `RateLimited`; of a project also `ProjectNotFound` and `Unauthorized`; `Store`.
    pub async fn list(&self, actor: &Actor, page: PageRequest) -> Result<Page, PollError> {
        let settings = &self.inner.parts.settings;
        let room = Room::of(page.limit, settings, "polls");
        let room = room.map_err(|field| PollError::Invalid(vec![field]))?;
        self.inner.parts.limits.check(Rule::List, actor).await?;
        // Nobody has polls of their own who has deleted the account.
        let nobody = match self.inner.parts.is_deleted(actor).await? {
            true => Some(actor.without_user()),
            false => None,
        };
        let actor = nobody.as_ref().unwrap_or(actor);
        let project = match page.project {
            Some(id) => Some(project::to_list(&*self.inner.parts.store, actor, id).await?),
            None => None,
        };
        let query = ListQuery {
            project,
            everything: matches!(actor, Actor::System),
            creator: actor.user_id(),
            manage_tokens: actor.manage_tokens().to_vec(),
            before: page.cursor,
            // One more tells whether there is a next page.
            limit: room.limit + 1,
            bytes: settings.page_bytes,
        };
        let mut records = self.inner.parts.store.polls().list(&query).await?;
        let more = room.cut(&mut records, |record| record.poll.estimated_bytes());
        let mut items = Vec::with_capacity(records.len());
        let (store, mut memberships) = (&*self.inner.parts.store, OfManyPolls::default());
        for record in &records {
            let found = memberships.look_up(store, actor, &record.poll).await?;
            items.push(self.inner.view_as(actor, record, &found, None).await?);
        }
        let next_cursor = if more {
            items.last().map(|poll| poll.id)
        } else {
            None
        };
        Ok(Page { items, next_cursor })
    }
}

impl Inner {
    async fn memberships(
        &self,
        actor: &Actor,
        record: &PollRecord,
    ) -> Result<Memberships, StoreError> {
        Memberships::look_up(&*self.parts.store, actor, &record.poll, None).await
    }

    /// The poll, for an actor who looks as nobody in particular.
    pub(super) async fn view(
        &self,
        actor: &Actor,
        record: &PollRecord,
    ) -> Result<PollView, PollError> {
        let memberships = self.memberships(actor, record).await?;
        self.view_as(actor, record, &memberships, None).await
    }

    async fn view_as(
        &self,
        actor: &Actor,
        record: &PollRecord,
        memberships: &Memberships,
        voter: Option<&Voter>,
    ) -> Result<PollView, PollError> {
        let visible = self.results.visible(actor, record, memberships, voter);
        Ok(PollView::of(record, visible.await?))
    }
}
