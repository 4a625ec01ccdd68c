//! The workspaces themselves.

use polling_core::workspaces::{Added, Deleted, Workspace, WorkspaceName, WorkspaceRole};
use polling_core::{UserId, WorkspaceId};
use rusqlite::{OptionalExtension, Transaction, params};

use super::members;
use super::rows::{below, maybe_role, poll_ids, workspace};
use crate::columns;

const INSERT: &str = "\
-- workspaces.insert
INSERT INTO workspaces (id, name, created_at) VALUES (?1, ?2, ?3)";

const FIND: &str = "\
-- workspaces.find
SELECT w.id, w.name, w.created_at, m.role
FROM workspaces w
LEFT JOIN memberships m ON m.workspace = w.id AND m.member = ?2
WHERE w.id = ?1";

const LIST_ALL: &str = "\
-- workspaces.list_all
SELECT id, name, created_at, NULL FROM workspaces WHERE id < ?1 ORDER BY id DESC LIMIT ?2";

const LIST_OF_MEMBER: &str = "\
-- workspaces.list_of_member
SELECT w.id, w.name, w.created_at, m.role
FROM memberships m
JOIN workspaces w ON w.id = m.workspace
WHERE m.member = ?3 AND m.workspace < ?1
ORDER BY m.workspace DESC LIMIT ?2";

const RENAME: &str = "\
-- workspaces.rename
UPDATE workspaces SET name = ?2 WHERE id = ?1";

const POLLS: &str = "\
-- workspaces.polls
SELECT p.id FROM projects j JOIN polls p ON p.project = j.id WHERE j.workspace = ?1 LIMIT ?2";

const DELETE_MEMBERS: &str = "\
-- workspaces.delete_members
DELETE FROM memberships WHERE workspace = ?1";

const DELETE_INVITATIONS: &str = "\
-- workspaces.delete_invitations
DELETE FROM invitations WHERE workspace = ?1";

const DELETE_PROJECTS: &str = "\
-- workspaces.delete_projects
DELETE FROM projects WHERE workspace = ?1";

const DELETE: &str = "\
-- workspaces.delete
DELETE FROM workspaces WHERE id = ?1";

pub(super) fn insert(
    tx: &Transaction<'_>,
    workspace: &Workspace,
    owner: UserId,
    most: usize,
) -> rusqlite::Result<Added<()>> {
    if members::is_in_as_many(tx, owner, most)? {
        return Ok(Added::TooMany);
    }
    let (id, created_at) = (workspace.id.as_bytes(), workspace.created_at);
    tx.prepare_cached(INSERT)?.execute(params![
        id,
        workspace.name.as_str(),
        created_at.as_millis()
    ])?;
    members::insert(tx, workspace.id, owner, WorkspaceRole::Owner, created_at)?;
    Ok(Added::Done(()))
}

pub(super) fn find(
    tx: &Transaction<'_>,
    id: WorkspaceId,
    user: Option<UserId>,
) -> rusqlite::Result<Option<(Workspace, Option<WorkspaceRole>)>> {
    let user = user.as_ref().map(UserId::as_bytes);
    tx.prepare_cached(FIND)?
        .query_row(params![id.as_bytes(), user], |row| {
            Ok((workspace(row, 0)?, maybe_role(row, 3)?))
        })
        .optional()
}

pub(super) fn list(
    tx: &Transaction<'_>,
    user: Option<UserId>,
    before: Option<WorkspaceId>,
    limit: usize,
) -> rusqlite::Result<Vec<(Workspace, Option<WorkspaceRole>)>> {
    let before = below(before.as_ref().map(WorkspaceId::as_bytes));
    let limit = columns::limit(limit);
    let read = |row: &rusqlite::Row<'_>| Ok((workspace(row, 0)?, maybe_role(row, 3)?));
    match user {
        Some(user) => tx
            .prepare_cached(LIST_OF_MEMBER)?
            .query_map(params![before, limit, user.as_bytes()], read)?
            .collect(),
        None => tx
            .prepare_cached(LIST_ALL)?
            .query_map(params![before, limit], read)?
            .collect(),
    }
}

pub(super) fn rename(
    tx: &Transaction<'_>,
    id: WorkspaceId,
    name: &WorkspaceName,
) -> rusqlite::Result<bool> {
    let renamed = tx
        .prepare_cached(RENAME)?
        .execute(params![id.as_bytes(), name.as_str()])?;
    Ok(renamed > 0)
}

pub(super) fn delete(
    tx: &Transaction<'_>,
    id: WorkspaceId,
    polls: usize,
) -> rusqlite::Result<Deleted> {
    let id = id.as_bytes();
    let polls = poll_ids(tx, POLLS, params![id, columns::limit(polls)])?;
    if !polls.is_empty() {
        return Ok(Deleted::HasPolls(polls));
    }
    for sql in [DELETE_MEMBERS, DELETE_INVITATIONS, DELETE_PROJECTS] {
        tx.prepare_cached(sql)?.execute([id])?;
    }
    Ok(match tx.prepare_cached(DELETE)?.execute([id])? {
        0 => Deleted::Missing,
        _ => Deleted::Done,
    })
}
