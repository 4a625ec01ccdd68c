//! The projects of a workspace.

use polling_core::workspaces::{Added, Deleted, Project, ProjectName};
use polling_core::{ProjectId, WorkspaceId};
use tracing::debug_span;

use super::rows::{below, is_full, poll_ids, project, project_key, workspace_key};
use super::spaces;
use crate::PgStore;
use crate::columns::{self, Time, each, first};
use crate::error::Failure;

pub(super) const COUNT: &str = "\
-- workspaces.count_projects
SELECT count(*) FROM (SELECT 1 FROM {schema}.projects WHERE workspace = $1 LIMIT $2) AS found";

pub(super) const INSERT: &str = "\
-- workspaces.insert_project
INSERT INTO {schema}.projects (id, workspace, name, created_at) VALUES ($1, $2, $3, $4)";

pub(super) const FIND: &str = "\
-- workspaces.project
SELECT id, workspace, name, created_at FROM {schema}.projects WHERE id = $1";

pub(super) const LIST: &str = "\
-- workspaces.projects
SELECT id, workspace, name, created_at FROM {schema}.projects
WHERE workspace = $1 AND id < $2
ORDER BY id DESC LIMIT $3";

pub(super) const RENAME: &str = "\
-- workspaces.rename_project
UPDATE {schema}.projects SET name = $3 WHERE id = $1 AND workspace = $2
RETURNING id, workspace, name, created_at";

/// Whoever is about to create a poll in it comes to an end first; the polls are looked for after it.
pub(super) const LOCK: &str = "\
-- workspaces.lock_project
SELECT id FROM {schema}.projects WHERE id = $1 AND workspace = $2 FOR UPDATE";

pub(super) const POLLS: &str = "\
-- workspaces.polls_of_project
SELECT id FROM {schema}.polls WHERE project = $1 LIMIT $2";

pub(super) const DELETE: &str = "\
-- workspaces.delete_project
DELETE FROM {schema}.projects WHERE id = $1";

pub(super) async fn insert(
    store: &PgStore,
    project: &Project,
    most: usize,
) -> Result<Added<()>, Failure> {
    let tx = store.database().begin().await?;
    if !spaces::lock(store, &tx, project.workspace).await? {
        tx.roll_back().await?;
        return Ok(Added::Missing);
    }
    let sql = &store.sql().workspaces;
    let workspace = workspace_key(project.workspace);
    let params: &columns::Params<'_> = &[&workspace, &columns::limit(most)];
    if is_full(&tx.query(&sql.count_projects, params).await?, most)? {
        tx.roll_back().await?;
        return Ok(Added::TooMany);
    }
    let params: &columns::Params<'_> = &[
        &project_key(project.id),
        &workspace,
        &project.name.as_str(),
        &Time(project.created_at),
    ];
    tx.query(&sql.insert_project, params).await?;
    tx.commit().await?;
    Ok(Added::Done(()))
}

pub(super) async fn find(store: &PgStore, id: ProjectId) -> Result<Option<Project>, Failure> {
    let sql = &store.sql().workspaces.project;
    let span = debug_span!("db.workspaces.project");
    let params: &columns::Params<'_> = &[&project_key(id)];
    first(&store.database().read(span, sql, params).await?, project)
}

pub(super) async fn list(
    store: &PgStore,
    workspace: WorkspaceId,
    before: Option<ProjectId>,
    limit: usize,
) -> Result<Vec<Project>, Failure> {
    let sql = &store.sql().workspaces.projects;
    let span = debug_span!("db.workspaces.projects");
    let before = below(before.map(project_key));
    let params: &columns::Params<'_> =
        &[&workspace_key(workspace), &before, &columns::limit(limit)];
    each(&store.database().read(span, sql, params).await?, project)
}

pub(super) async fn rename(
    store: &PgStore,
    workspace: WorkspaceId,
    id: ProjectId,
    name: &ProjectName,
) -> Result<Option<Project>, Failure> {
    let sql = &store.sql().workspaces.rename_project;
    let span = debug_span!("db.workspaces.rename_project");
    let params: &columns::Params<'_> =
        &[&project_key(id), &workspace_key(workspace), &name.as_str()];
    first(&store.database().write(span, sql, params).await?, project)
}

pub(super) async fn delete(
    store: &PgStore,
    workspace: WorkspaceId,
    id: ProjectId,
    polls: usize,
) -> Result<Deleted, Failure> {
    let tx = store.database().begin().await?;
    let sql = &store.sql().workspaces;
    let (key, workspace) = (project_key(id), workspace_key(workspace));
    let locked = tx.query(&sql.lock_project, &[&key, &workspace]).await?;
    if locked.is_empty() {
        tx.roll_back().await?;
        return Ok(Deleted::Missing);
    }
    let limit = columns::limit(polls);
    let found = poll_ids(&tx.query(&sql.polls_of_project, &[&key, &limit]).await?)?;
    if !found.is_empty() {
        tx.roll_back().await?;
        return Ok(Deleted::HasPolls(found));
    }
    tx.query(&sql.delete_project, &[&key]).await?;
    tx.commit().await?;
    Ok(Deleted::Done)
}
