//! The workspaces themselves.

use polling_core::workspaces::{Added, Deleted, Workspace, WorkspaceName, WorkspaceRole};
use polling_core::{UserId, WorkspaceId};
use tracing::debug_span;

use super::members;
use super::rows::{below, poll_ids, workspace_key, workspace_with_role};
use crate::PgStore;
use crate::columns::{self, Time, each, first};
use crate::database::Transaction;
use crate::error::Failure;

pub(super) const INSERT: &str = "\
-- workspaces.insert
INSERT INTO {schema}.workspaces (id, name, created_at) VALUES ($1, $2, $3)";

pub(super) const FIND: &str = "\
-- workspaces.find
SELECT w.id, w.name, w.created_at, m.role
FROM {schema}.workspaces w
LEFT JOIN {schema}.memberships m ON m.workspace = w.id AND m.member = $2
WHERE w.id = $1";

pub(super) const LIST_ALL: &str = "\
-- workspaces.list_all
SELECT id, name, created_at, NULL::text FROM {schema}.workspaces WHERE id < $1 ORDER BY id DESC LIMIT $2";

pub(super) const LIST_OF_MEMBER: &str = "\
-- workspaces.list_of_member
SELECT w.id, w.name, w.created_at, m.role
FROM {schema}.memberships m
JOIN {schema}.workspaces w ON w.id = m.workspace
WHERE m.member = $3 AND m.workspace < $1
ORDER BY m.workspace DESC LIMIT $2";

pub(super) const RENAME: &str = "\
-- workspaces.rename
UPDATE {schema}.workspaces SET name = $2 WHERE id = $1 RETURNING id";

pub(super) const LOCK: &str = "\
-- workspaces.lock
SELECT id FROM {schema}.workspaces WHERE id = $1 FOR UPDATE";

/// Whoever is about to create a poll in one of them comes to an end first; the polls are looked for after it.
pub(super) const LOCK_PROJECTS: &str = "\
-- workspaces.lock_projects
SELECT id FROM {schema}.projects WHERE workspace = $1 ORDER BY id FOR UPDATE";

pub(super) const POLLS: &str = "\
-- workspaces.polls
SELECT p.id FROM {schema}.projects j JOIN {schema}.polls p ON p.project = j.id WHERE j.workspace = $1 LIMIT $2";

pub(super) const DELETE: &str = "\
-- workspaces.delete
WITH members AS (
    DELETE FROM {schema}.memberships WHERE workspace = $1
), invitations AS (
    DELETE FROM {schema}.invitations WHERE workspace = $1
), projects AS (
    DELETE FROM {schema}.projects WHERE workspace = $1
)
DELETE FROM {schema}.workspaces WHERE id = $1";

pub(super) async fn insert(
    store: &PgStore,
    workspace: &Workspace,
    owner: UserId,
    most: usize,
) -> Result<Added<()>, Failure> {
    let tx = store.database().begin().await?;
    if members::is_in_as_many(store, &tx, owner, most).await? {
        tx.roll_back().await?;
        return Ok(Added::TooMany);
    }
    let (id, created_at) = (workspace_key(workspace.id), Time(workspace.created_at));
    let insert = &store.sql().workspaces.insert;
    tx.query(insert, &[&id, &workspace.name.as_str(), &created_at])
        .await?;
    let role = WorkspaceRole::Owner;
    members::insert(store, &tx, workspace.id, owner, role, created_at.0).await?;
    tx.commit().await?;
    Ok(Added::Done(()))
}

pub(super) async fn find(
    store: &PgStore,
    id: WorkspaceId,
    user: Option<UserId>,
) -> Result<Option<(Workspace, Option<WorkspaceRole>)>, Failure> {
    let sql = &store.sql().workspaces.find;
    let span = debug_span!("db.workspaces.find");
    let (id, user) = (workspace_key(id), user.map(columns::user));
    let rows = store.database().read(span, sql, &[&id, &user]).await?;
    first(&rows, workspace_with_role)
}

pub(super) async fn list(
    store: &PgStore,
    user: Option<UserId>,
    before: Option<WorkspaceId>,
    limit: usize,
) -> Result<Vec<(Workspace, Option<WorkspaceRole>)>, Failure> {
    let (before, limit) = (below(before.map(workspace_key)), columns::limit(limit));
    let span = debug_span!("db.workspaces.list");
    let (sql, database) = (&store.sql().workspaces, store.database());
    let rows = match user.map(columns::user) {
        Some(user) => {
            let params: &columns::Params<'_> = &[&before, &limit, &user];
            database.read(span, &sql.list_of_member, params).await?
        }
        None => {
            let params: &columns::Params<'_> = &[&before, &limit];
            database.read(span, &sql.list_all, params).await?
        }
    };
    each(&rows, workspace_with_role)
}

pub(super) async fn rename(
    store: &PgStore,
    id: WorkspaceId,
    name: &WorkspaceName,
) -> Result<bool, Failure> {
    let sql = &store.sql().workspaces.rename;
    let span = debug_span!("db.workspaces.rename");
    let params: &columns::Params<'_> = &[&workspace_key(id), &name.as_str()];
    let renamed = store.database().write(span, sql, params).await?;
    Ok(!renamed.is_empty())
}

/// Locks the row of a workspace; `false` where there is none.
pub(super) async fn lock(
    store: &PgStore,
    tx: &Transaction<'_>,
    id: WorkspaceId,
) -> Result<bool, Failure> {
    let sql = &store.sql().workspaces.lock;
    Ok(!tx.query(sql, &[&workspace_key(id)]).await?.is_empty())
}

pub(super) async fn delete(
    store: &PgStore,
    id: WorkspaceId,
    polls: usize,
) -> Result<Deleted, Failure> {
    let tx = store.database().begin().await?;
    let sql = &store.sql().workspaces;
    let key = workspace_key(id);
    if !lock(store, &tx, id).await? {
        tx.roll_back().await?;
        return Ok(Deleted::Missing);
    }
    tx.query(&sql.lock_projects, &[&key]).await?;
    let found = tx.query(&sql.polls, &[&key, &columns::limit(polls)]).await;
    let found = poll_ids(&found?)?;
    if !found.is_empty() {
        tx.roll_back().await?;
        return Ok(Deleted::HasPolls(found));
    }
    tx.query(&sql.delete, &[&key]).await?;
    tx.commit().await?;
    Ok(Deleted::Done)
}
