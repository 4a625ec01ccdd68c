//! Rows of the room.

use polling_core::users::Email;
use polling_core::workspaces::{
    Invitation, Member, Project, ProjectName, Workspace, WorkspaceName, WorkspaceRole,
};
use polling_core::{InvitationId, PollId, ProjectId, UserId, WorkspaceId};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::columns::{Read, corrupt, each, poll_id, time};
use crate::error::Failure;

pub(super) const fn workspace_key(id: WorkspaceId) -> Uuid {
    Uuid::from_bytes(*id.as_bytes())
}

pub(super) const fn invitation_key(id: InvitationId) -> Uuid {
    Uuid::from_bytes(*id.as_bytes())
}

pub(super) const fn project_key(id: ProjectId) -> Uuid {
    Uuid::from_bytes(*id.as_bytes())
}

/// The id from below which a page goes on. No id is all ones.
pub(super) fn below(id: Option<Uuid>) -> Uuid {
    id.unwrap_or(Uuid::max())
}

fn id(row: &Row, column: usize) -> Read<[u8; 16]> {
    Ok(row.try_get::<_, Uuid>(column)?.into_bytes())
}

pub(super) fn role(row: &Row, column: usize) -> Read<WorkspaceRole> {
    let word: &str = row.try_get(column)?;
    WorkspaceRole::from_word(word).ok_or_else(|| corrupt("role", &word))
}

pub(super) fn maybe_role(row: &Row, column: usize) -> Read<Option<WorkspaceRole>> {
    let is_there = row.try_get::<_, Option<&str>>(column)?.is_some();
    is_there.then(|| role(row, column)).transpose()
}

/// Three columns, from the first on.
pub(super) fn workspace(row: &Row) -> Read<Workspace> {
    Ok(Workspace {
        id: WorkspaceId::from_bytes(id(row, 0)?),
        name: WorkspaceName::from_store(row.try_get(1)?),
        created_at: time(row, 2)?,
    })
}

/// The same, and what somebody is there.
pub(super) fn workspace_with_role(row: &Row) -> Read<(Workspace, Option<WorkspaceRole>)> {
    Ok((workspace(row)?, maybe_role(row, 3)?))
}

pub(super) fn member(row: &Row) -> Read<Member> {
    Ok(Member {
        user: UserId::from_bytes(id(row, 0)?),
        role: role(row, 1)?,
        joined_at: time(row, 2)?,
    })
}

pub(super) fn invitation(row: &Row) -> Read<Invitation> {
    Ok(Invitation {
        id: InvitationId::from_bytes(id(row, 0)?),
        workspace: WorkspaceId::from_bytes(id(row, 1)?),
        workspace_name: WorkspaceName::from_store(row.try_get(2)?),
        email: Email::from_store(row.try_get(3)?),
        role: role(row, 4)?,
        created_at: time(row, 5)?,
        expires_at: time(row, 6)?,
    })
}

pub(super) fn project(row: &Row) -> Read<Project> {
    Ok(Project {
        id: ProjectId::from_bytes(id(row, 0)?),
        workspace: WorkspaceId::from_bytes(id(row, 1)?),
        name: ProjectName::from_store(row.try_get(2)?),
        created_at: time(row, 3)?,
    })
}

pub(super) fn poll_ids(rows: &[Row]) -> Result<Vec<PollId>, Failure> {
    each(rows, |row| poll_id(row, 0))
}

/// Whether the number that was counted is as large as it may be.
pub(super) fn is_full(rows: &[Row], most: usize) -> Result<bool, Failure> {
    let counted: Vec<i64> = each(rows, |row| Ok(row.try_get(0)?))?;
    let counted = counted.first().copied().unwrap_or_default();
    Ok(usize::try_from(counted).is_ok_and(|counted| counted >= most))
}
