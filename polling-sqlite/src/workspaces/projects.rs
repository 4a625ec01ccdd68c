//! The projects of a workspace.

use polling_core::workspaces::{Added, Deleted, Project, ProjectName};
use polling_core::{ProjectId, WorkspaceId};
use rusqlite::{OptionalExtension, Transaction, params};

use super::rows::{below, is_full, poll_ids, project};
use super::spaces;
use crate::columns;

const COUNT: &str = "\
-- workspaces.count_projects
SELECT count(*) FROM (SELECT 1 FROM projects WHERE workspace = ?1 LIMIT ?2)";

const INSERT: &str = "\
-- workspaces.insert_project
INSERT INTO projects (id, workspace, name, created_at) VALUES (?1, ?2, ?3, ?4)";

const FIND: &str = "\
-- workspaces.project
SELECT id, workspace, name, created_at FROM projects WHERE id = ?1";

const LIST: &str = "\
-- workspaces.projects
SELECT id, workspace, name, created_at FROM projects WHERE workspace = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3";

const RENAME: &str = "\
-- workspaces.rename_project
UPDATE projects SET name = ?3 WHERE id = ?1 AND workspace = ?2
RETURNING id, workspace, name, created_at";

const POLLS: &str = "\
-- workspaces.polls_of_project
SELECT p.id FROM polls p JOIN projects j ON j.id = p.project
WHERE p.project = ?1 AND j.workspace = ?2 LIMIT ?3";

const DELETE: &str = "\
-- workspaces.delete_project
DELETE FROM projects WHERE id = ?1 AND workspace = ?2";

pub(super) fn insert(
    tx: &Transaction<'_>,
    project: &Project,
    most: usize,
) -> rusqlite::Result<Added<()>> {
    if spaces::find(tx, project.workspace, None)?.is_none() {
        return Ok(Added::Missing);
    }
    let workspace = project.workspace.as_bytes();
    if is_full(tx, COUNT, params![workspace, columns::limit(most)], most)? {
        return Ok(Added::TooMany);
    }
    tx.prepare_cached(INSERT)?.execute(params![
        project.id.as_bytes(),
        workspace,
        project.name.as_str(),
        project.created_at.as_millis(),
    ])?;
    Ok(Added::Done(()))
}

pub(super) fn find(tx: &Transaction<'_>, id: ProjectId) -> rusqlite::Result<Option<Project>> {
    tx.prepare_cached(FIND)?
        .query_row([id.as_bytes()], project)
        .optional()
}

pub(super) fn list(
    tx: &Transaction<'_>,
    workspace: WorkspaceId,
    before: Option<ProjectId>,
    limit: usize,
) -> rusqlite::Result<Vec<Project>> {
    let before = below(before.as_ref().map(ProjectId::as_bytes));
    let params = params![workspace.as_bytes(), before, columns::limit(limit)];
    let mut list = tx.prepare_cached(LIST)?;
    list.query_map(params, project)?.collect()
}

pub(super) fn rename(
    tx: &Transaction<'_>,
    workspace: WorkspaceId,
    id: ProjectId,
    name: &ProjectName,
) -> rusqlite::Result<Option<Project>> {
    let params = params![id.as_bytes(), workspace.as_bytes(), name.as_str()];
    tx.prepare_cached(RENAME)?
        .query_row(params, project)
        .optional()
}

pub(super) fn delete(
    tx: &Transaction<'_>,
    workspace: WorkspaceId,
    id: ProjectId,
    polls: usize,
) -> rusqlite::Result<Deleted> {
    let (id, workspace) = (id.as_bytes(), workspace.as_bytes());
    let polls = poll_ids(tx, POLLS, params![id, workspace, columns::limit(polls)])?;
    if !polls.is_empty() {
        return Ok(Deleted::HasPolls(polls));
    }
    Ok(match tx.prepare_cached(DELETE)?.execute([id, workspace])? {
        0 => Deleted::Missing,
        _ => Deleted::Done,
    })
}
