//! Inviting people by their e-mail address. Nothing that an inviter is told depends on whether the address has an account,
//! nor on whether that is a member: nobody looks at either before the invitation is answered.

use std::sync::Arc;

use tracing::instrument;

use super::access::Action;
use super::error::WorkspaceError;
use super::model::Invitation;
use super::page::{Listing, ListingRequest};
use super::repository::{Accepted, Added, MembershipLimits};
use super::service::{Inner, Workspaces, signed_in};
use super::view::{InvitationView, WorkspaceView};
use super::wire::NewInvitation;
use crate::limits::{AccountKey, Key, LimitError, Rule};
use crate::users::{Email, in_time};
use crate::{Actor, FieldError, InvitationId, UserId, WorkspaceId, log_each_second};

impl Workspaces {
    /// Invites whoever has, or will have, the account of an e-mail address, and sends the invitation there by the
    /// [`LinkSender`](crate::users::LinkSender), unless the address was sent as many as it may be
    /// ([`Rule::InvitationMail`]). Neither that nor the pace and success of the sending changes anything about the answer.
    /// Repeated, it makes a new invitation, with an id of its own, in the place of the one before, whose id is good for
    /// nothing any more.
    ///
    /// The id is a secret: only an owner and the address are to know it, because addresses are not verified.
    ///
    /// # Errors
    /// `Invalid`; `LimitReached`; `RateLimited`; `Forbidden` to all but owners; `NotFound`, `Unauthorized`; `Store`.
    #[instrument(name = "workspaces.invite", skip_all, fields(workspace = %id))]
    pub async fn invite(
        &self,
        actor: &Actor,
        id: WorkspaceId,
        new: NewInvitation,
    ) -> Result<InvitationView, WorkspaceError> {
        let actor = actor.clone();
        self.run(move |inner| async move {
            let (workspace, _) = inner.allowed(&actor, id, Action::Invite).await?;
            let email = Email::parse(&new.email).map_err(|detail| {
                WorkspaceError::Invalid(vec![FieldError::invalid("/email", detail)])
            })?;
            inner.parts.limits.check(Rule::Invite, &actor).await?;
            let now = inner.parts.clock.now();
            let invitation = Invitation {
                id: InvitationId::new(now, &*inner.parts.ids),
                workspace: id,
                workspace_name: workspace.name,
                email,
                role: new.role,
                created_at: now,
                expires_at: now.after(inner.limits().invitation_lifetime),
            };
            let most = inner.limits().invitations;
            match inner.store()?.invite(&invitation, most).await? {
                Added::Done(invitation) => {
                    let to = invitation.email.clone();
                    let view = InvitationView::from(invitation);
                    inner.send(&actor, to, view.clone()).await;
                    Ok(view)
                }
                Added::TooMany => Err(WorkspaceError::LimitReached(
                    "invitations to this workspace",
                )),
                Added::Missing => Err(WorkspaceError::NotFound),
            }
        })
        .await
    }

    /// Lists the invitations to a workspace that are still to be answered, newest first.
    ///
    /// # Errors
    /// `Invalid` where the page is none; `RateLimited`; `Forbidden` to all but owners; `NotFound`, `Unauthorized`; `Store`.
    pub async fn invitations(
        &self,
        actor: &Actor,
        id: WorkspaceId,
        page: ListingRequest<InvitationId>,
    ) -> Result<Listing<InvitationView, InvitationId>, WorkspaceError> {
        let inner = &self.inner;
        inner.allowed(actor, id, Action::Invite).await?;
        let room = page.room(&inner.parts.settings)?;
        inner.parts.limits.check(Rule::List, actor).await?;
        let now = inner.parts.clock.now();
        let found = inner
            .store()?
            .invitations(id, now, page.cursor, room.limit + 1)
            .await?;
        let texts = |invitation: &Invitation| {
            invitation.workspace_name.as_str().len() + invitation.email.as_str().len()
        };
        Ok(Listing::of(found, room, |invitation| invitation.id, texts))
    }

    /// Takes an invitation back that was not accepted yet.
    ///
    /// # Errors
    /// `InvitationNotFound`; `Forbidden` to all but owners; `NotFound`, `Unauthorized`; `Store`.
    #[instrument(name = "workspaces.withdraw_invitation", skip_all, fields(workspace = %id))]
    pub async fn withdraw_invitation(
        &self,
        actor: &Actor,
        id: WorkspaceId,
        invitation: InvitationId,
    ) -> Result<(), WorkspaceError> {
        let actor = actor.clone();
        self.run(move |inner| async move {
            inner.allowed(&actor, id, Action::Invite).await?;
            if inner.store()?.withdraw(id, invitation).await? {
                Ok(())
            } else {
                Err(WorkspaceError::InvitationNotFound)
            }
        })
        .await
    }

