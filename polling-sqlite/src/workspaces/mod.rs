//! The workspaces, with their members, invitations and projects. The writer has the database for itself, so that what was
//! looked at still holds when it is written.

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
use rusqlite::Transaction;
use tracing::debug_span;

use crate::SqliteStore;

#[async_trait]
impl WorkspaceRepository for SqliteStore {
    async fn insert(
        &self,
        workspace: &Workspace,
        owner: UserId,
        most: usize,
    ) -> Result<Added<()>, StoreError> {
        let workspace = workspace.clone();
        let insert = move |tx: &Transaction<'_>| spaces::insert(tx, &workspace, owner, most);
        Ok(self
            .write(debug_span!("db.workspaces.insert"), insert)
            .await?)
    }

    async fn find(
        &self,
        id: WorkspaceId,
        user: Option<UserId>,
    ) -> Result<Option<(Workspace, Option<WorkspaceRole>)>, StoreError> {
        let find = move |tx: &Transaction<'_>| spaces::find(tx, id, user);
        self.read(debug_span!("db.workspaces.find"), find).await
    }

    async fn role(
        &self,
        id: WorkspaceId,
        user: UserId,
    ) -> Result<Option<WorkspaceRole>, StoreError> {
        let role = move |tx: &Transaction<'_>| members::role(tx, id, user);
        self.read(debug_span!("db.workspaces.role"), role).await
    }

    async fn roles(
        &self,
        asked: &[(WorkspaceId, UserId)],
    ) -> Result<Vec<Option<WorkspaceRole>>, StoreError> {
        let span = debug_span!("db.workspaces.roles", members = asked.len());
        let asked = asked.to_vec();
        let roles = move |tx: &Transaction<'_>| {
            let role = |&(id, user): &_| members::role(tx, id, user);
            asked.iter().map(role).collect()
        };
        self.read(span, roles).await
    }

    async fn list(
        &self,
        user: Option<UserId>,
        before: Option<WorkspaceId>,
        limit: usize,
    ) -> Result<Vec<(Workspace, Option<WorkspaceRole>)>, StoreError> {
        let list = move |tx: &Transaction<'_>| spaces::list(tx, user, before, limit);
        self.read(debug_span!("db.workspaces.list"), list).await
    }

    async fn rename(&self, id: WorkspaceId, name: &WorkspaceName) -> Result<bool, StoreError> {
        let name = name.clone();
        let rename = move |tx: &Transaction<'_>| spaces::rename(tx, id, &name);
        Ok(self
            .write(debug_span!("db.workspaces.rename"), rename)
            .await?)
    }

    async fn delete(&self, id: WorkspaceId, polls: usize) -> Result<Deleted, StoreError> {
        let delete = move |tx: &Transaction<'_>| spaces::delete(tx, id, polls);
        Ok(self
            .write(debug_span!("db.workspaces.delete"), delete)
            .await?)
    }

    async fn members(
        &self,
        id: WorkspaceId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<Member>, StoreError> {
        let list = move |tx: &Transaction<'_>| members::list(tx, id, after, limit);
        self.read(debug_span!("db.workspaces.members"), list).await
    }

    async fn set_role(
        &self,
        id: WorkspaceId,
        user: UserId,
        role: WorkspaceRole,
    ) -> Result<MemberChange, StoreError> {
        let set = move |tx: &Transaction<'_>| members::change(tx, id, user, Some(role));
        Ok(self
            .write(debug_span!("db.workspaces.set_role"), set)
            .await?)
    }

    async fn remove_member(
        &self,
        id: WorkspaceId,
        user: UserId,
    ) -> Result<MemberChange, StoreError> {
        let remove = move |tx: &Transaction<'_>| members::change(tx, id, user, None);
        Ok(self
            .write(debug_span!("db.workspaces.remove_member"), remove)
            .await?)
    }

    async fn invite(
        &self,
        invitation: &Invitation,
        most: usize,
    ) -> Result<Added<Invitation>, StoreError> {
        let invitation = invitation.clone();
        let invite = move |tx: &Transaction<'_>| invitations::invite(tx, &invitation, most);
        Ok(self
            .write(debug_span!("db.workspaces.invite"), invite)
            .await?)
    }

    async fn invitations(
        &self,
        id: WorkspaceId,
        now: Timestamp,
        before: Option<InvitationId>,
        limit: usize,
    ) -> Result<Vec<Invitation>, StoreError> {
        let list = move |tx: &Transaction<'_>| invitations::list(tx, id, now, before, limit);
        self.read(debug_span!("db.workspaces.invitations"), list)
            .await
    }

    async fn invitation(
        &self,
        id: InvitationId,
        email: &Email,
        now: Timestamp,
    ) -> Result<Option<Invitation>, StoreError> {
        let key = email.key();
        let find = move |tx: &Transaction<'_>| invitations::find(tx, id, &key, now);
        self.read(debug_span!("db.workspaces.invitation"), find)
            .await
    }

    async fn withdraw(
        &self,
        id: WorkspaceId,
        invitation: InvitationId,
    ) -> Result<bool, StoreError> {
        let withdraw = move |tx: &Transaction<'_>| invitations::withdraw(tx, id, invitation);
        Ok(self
            .write(debug_span!("db.workspaces.withdraw"), withdraw)
            .await?)
    }

    async fn decline(
        &self,
        invitation: InvitationId,
        email: &Email,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let key = email.key();
        let decline = move |tx: &Transaction<'_>| invitations::decline(tx, invitation, &key, now);
        Ok(self
            .write(debug_span!("db.workspaces.decline"), decline)
            .await?)
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
        let accept =
            move |tx: &Transaction<'_>| invitations::accept(tx, invitation, user, &key, now, most);
        Ok(self
            .write(debug_span!("db.workspaces.accept"), accept)
            .await?)
    }

    async fn insert_project(
        &self,
        project: &Project,
        most: usize,
    ) -> Result<Added<()>, StoreError> {
        let project = project.clone();
        let insert = move |tx: &Transaction<'_>| projects::insert(tx, &project, most);
        Ok(self
            .write(debug_span!("db.workspaces.insert_project"), insert)
            .await?)
    }

    async fn project(&self, id: ProjectId) -> Result<Option<Project>, StoreError> {
        let find = move |tx: &Transaction<'_>| projects::find(tx, id);
        self.read(debug_span!("db.workspaces.project"), find).await
    }

    async fn projects(
        &self,
        id: WorkspaceId,
        before: Option<ProjectId>,
        limit: usize,
    ) -> Result<Vec<Project>, StoreError> {
        let list = move |tx: &Transaction<'_>| projects::list(tx, id, before, limit);
        self.read(debug_span!("db.workspaces.projects"), list).await
    }

    async fn rename_project(
        &self,
        id: WorkspaceId,
        project: ProjectId,
        name: &ProjectName,
    ) -> Result<Option<Project>, StoreError> {
        let name = name.clone();
        let rename = move |tx: &Transaction<'_>| projects::rename(tx, id, project, &name);
        Ok(self
            .write(debug_span!("db.workspaces.rename_project"), rename)
            .await?)
    }

    async fn delete_project(
        &self,
        id: WorkspaceId,
        project: ProjectId,
        polls: usize,
    ) -> Result<Deleted, StoreError> {
        let delete = move |tx: &Transaction<'_>| projects::delete(tx, id, project, polls);
        Ok(self
            .write(debug_span!("db.workspaces.delete_project"), delete)
            .await?)
    }
}
