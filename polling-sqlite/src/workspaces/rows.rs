//! Rows of the room, and what its statements have in common.

use polling_core::users::Email;
use polling_core::workspaces::{
    Invitation, Member, Project, ProjectName, Workspace, WorkspaceName, WorkspaceRole,
};
use polling_core::{InvitationId, PollId, ProjectId, UserId, WorkspaceId};
use rusqlite::{Params, Row, Transaction};

use crate::columns::{corrupt, time};

/// Above every id: longer than one, and all ones.
const ABOVE_ALL: [u8; 17] = [0xFF; 17];

/// The bytes from below which a page goes on.
pub(super) fn below(id: Option<&[u8; 16]>) -> &[u8] {
    id.map_or(&ABOVE_ALL, |id| id)
}

pub(super) fn role(row: &Row<'_>, column: usize) -> rusqlite::Result<WorkspaceRole> {
    let word = row.get_ref(column)?.as_str()?;
    WorkspaceRole::from_word(word).ok_or_else(|| corrupt(column, "role"))
}

pub(super) fn maybe_role(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<WorkspaceRole>> {
    match row.get_ref(column)?.as_str_or_null()? {
        Some(_) => role(row, column).map(Some),
        None => Ok(None),
    }
}

/// Three columns, from `column` on.
pub(super) fn workspace(row: &Row<'_>, column: usize) -> rusqlite::Result<Workspace> {
    Ok(Workspace {
        id: WorkspaceId::from_bytes(row.get(column)?),
        name: WorkspaceName::from_store(row.get(column + 1)?),
        created_at: time(row, column + 2)?,
    })
}

pub(super) fn member(row: &Row<'_>) -> rusqlite::Result<Member> {
    Ok(Member {
        user: UserId::from_bytes(row.get(0)?),
        role: role(row, 1)?,
        joined_at: time(row, 2)?,
    })
}

pub(super) fn invitation(row: &Row<'_>) -> rusqlite::Result<Invitation> {
    Ok(Invitation {
        id: InvitationId::from_bytes(row.get(0)?),
        workspace: WorkspaceId::from_bytes(row.get(1)?),
        workspace_name: WorkspaceName::from_store(row.get(2)?),
        email: Email::from_store(row.get(3)?),
        role: role(row, 4)?,
        created_at: time(row, 5)?,
        expires_at: time(row, 6)?,
    })
}

pub(super) fn project(row: &Row<'_>) -> rusqlite::Result<Project> {
    Ok(Project {
        id: ProjectId::from_bytes(row.get(0)?),
        workspace: WorkspaceId::from_bytes(row.get(1)?),
        name: ProjectName::from_store(row.get(2)?),
        created_at: time(row, 3)?,
    })
}

pub(super) fn poll_ids(
    tx: &Transaction<'_>,
    sql: &str,
    params: impl Params,
) -> rusqlite::Result<Vec<PollId>> {
    let mut select = tx.prepare_cached(sql)?;
    let ids = select.query_map(params, |row| row.get(0).map(PollId::from_bytes))?;
    ids.collect()
}

/// Whether a statement that looks for one more than there may be finds it.
pub(super) fn is_full(
    tx: &Transaction<'_>,
    sql: &str,
    params: impl Params,
    most: usize,
) -> rusqlite::Result<bool> {
    let rows: i64 = tx
        .prepare_cached(sql)?
        .query_row(params, |row| row.get(0))?;
    Ok(usize::try_from(rows).is_ok_and(|rows| rows >= most))
}
