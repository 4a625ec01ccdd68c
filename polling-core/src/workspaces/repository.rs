//! The port of the workspaces, as a contract. `polling-conformance` tests each sentence of it.

use async_trait::async_trait;

use super::model::{
    Invitation, Member, Project, ProjectName, Workspace, WorkspaceName, WorkspaceRole,
};
use crate::users::Email;
use crate::{InvitationId, PollId, ProjectId, StoreError, Timestamp, UserId, WorkspaceId};

/// The workspaces of a store, with their members, invitations and projects. Every method is one atomic step: it happens
/// whole, or not at all, and is durable on return.
///
/// A workspace has at least one owner at every moment, whoever changes whatever at once. Bounds hold exactly, also for
/// those who come at once: what would be one more than `most` is not written.
#[async_trait]
pub trait WorkspaceRepository: Send + Sync {
    /// Keeps a new workspace, with its first owner; `TooMany` where this user is in `most` workspaces already.
    async fn insert(
        &self,
        workspace: &Workspace,
        owner: UserId,
        most: usize,
    ) -> Result<Added<()>, StoreError>;

    /// A workspace, and what this user is there; `None` where there is no such workspace.
    async fn find(
        &self,
        id: WorkspaceId,
        user: Option<UserId>,
    ) -> Result<Option<(Workspace, Option<WorkspaceRole>)>, StoreError>;

    /// What a user is in a workspace now; `None` where they are no member, or there is no such workspace.
    async fn role(
        &self,
        id: WorkspaceId,
        user: UserId,
    ) -> Result<Option<WorkspaceRole>, StoreError>;

    /// What each of these users is in the workspace beside them, in their order and from one moment; as [`role`](Self::role)
    /// says of each.
    async fn roles(
        &self,
        asked: &[(WorkspaceId, UserId)],
    ) -> Result<Vec<Option<WorkspaceRole>>, StoreError>;

    /// The workspaces that this user is in, and what they are there; all, where it is `None`. Newest id first, from below
    /// `before` on, at most `limit`.
    async fn list(
        &self,
        user: Option<UserId>,
        before: Option<WorkspaceId>,
        limit: usize,
    ) -> Result<Vec<(Workspace, Option<WorkspaceRole>)>, StoreError>;

    /// Gives a workspace another name; `false` where there is no such workspace.
    async fn rename(&self, id: WorkspaceId, name: &WorkspaceName) -> Result<bool, StoreError>;

    /// Removes a workspace, with its members, invitations and projects, unless there are polls in it: then nothing is
    /// removed, and at most `polls` of them are told.
    async fn delete(&self, id: WorkspaceId, polls: usize) -> Result<Deleted, StoreError>;

    /// The members of a workspace by their user ids, from above `after` on, at most `limit`.
    async fn members(
        &self,
        id: WorkspaceId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<Member>, StoreError>;

    /// Makes a member something else; `LastOwner`, and nothing is written, where no owner would be left.
    async fn set_role(
        &self,
        id: WorkspaceId,
        user: UserId,
        role: WorkspaceRole,
    ) -> Result<MemberChange, StoreError>;

    /// Removes a member; `LastOwner`, and nothing is written, where no owner would be left. What is `Done` tells what they
    /// were.
    async fn remove_member(
        &self,
        id: WorkspaceId,
        user: UserId,
    ) -> Result<MemberChange, StoreError>;

    /// Keeps an invitation. Where the [key](Email::key) of its address is invited to this workspace already, it replaces the
    /// invitation that is there, accepted or not, whose id is good for nothing from then on: whoever knew it was not told
    /// the new one. `TooMany` where the workspace has `most` others that were neither accepted nor are over at the
    /// new one's `created_at`. Returns the invitation as it is now.
    async fn invite(
        &self,
        invitation: &Invitation,
        most: usize,
    ) -> Result<Added<Invitation>, StoreError>;

    /// The invitations to a workspace that can be accepted at `now`, newest id first, from below `before` on, at most
    /// `limit`.
    async fn invitations(
        &self,
        id: WorkspaceId,
        now: Timestamp,
        before: Option<InvitationId>,
        limit: usize,
    ) -> Result<Vec<Invitation>, StoreError>;

    /// This invitation, if it is of this address, without regard to case, and can be accepted at `now`.
    async fn invitation(
        &self,
        id: InvitationId,
        email: &Email,
        now: Timestamp,
    ) -> Result<Option<Invitation>, StoreError>;

    /// Removes an invitation to this workspace that was not accepted; `false` where there is none.
    async fn withdraw(&self, id: WorkspaceId, invitation: InvitationId)
    -> Result<bool, StoreError>;

    /// Removes an invitation of this address that can be accepted at `now`; `false` where there is none.
    async fn decline(
        &self,
        invitation: InvitationId,
        email: &Email,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Makes `user` a member from `now` on, if the invitation is of this address, was not accepted, and is not over. Whoever
    /// is a member already stays what they are, and the invitation is accepted too. Sent again by whom it was accepted, it
    /// is `Member` as long as they are one and it was not replaced, and changes nothing; who was removed meanwhile needs to be
    /// invited again.
    async fn accept(
        &self,
        invitation: InvitationId,
        user: UserId,
        email: &Email,
        now: Timestamp,
        most: MembershipLimits,
    ) -> Result<Accepted, StoreError>;

    /// Keeps a new project; `TooMany` where its workspace has `most` already.
    async fn insert_project(&self, project: &Project, most: usize)
    -> Result<Added<()>, StoreError>;

    /// A project; `None` where there is none.
    async fn project(&self, id: ProjectId) -> Result<Option<Project>, StoreError>;

    /// The projects of a workspace, newest id first, from below `before` on, at most `limit`.
    async fn projects(
        &self,
        id: WorkspaceId,
        before: Option<ProjectId>,
        limit: usize,
    ) -> Result<Vec<Project>, StoreError>;

    /// Gives a project of this workspace another name, and returns it; `None` where there is none.
    async fn rename_project(
        &self,
        id: WorkspaceId,
        project: ProjectId,
        name: &ProjectName,
    ) -> Result<Option<Project>, StoreError>;

    /// Removes a project of this workspace, unless there are polls in it: then nothing is removed, and at most `polls` of
    /// them are told.
    async fn delete_project(
        &self,
        id: WorkspaceId,
        project: ProjectId,
        polls: usize,
    ) -> Result<Deleted, StoreError>;
}

/// What became of something new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Added<T> {
    /// It is kept.
    Done(T),
    /// There are as many as there may be; nothing was written.
    TooMany,
    /// There is no such workspace.
    Missing,
}

/// What became of a removal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// It is gone.
    Done,
    /// These polls are in it, and perhaps more; nothing was written.
    HasPolls(Vec<PollId>),
    /// There is no such thing.
    Missing,
}

/// What became of a change of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberChange {
    /// It is written.
    Done(Member),
    /// The workspace would have no owner; nothing was written.
    LastOwner,
    /// There is no such member.
    Missing,
}

/// How many there may be, at most.
#[derive(Clone, Copy, Debug)]
pub struct MembershipLimits {
    /// Members of a workspace.
    pub members: usize,
    /// Workspaces that a user is in.
    pub workspaces: usize,
}

/// What became of an invitation that somebody wants to accept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// They are a member now.
    Joined(Workspace, WorkspaceRole),
    /// They were one already; this is what they are.
    Member(Workspace, WorkspaceRole),
    /// The workspace has as many members as it may have; nothing was written.
    WorkspaceFull,
    /// The user is in as many workspaces as they may be; nothing was written.
    UserFull,
    /// There is no such invitation for them.
    Missing,
}
