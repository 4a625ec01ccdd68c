//! Who was asked to join a workspace.

use polling_core::workspaces::{
    Accepted, Added, Invitation, MembershipLimits, Workspace, WorkspaceRole,
};
use polling_core::{InvitationId, Timestamp, UserId, WorkspaceId};
use tokio_postgres::Row;
use tracing::debug_span;

use super::rows::{below, invitation, invitation_key, is_full, role, workspace, workspace_key};
use super::{members, spaces};
use crate::PgStore;
use crate::columns::{self, Read, Time, each, first};
use crate::database::Transaction;
use crate::error::Failure;

/// What was accepted or is over makes room.
pub(super) const COUNT: &str = "\
-- workspaces.count_invitations
SELECT count(*) FROM (
    SELECT 1 FROM {schema}.invitations
    WHERE workspace = $1 AND email_key <> $2 AND accepted_by IS NULL AND expires_at > $3 LIMIT $4) AS found";

/// What is over is of no use any more, so that a workspace never holds more than was asked for in one lifetime.
pub(super) const DROP_EXPIRED: &str = "\
-- workspaces.drop_expired_invitations
DELETE FROM {schema}.invitations WHERE workspace = $1 AND email_key <> $2 AND expires_at <= $3";

/// The id is new too: who knew the one before, and may be out again, was not told this one.
pub(super) const INVITE: &str = "\
-- workspaces.invite
INSERT INTO {schema}.invitations AS i (id, workspace, email, email_key, role, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (workspace, email_key) DO UPDATE
SET id = excluded.id, email = excluded.email, role = excluded.role, created_at = excluded.created_at,
    expires_at = excluded.expires_at, accepted_by = NULL
RETURNING i.id, i.workspace, (SELECT w.name FROM {schema}.workspaces w WHERE w.id = i.workspace), i.email, i.role,
    i.created_at, i.expires_at";

pub(super) const LIST: &str = "\
-- workspaces.invitations
SELECT i.id, i.workspace, w.name, i.email, i.role, i.created_at, i.expires_at
FROM {schema}.invitations i
JOIN {schema}.workspaces w ON w.id = i.workspace
WHERE i.workspace = $1 AND i.accepted_by IS NULL AND i.expires_at > $2 AND i.id < $3
ORDER BY i.id DESC LIMIT $4";

pub(super) const FIND: &str = "\
-- workspaces.invitation
SELECT i.id, i.workspace, w.name, i.email, i.role, i.created_at, i.expires_at
FROM {schema}.invitations i
JOIN {schema}.workspaces w ON w.id = i.workspace
WHERE i.id = $1 AND i.email_key = $2 AND i.accepted_by IS NULL AND i.expires_at > $3";

pub(super) const WITHDRAW: &str = "\
-- workspaces.withdraw
DELETE FROM {schema}.invitations WHERE id = $1 AND workspace = $2 AND accepted_by IS NULL RETURNING id";

pub(super) const DECLINE: &str = "\
-- workspaces.decline
DELETE FROM {schema}.invitations
WHERE id = $1 AND email_key = $2 AND accepted_by IS NULL AND expires_at > $3
RETURNING id";

/// The workspace to lock, before anything is judged.
pub(super) const INVITED_TO: &str = "\
-- workspaces.invited_to
SELECT workspace FROM {schema}.invitations WHERE id = $1 AND email_key = $2";

/// Declining is one statement without the workspace's lock: the row's own keeps it from happening in between.
pub(super) const TO_ACCEPT: &str = "\
-- workspaces.to_accept
SELECT w.id, w.name, w.created_at, i.role, i.accepted_by IS NOT NULL, i.accepted_by IS NOT DISTINCT FROM $4
FROM {schema}.invitations i
JOIN {schema}.workspaces w ON w.id = i.workspace
WHERE i.id = $1 AND i.email_key = $2 AND (i.accepted_by IS NOT NULL OR i.expires_at > $3)
FOR UPDATE OF i";

pub(super) const ACCEPT: &str = "\
-- workspaces.accept
UPDATE {schema}.invitations SET accepted_by = $2 WHERE id = $1";

pub(super) async fn invite(
    store: &PgStore,
    new: &Invitation,
    most: usize,
) -> Result<Added<Invitation>, Failure> {
    let tx = store.database().begin().await?;
    if !spaces::lock(store, &tx, new.workspace).await? {
        tx.roll_back().await?;
        return Ok(Added::Missing);
    }
    let sql = &store.sql().workspaces;
    let (workspace, key) = (workspace_key(new.workspace), new.email.key());
    let now = Time(new.created_at);
    let others: &columns::Params<'_> = &[&workspace, &key, &now, &columns::limit(most)];
    if is_full(&tx.query(&sql.count_invitations, others).await?, most)? {
        tx.roll_back().await?;
        return Ok(Added::TooMany);
    }
    tx.query(&sql.drop_expired, &[&workspace, &key, &now])
        .await?;
    let params: &columns::Params<'_> = &[
        &invitation_key(new.id),
        &workspace,
        &new.email.as_str(),
        &key,
        &new.role.as_str(),
        &now,
        &Time(new.expires_at),
    ];
    let kept = each(&tx.query(&sql.invite, params).await?, invitation)?;
    tx.commit().await?;
    kept.into_iter()
        .next()
        .map(Added::Done)
        .ok_or_else(|| Failure::Row("an invitation that was kept came not back".into()))
}