    /// Reads an invitation of the signed-in user's address that is still to be answered. There is no list of them: who has
    /// an address here need not be who reads its mail, and only the latter was sent the id.
    ///
    /// # Errors
    /// `InvitationNotFound`, also where it is somebody else's or over; `Unauthorized`; `Store`.
    pub async fn invitation(
        &self,
        actor: &Actor,
        id: InvitationId,
    ) -> Result<InvitationView, WorkspaceError> {
        let inner = &self.inner;
        let email = inner.email_of(signed_in(actor)?).await?;
        let now = inner.parts.clock.now();
        let found = inner.store()?.invitation(id, &email, now).await?;
        let found = found.ok_or(WorkspaceError::InvitationNotFound)?;
        Ok(found.into())
    }

    /// Accepts an invitation of the signed-in user's address. Repeated, it changes nothing, until the address is invited
    /// again, by another id; who is a member already stays what they are.
    ///
    /// # Errors
    /// `InvitationNotFound`, also where it is somebody else's or over; `LimitReached`; `Unauthorized`; `Store`.
    #[instrument(name = "workspaces.accept", skip_all)]
    pub async fn accept(
        &self,
        actor: &Actor,
        id: InvitationId,
    ) -> Result<WorkspaceView, WorkspaceError> {
        let user = signed_in(actor)?;
        self.run(move |inner| async move {
            let email = inner.email_of(user).await?;
            let most = MembershipLimits {
                members: inner.limits().members,
                workspaces: inner.limits().of_a_user,
            };
            let now = inner.parts.clock.now();
            match inner.store()?.accept(id, user, &email, now, most).await? {
                Accepted::Joined(workspace, role) => {
                    inner.membership_changed(workspace.id, user);
                    Ok(WorkspaceView::from((workspace, Some(role))))
                }
                Accepted::Member(workspace, role) => {
                    Ok(WorkspaceView::from((workspace, Some(role))))
                }
                Accepted::WorkspaceFull => {
                    Err(WorkspaceError::LimitReached("members of this workspace"))
                }
                Accepted::UserFull => Err(WorkspaceError::LimitReached("workspaces for you")),
                Accepted::Missing => Err(WorkspaceError::InvitationNotFound),
            }
        })
        .await
    }

    /// Declines an invitation of the signed-in user's address: it is gone.
    ///
    /// # Errors
    /// `InvitationNotFound`, also where it is somebody else's or over; `Unauthorized`; `Store`.
    #[instrument(name = "workspaces.decline", skip_all)]
    pub async fn decline(&self, actor: &Actor, id: InvitationId) -> Result<(), WorkspaceError> {
        let user = signed_in(actor)?;
        self.run(move |inner| async move {
            let email = inner.email_of(user).await?;
            let now = inner.parts.clock.now();
            if inner.store()?.decline(id, &email, now).await? {
                Ok(())
            } else {
                Err(WorkspaceError::InvitationNotFound)
            }
        })
        .await
    }
}

impl Inner {
    /// The address of a user's account. Where the accounts are elsewhere, or this one is gone, no invitation is theirs.
    async fn email_of(&self, user: UserId) -> Result<Email, WorkspaceError> {
        let found = match self.parts.store.users() {
            Some(users) => users.find(user).await?,
            None => None,
        };
        let user = found.ok_or(WorkspaceError::InvitationNotFound)?;
        Ok(user.email)
    }

    /// Sends an invitation on its way. While too many are, or where its address was sent as many as it may be, it is not sent:
    /// whoever made it knows the id.
    async fn send(&self, by: &Actor, to: Email, invitation: InvitationView) {
        let Some(sender) = self.post.sender().map(Arc::clone) else {
            return;
        };
        let Some(place) = self.post.place() else {
            log_each_second!(
                warn,
                "an invitation was not sent: too many are on their way"
            );
            return;
        };
        if !self.may_be_sent(by, &to).await {
            return;
        }
        let parts = self.parts.clone();
        self.post.spawn(place, "an invitation", async move {
            in_time(&parts, sender.invite(&to, &invitation)).await
        });
    }

    /// Counts one more that is sent to an address, so that many accounts together cannot flood one mailbox. The inviter is
    /// told nothing: how often others have invited an address is none of their business.
    async fn may_be_sent(&self, by: &Actor, to: &Email) -> bool {
        if matches!(by, Actor::System) {
            return true;
        }
        let address = Key::Account(AccountKey::of(to.as_str()));
        match self.parts.limits.count(Rule::InvitationMail, address).await {
            Ok(()) => true,
            Err(LimitError::Exceeded(_)) => {
                log_each_second!(
                    warn,
                    "an invitation was not sent: its address was sent as many as it may be"
                );
                false
            }
            Err(LimitError::Store(error)) => {
                log_each_second!(
                    warn,
                    "an invitation was not sent: nobody could count it",
                    error = %error
                );
                false
            }
        }
    }
}
