//! The workspaces, with their members, invitations and projects.
//!
//! What changes who or what is in a workspace is a transaction that locks the workspace's row first: its statements see
//! what others committed before, and nobody changes anything under its hand. After that row only a user's own lock is
//! taken, and then the rows of projects, so that nobody waits in a circle. No gate of a poll is ever held here.

mod invitations;
mod members;
mod projects;
mod rows;
mod spaces;

use async_trait::async_trait;
use polling_core::users::Email;
use polling_core::workspaces::{
    Accepted, Added, Deleted, Invitation, Member, MemberChange, MembershipLimits, Project,
    ProjectName, Workspace, WorkspaceName, WorkspaceRepository, WorkspaceRole,
};
use polling_core::{InvitationId, ProjectId, StoreError, Timestamp, UserId, WorkspaceId};
use tracing::{Instrument, debug_span};

pub(crate) use members::lock_user;

use crate::PgStore;
use crate::sql::statements;

statements! {
    /// The statements of the workspaces.
    WorkspaceStatements {
        insert = spaces::INSERT;
        find = spaces::FIND;
        list_all = spaces::LIST_ALL;
        list_of_member = spaces::LIST_OF_MEMBER;
        rename = spaces::RENAME;
        lock = spaces::LOCK;
        lock_projects = spaces::LOCK_PROJECTS;
        polls = spaces::POLLS;
        delete = spaces::DELETE;
        lock_user = members::LOCK_USER;
        insert_member = members::INSERT;
        role = members::ROLE;
        roles = members::ROLES;
        member = members::FIND;
        members = members::LIST;
        other_owner = members::OTHER_OWNER;
        set_role = members::SET_ROLE;
        remove_member = members::REMOVE;
        count_members = members::COUNT;
        count_of_member = members::COUNT_OF_MEMBER;
        count_invitations = invitations::COUNT;
        drop_expired = invitations::DROP_EXPIRED;
        invite = invitations::INVITE;
        invitations = invitations::LIST;
        invitation = invitations::FIND;
        withdraw = invitations::WITHDRAW;
        decline = invitations::DECLINE;
        invited_to = invitations::INVITED_TO;
        to_accept = invitations::TO_ACCEPT;
        accept = invitations::ACCEPT;
        count_projects = projects::COUNT;
        insert_project = projects::INSERT;
        project = projects::FIND;
        projects = projects::LIST;
        rename_project = projects::RENAME;
        lock_project = projects::LOCK;
        polls_of_project = projects::POLLS;
        delete_project = projects::DELETE;
    }
}

#[async_trait]
impl WorkspaceRepository for PgStore {
    async fn insert(
        &self,
        workspace: &Workspace,
        owner: UserId,
        most: usize,
    ) -> Result<Added<()>, StoreError> {
        let insert = spaces::insert(self, workspace, owner, most);
        Ok(insert
            .instrument(debug_span!("db.workspaces.insert"))
            .await?)
    }

    async fn find(
        &self,
        id: WorkspaceId,
        user: Option<UserId>,
    ) -> Result<Option<(Workspace, Option<WorkspaceRole>)>, StoreError> {
        Ok(spaces::find(self, id, user).await?)
    }

    async fn role(
        &self,
        id: WorkspaceId,
        user: UserId,
    ) -> Result<Option<WorkspaceRole>, StoreError> {
        Ok(members::role(self, id, user).await?)
    }

    async fn roles(
        &self,
        asked: &[(WorkspaceId, UserId)],
    ) -> Result<Vec<Option<WorkspaceRole>>, StoreError> {
        Ok(members::roles(self, asked).await?)
    }

    async fn list(
        &self,
        user: Option<UserId>,
        before: Option<WorkspaceId>,
        limit: usize,
    ) -> Result<Vec<(Workspace, Option<WorkspaceRole>)>, StoreError> {
        Ok(spaces::list(self, user, before, limit).await?)
    }

