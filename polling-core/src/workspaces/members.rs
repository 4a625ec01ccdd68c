//! Who is in a workspace, and as what.

use tracing::instrument;

use super::access::Action;
use super::error::WorkspaceError;
use super::page::{Listing, ListingRequest};
use super::repository::MemberChange;
use super::service::Workspaces;
use super::view::MemberView;
use super::wire::NewRole;
use crate::limits::Rule;
use crate::{Actor, UserId, WorkspaceId};

impl Workspaces {
    /// Lists the members of a workspace, by their user ids.
    ///
    /// # Errors
    /// `Invalid` where the page is none; `RateLimited`; `NotFound`, `Unauthorized`; `Store`.
    pub async fn members(
        &self,
        actor: &Actor,
        id: WorkspaceId,
        page: ListingRequest<UserId>,
    ) -> Result<Listing<MemberView, UserId>, WorkspaceError> {
        let inner = &self.inner;
        inner.allowed(actor, id, Action::Read).await?;
        let room = page.room(&inner.parts.settings)?;
        inner.parts.limits.check(Rule::List, actor).await?;
        let store = inner.store()?;
        let found = store.members(id, page.cursor, room.limit + 1).await?;
        Ok(Listing::of(found, room, |member| member.user, |_| 0))
    }

    /// Makes a member something else, at once: roles are looked up with each request.
    ///
    /// # Errors
    /// `LastOwner`; `MemberNotFound`; `Forbidden` to all but owners; `NotFound`, `Unauthorized`; `Store`.
    #[instrument(name = "workspaces.set_role", skip_all, fields(workspace = %id))]
    pub async fn set_role(
        &self,
        actor: &Actor,
        id: WorkspaceId,
        user: UserId,
        new: NewRole,
    ) -> Result<MemberView, WorkspaceError> {
        let actor = actor.clone();
        self.run(move |inner| async move {
            inner.allowed(&actor, id, Action::ManageMembers).await?;
            let member = done(inner.store()?.set_role(id, user, new.role).await?)?;
            inner.membership_changed(id, user);
            Ok(member)
        })
        .await
    }

    /// Removes a member; everybody may remove themselves.
    ///
    /// # Errors
    /// `LastOwner`; `MemberNotFound`; `Forbidden`; `NotFound`, `Unauthorized`; `Store`.
    #[instrument(name = "workspaces.remove_member", skip_all, fields(workspace = %id))]
    pub async fn remove_member(
        &self,
        actor: &Actor,
        id: WorkspaceId,
        user: UserId,
    ) -> Result<(), WorkspaceError> {
        let actor = actor.clone();
        self.run(move |inner| async move {
            let action = if actor.user_id() == Some(user) {
                Action::Leave
            } else {
                Action::ManageMembers
            };
            inner.allowed(&actor, id, action).await?;
            done(inner.store()?.remove_member(id, user).await?)?;
            inner.membership_changed(id, user);
            Ok(())
        })
        .await
    }
}

fn done(change: MemberChange) -> Result<MemberView, WorkspaceError> {
    match change {
        MemberChange::Done(member) => Ok(member.into()),
        MemberChange::LastOwner => Err(WorkspaceError::LastOwner),
        MemberChange::Missing => Err(WorkspaceError::MemberNotFound),
    }
}