pub(super) async fn list(
    store: &PgStore,
    workspace: WorkspaceId,
    now: Timestamp,
    before: Option<InvitationId>,
    limit: usize,
) -> Result<Vec<Invitation>, Failure> {
    let sql = &store.sql().workspaces.invitations;
    let span = debug_span!("db.workspaces.invitations");
    let before = below(before.map(invitation_key));
    let limit = columns::limit(limit);
    let params: &columns::Params<'_> = &[&workspace_key(workspace), &Time(now), &before, &limit];
    each(&store.database().read(span, sql, params).await?, invitation)
}

pub(super) async fn find(
    store: &PgStore,
    id: InvitationId,
    email_key: &str,
    now: Timestamp,
) -> Result<Option<Invitation>, Failure> {
    let sql = &store.sql().workspaces.invitation;
    let span = debug_span!("db.workspaces.invitation");
    let params: &columns::Params<'_> = &[&invitation_key(id), &email_key, &Time(now)];
    first(&store.database().read(span, sql, params).await?, invitation)
}

pub(super) async fn withdraw(
    store: &PgStore,
    workspace: WorkspaceId,
    id: InvitationId,
) -> Result<bool, Failure> {
    let sql = &store.sql().workspaces.withdraw;
    let span = debug_span!("db.workspaces.withdraw");
    let params: &columns::Params<'_> = &[&invitation_key(id), &workspace_key(workspace)];
    let gone = store.database().write(span, sql, params).await?;
    Ok(!gone.is_empty())
}

pub(super) async fn decline(
    store: &PgStore,
    id: InvitationId,
    email_key: &str,
    now: Timestamp,
) -> Result<bool, Failure> {
    let sql = &store.sql().workspaces.decline;
    let span = debug_span!("db.workspaces.decline");
    let params: &columns::Params<'_> = &[&invitation_key(id), &email_key, &Time(now)];
    let gone = store.database().write(span, sql, params).await?;
    Ok(!gone.is_empty())
}

pub(super) async fn accept(
    store: &PgStore,
    id: InvitationId,
    user: UserId,
    email_key: &str,
    now: Timestamp,
    most: MembershipLimits,
) -> Result<Accepted, Failure> {
    let tx = store.database().begin().await?;
    let accepted = match to_accept(store, &tx, id, user, email_key, now).await? {
        Some(found) => accept_in(store, &tx, found, (id, user), now, most).await?,
        None => Accepted::Missing,
    };
    match accepted {
        Accepted::Joined(..) | Accepted::Member(..) => tx.commit().await?,
        Accepted::WorkspaceFull | Accepted::UserFull | Accepted::Missing => tx.roll_back().await?,
    }
    Ok(accepted)
}

/// An invitation, as it is under the lock of its workspace.
struct ToAccept {
    workspace: Workspace,
    role: WorkspaceRole,
    accepted: bool,
    by_them: bool,
}

async fn to_accept(
    store: &PgStore,
    tx: &Transaction<'_>,
    id: InvitationId,
    user: UserId,
    email_key: &str,
    now: Timestamp,
) -> Result<Option<ToAccept>, Failure> {
    let sql = &store.sql().workspaces;
    let (id, user) = (invitation_key(id), columns::user(user));
    let found = tx.query(&sql.invited_to, &[&id, &email_key]).await?;
    if found.is_empty() {
        return Ok(None);
    }
    let workspace_of = |row: &Row| -> Read<uuid::Uuid> { Ok(row.try_get(0)?) };
    let workspaces = each(&found, workspace_of)?;
    tx.query(&sql.lock, &[&workspaces[0]]).await?;
    let params: &columns::Params<'_> = &[&id, &email_key, &Time(now), &user];
    let read = |row: &Row| -> Read<ToAccept> {
        Ok(ToAccept {
            workspace: workspace(row)?,
            role: role(row, 3)?,
            accepted: row.try_get(4)?,
            by_them: row.try_get(5)?,
        })
    };
    first(&tx.query(&sql.to_accept, params).await?, read)
}

async fn accept_in(
    store: &PgStore,
    tx: &Transaction<'_>,
    invitation: ToAccept,
    (id, user): (InvitationId, UserId),
    now: Timestamp,
    most: MembershipLimits,
) -> Result<Accepted, Failure> {
    let ToAccept {
        workspace, role, ..
    } = invitation;
    let now_is = members::role_now(store, tx, workspace.id, user).await?;
    if invitation.accepted {
        return Ok(match now_is.filter(|_| invitation.by_them) {
            Some(role) => Accepted::Member(workspace, role),
            None => Accepted::Missing,
        });
    }
    if now_is.is_none() {
        if members::has_as_many(store, tx, workspace.id, most.members).await? {
            return Ok(Accepted::WorkspaceFull);
        }
        if members::is_in_as_many(store, tx, user, most.workspaces).await? {
            return Ok(Accepted::UserFull);
        }
        members::insert(store, tx, workspace.id, user, role, now).await?;
    }
    let params: &columns::Params<'_> = &[&invitation_key(id), &columns::user(user)];
    tx.query(&store.sql().workspaces.accept, params).await?;
    Ok(match now_is {
        Some(role) => Accepted::Member(workspace, role),
        None => Accepted::Joined(workspace, role),
    })
}