    async fn rename(&self, id: WorkspaceId, name: &WorkspaceName) -> Result<bool, StoreError> {
        Ok(spaces::rename(self, id, name).await?)
    }

    async fn delete(&self, id: WorkspaceId, polls: usize) -> Result<Deleted, StoreError> {
        let delete = spaces::delete(self, id, polls);
        Ok(delete
            .instrument(debug_span!("db.workspaces.delete"))
            .await?)
    }

    async fn members(
        &self,
        id: WorkspaceId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<Member>, StoreError> {
        Ok(members::list(self, id, after, limit).await?)
    }

    async fn set_role(
        &self,
        id: WorkspaceId,
        user: UserId,
        role: WorkspaceRole,
    ) -> Result<MemberChange, StoreError> {
        let set = members::change(self, id, user, Some(role));
        Ok(set
            .instrument(debug_span!("db.workspaces.set_role"))
            .await?)
    }

    async fn remove_member(
        &self,
        id: WorkspaceId,
        user: UserId,
    ) -> Result<MemberChange, StoreError> {
        let remove = members::change(self, id, user, None);
        Ok(remove
            .instrument(debug_span!("db.workspaces.remove_member"))
            .await?)
    }

    async fn invite(
        &self,
        invitation: &Invitation,
        most: usize,
    ) -> Result<Added<Invitation>, StoreError> {
        let invite = invitations::invite(self, invitation, most);
        Ok(invite
            .instrument(debug_span!("db.workspaces.invite"))
            .await?)
    }

    async fn invitations(
        &self,
        id: WorkspaceId,
        now: Timestamp,
        before: Option<InvitationId>,
        limit: usize,
    ) -> Result<Vec<Invitation>, StoreError> {
        Ok(invitations::list(self, id, now, before, limit).await?)
    }

    async fn invitation(
        &self,
        id: InvitationId,
        email: &Email,
        now: Timestamp,
    ) -> Result<Option<Invitation>, StoreError> {
        Ok(invitations::find(self, id, &email.key(), now).await?)
    }

    async fn withdraw(
        &self,
        id: WorkspaceId,
        invitation: InvitationId,
    ) -> Result<bool, StoreError> {
        Ok(invitations::withdraw(self, id, invitation).await?)
    }

    async fn decline(
        &self,
        invitation: InvitationId,
        email: &Email,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(invitations::decline(self, invitation, &email.key(), now).await?)
    }

    async fn accept(
        &self,
        invitation: InvitationId,
        user: UserId,
        email: &Email,
        now: Timestamp,
        most: MembershipLimits,
    ) -> Result<Accepted, StoreError> {
        let key = email.key();
        let accept = invitations::accept(self, invitation, user, &key, now, most);
        Ok(accept
            .instrument(debug_span!("db.workspaces.accept"))
            .await?)
    }

    async fn insert_project(
        &self,
        project: &Project,
        most: usize,
    ) -> Result<Added<()>, StoreError> {
        let insert = projects::insert(self, project, most);
        Ok(insert
            .instrument(debug_span!("db.workspaces.insert_project"))
            .await?)
    }

    async fn project(&self, id: ProjectId) -> Result<Option<Project>, StoreError> {
        Ok(projects::find(self, id).await?)
    }

    async fn projects(
        &self,
        id: WorkspaceId,
        before: Option<ProjectId>,
        limit: usize,
    ) -> Result<Vec<Project>, StoreError> {
        Ok(projects::list(self, id, before, limit).await?)
    }

    async fn rename_project(
        &self,
        id: WorkspaceId,
        project: ProjectId,
        name: &ProjectName,
    ) -> Result<Option<Project>, StoreError> {
        Ok(projects::rename(self, id, project, name).await?)
    }

    async fn delete_project(
        &self,
        id: WorkspaceId,
        project: ProjectId,
        polls: usize,
    ) -> Result<Deleted, StoreError> {
        let delete = projects::delete(self, id, project, polls);
        Ok(delete
            .instrument(debug_span!("db.workspaces.delete_project"))
            .await?)
    }
}
