//! Who was asked to join a workspace.

use polling_core::workspaces::{Accepted, Added, Invitation, MembershipLimits, WorkspaceRole};
use polling_core::{InvitationId, Timestamp, UserId, WorkspaceId};
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::rows::{below, invitation, is_full, role, workspace};
use super::{members, spaces};
use crate::columns;

/// What was accepted or is over makes room.
const COUNT: &str = "\
-- workspaces.count_invitations
SELECT count(*) FROM (
    SELECT 1 FROM invitations
    WHERE workspace = ?1 AND email_key <> ?2 AND accepted_by IS NULL AND expires_at > ?3 LIMIT ?4)";

/// What is over is of no use any more, so that a workspace never holds more than was asked for in one lifetime.
const DROP_EXPIRED: &str = "\
-- workspaces.drop_expired_invitations
DELETE FROM invitations WHERE workspace = ?1 AND email_key <> ?2 AND expires_at <= ?3";

/// The id is new too: who knew the one before, and may be out again, was not told this one.
const INVITE: &str = "\
-- workspaces.invite
INSERT INTO invitations (id, workspace, email, email_key, role, created_at, expires_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (workspace, email_key) DO UPDATE
SET id = excluded.id, email = excluded.email, role = excluded.role, created_at = excluded.created_at,
    expires_at = excluded.expires_at, accepted_by = NULL";

const INVITED: &str = "\
-- workspaces.invited
SELECT i.id, i.workspace, w.name, i.email, i.role, i.created_at, i.expires_at
FROM invitations i
JOIN workspaces w ON w.id = i.workspace
WHERE i.workspace = ?1 AND i.email_key = ?2";

const LIST: &str = "\
-- workspaces.invitations
SELECT i.id, i.workspace, w.name, i.email, i.role, i.created_at, i.expires_at
FROM invitations i
JOIN workspaces w ON w.id = i.workspace
WHERE i.workspace = ?1 AND i.accepted_by IS NULL AND i.expires_at > ?2 AND i.id < ?3
ORDER BY i.id DESC LIMIT ?4";

const FIND: &str = "\
-- workspaces.invitation
SELECT i.id, i.workspace, w.name, i.email, i.role, i.created_at, i.expires_at
FROM invitations i
JOIN workspaces w ON w.id = i.workspace
WHERE i.id = ?1 AND i.email_key = ?2 AND i.accepted_by IS NULL AND i.expires_at > ?3";

const WITHDRAW: &str = "\
-- workspaces.withdraw
DELETE FROM invitations WHERE id = ?1 AND workspace = ?2 AND accepted_by IS NULL";

const DECLINE: &str = "\
-- workspaces.decline
DELETE FROM invitations WHERE id = ?1 AND email_key = ?2 AND accepted_by IS NULL AND expires_at > ?3";

const TO_ACCEPT: &str = "\
-- workspaces.to_accept
SELECT w.id, w.name, w.created_at, i.role, i.accepted_by IS NOT NULL, i.accepted_by IS ?4
FROM invitations i
JOIN workspaces w ON w.id = i.workspace
WHERE i.id = ?1 AND i.email_key = ?2 AND (i.accepted_by IS NOT NULL OR i.expires_at > ?3)";

const ACCEPT: &str = "\
-- workspaces.accept
UPDATE invitations SET accepted_by = ?2 WHERE id = ?1";

pub(super) fn invite(
    tx: &Transaction<'_>,
    new: &Invitation,
    most: usize,
) -> rusqlite::Result<Added<Invitation>> {
    if spaces::find(tx, new.workspace, None)?.is_none() {
        return Ok(Added::Missing);
    }
    let (workspace, key) = (new.workspace.as_bytes(), new.email.key());
    let now = new.created_at.as_millis();
    let others = params![workspace, key, now, columns::limit(most)];
    if is_full(tx, COUNT, others, most)? {
        return Ok(Added::TooMany);
    }
    tx.prepare_cached(DROP_EXPIRED)?
        .execute(params![workspace, key, now])?;
    tx.prepare_cached(INVITE)?.execute(params![
        new.id.as_bytes(),
        workspace,
        new.email.as_str(),
        key,
        new.role.as_str(),
        now,
        new.expires_at.as_millis(),
    ])?;
    let mut invited = tx.prepare_cached(INVITED)?;
    let kept = invited.query_row(params![workspace, key], invitation)?;
    Ok(Added::Done(kept))
}

pub(super) fn list(
    tx: &Transaction<'_>,
    workspace: WorkspaceId,
    now: Timestamp,
    before: Option<InvitationId>,
    limit: usize,
) -> rusqlite::Result<Vec<Invitation>> {
    let before = below(before.as_ref().map(InvitationId::as_bytes));
    let limit = columns::limit(limit);
    let params = params![workspace.as_bytes(), now.as_millis(), before, limit];
    let mut list = tx.prepare_cached(LIST)?;
    list.query_map(params, invitation)?.collect()
}

pub(super) fn find(
    tx: &Transaction<'_>,
    id: InvitationId,
    email_key: &str,
    now: Timestamp,
) -> rusqlite::Result<Option<Invitation>> {
    let params = params![id.as_bytes(), email_key, now.as_millis()];
    let mut find = tx.prepare_cached(FIND)?;
    find.query_row(params, invitation).optional()
}

pub(super) fn withdraw(
    tx: &Transaction<'_>,
    workspace: WorkspaceId,
    id: InvitationId,
) -> rusqlite::Result<bool> {
    let key = [id.as_bytes(), workspace.as_bytes()];
    Ok(tx.prepare_cached(WITHDRAW)?.execute(key)? > 0)
}

pub(super) fn decline(
    tx: &Transaction<'_>,
    id: InvitationId,
    email_key: &str,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let params = params![id.as_bytes(), email_key, now.as_millis()];
    Ok(tx.prepare_cached(DECLINE)?.execute(params)? > 0)
}

pub(super) fn accept(
    tx: &Transaction<'_>,
    id: InvitationId,
    user: UserId,
    email_key: &str,
    now: Timestamp,
    most: MembershipLimits,
) -> rusqlite::Result<Accepted> {
    let params = params![id.as_bytes(), email_key, now.as_millis(), user.as_bytes()];
    let read = |row: &Row<'_>| {
        let (accepted, by_them): (bool, bool) = (row.get(4)?, row.get(5)?);
        Ok((workspace(row, 0)?, role(row, 3)?, accepted, by_them))
    };
    let found = tx.prepare_cached(TO_ACCEPT)?.query_row(params, read);
    let Some((workspace, role, accepted, by_them)) = found.optional()? else {
        return Ok(Accepted::Missing);
    };
    let now_is: Option<WorkspaceRole> = members::role(tx, workspace.id, user)?;
    if accepted {
        return Ok(match now_is.filter(|_| by_them) {
            Some(role) => Accepted::Member(workspace, role),
            None => Accepted::Missing,
        });
    }
    if now_is.is_none() {
        if members::has_as_many(tx, workspace.id, most.members)? {
            return Ok(Accepted::WorkspaceFull);
        }
        if members::is_in_as_many(tx, user, most.workspaces)? {
            return Ok(Accepted::UserFull);
        }
        members::insert(tx, workspace.id, user, role, now)?;
    }
    tx.prepare_cached(ACCEPT)?
        .execute([id.as_bytes(), user.as_bytes()])?;
    Ok(match now_is {
        Some(role) => Accepted::Member(workspace, role),
        None => Accepted::Joined(workspace, role),
    })
}
