//! Deleting an account, with what it is in workspaces.
//!
//! A transaction that locks the account's row, then the rows of all workspaces that it has to do with, in the order of
//! their ids, and then the user's own lock: the order of whoever changes a workspace. Whoever is about to join or to create
//! one comes before it, and is seen, or after it, and finds that the account is gone.

use polling_core::users::UserDeleted;
use polling_core::{Timestamp, UserId, WorkspaceId};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::PgStore;
use crate::columns::{self, Params, Read, Time, each, first};
use crate::error::Failure;
use crate::workspaces;

pub(super) const LOCK: &str = "\
-- users.lock_to_delete
SELECT email_key FROM {schema}.users WHERE id = $1 AND deleted_at IS NULL FOR UPDATE";

pub(super) const LOCK_WORKSPACES: &str = "\
-- users.lock_workspaces
SELECT w.id FROM {schema}.workspaces w
WHERE w.id IN (
    SELECT workspace FROM {schema}.memberships WHERE member = $1
    UNION
    SELECT workspace FROM {schema}.invitations WHERE email_key = $2
)
ORDER BY w.id FOR UPDATE";

pub(super) const WORKSPACES: &str = "\
-- users.workspaces
SELECT workspace FROM {schema}.memberships WHERE member = $1
UNION
SELECT workspace FROM {schema}.invitations WHERE email_key = $2";

pub(super) const LAST_OWNER_OF: &str = "\
-- users.last_owner_of
SELECT m.workspace FROM {schema}.memberships m
WHERE m.member = $1 AND m.role = 'owner'
    AND NOT EXISTS (
        SELECT 1 FROM {schema}.memberships o
        WHERE o.workspace = m.workspace AND o.role = 'owner' AND o.member <> $1
    )
ORDER BY m.workspace LIMIT 1";

/// Those of the address.
pub(super) const FORGET_INVITATIONS: &str = "\
-- users.forget_invitations
DELETE FROM {schema}.invitations WHERE email_key = $1";

/// Those by which the user came to be where they are.
pub(super) const FORGET_ACCEPTED: &str = "\
-- users.forget_accepted
DELETE FROM {schema}.invitations i
USING {schema}.memberships m
WHERE m.member = $1 AND i.workspace = m.workspace AND i.accepted_by = $1";

pub(super) const FORGET_MEMBERSHIPS: &str = "\
-- users.forget_memberships
DELETE FROM {schema}.memberships WHERE member = $1";

pub(super) async fn delete(
    store: &PgStore,
    id: UserId,
    now: Timestamp,
) -> Result<UserDeleted, Failure> {
    loop {
        // `None` where they came to have to do with another workspace before it could be locked.
        if let Some(deleted) = try_delete(store, id, now).await? {
            return Ok(deleted);
        }
    }
}

async fn try_delete(
    store: &PgStore,
    id: UserId,
    now: Timestamp,
) -> Result<Option<UserDeleted>, Failure> {
    let (sql, user) = (&store.sql().users, columns::user(id));
    let workspace = |row: &Row| -> Read<Uuid> { Ok(row.try_get(0)?) };
    let tx = store.database().begin().await?;
    let found = tx.query(&sql.lock_to_delete, &[&user]).await?;
    let key = first(&found, |row| Ok(row.try_get::<_, Option<String>>(0)?))?;
    let Some(key) = key else {
        tx.roll_back().await?;
        return Ok(Some(UserDeleted::Missing));
    };
    let theirs: &Params<'_> = &[&user, &key];
    let locked = each(&tx.query(&sql.lock_workspaces, theirs).await?, workspace)?;
    workspaces::lock_user(store, &tx, id).await?;
    let are = each(&tx.query(&sql.workspaces, theirs).await?, workspace)?;
    if !are.iter().all(|workspace| locked.contains(workspace)) {
        tx.roll_back().await?;
        return Ok(None);
    }
    let last = tx.query(&sql.last_owner_of, &[&user]).await?;
    if let Some(workspace) = first(&last, workspace)? {
        tx.roll_back().await?;
        let workspace = WorkspaceId::from_bytes(workspace.into_bytes());
        return Ok(Some(UserDeleted::LastOwner(workspace)));
    }
    tx.query(&sql.forget_invitations, &[&key]).await?;
    tx.query(&sql.forget_accepted, &[&user]).await?;
    tx.query(&sql.forget_memberships, &[&user]).await?;
    tx.query(&sql.delete, &[&user, &Time(now)]).await?;
    tx.commit().await?;
    Ok(Some(UserDeleted::Done))
}
