//! Who is in a workspace, and as what.

use polling_core::workspaces::{Member, MemberChange, WorkspaceRole};
use polling_core::{Timestamp, UserId, WorkspaceId};
use rusqlite::{OptionalExtension, Transaction, params};

use super::rows;
use crate::columns;

const INSERT: &str = "\
-- workspaces.insert_member
INSERT INTO memberships (workspace, member, role, joined_at) VALUES (?1, ?2, ?3, ?4)";

const ROLE: &str = "\
-- workspaces.role
SELECT role FROM memberships WHERE workspace = ?1 AND member = ?2";

const FIND: &str = "\
-- workspaces.member
SELECT member, role, joined_at FROM memberships WHERE workspace = ?1 AND member = ?2";

const LIST: &str = "\
-- workspaces.members
SELECT member, role, joined_at FROM memberships WHERE workspace = ?1 AND member > ?2 ORDER BY member LIMIT ?3";

const OTHER_OWNER: &str = "\
-- workspaces.other_owner
SELECT 1 FROM memberships WHERE workspace = ?1 AND role = 'owner' AND member <> ?2 LIMIT 1";

const SET_ROLE: &str = "\
-- workspaces.set_role
UPDATE memberships SET role = ?3 WHERE workspace = ?1 AND member = ?2";

const REMOVE: &str = "\
-- workspaces.remove_member
DELETE FROM memberships WHERE workspace = ?1 AND member = ?2";

const COUNT: &str = "\
-- workspaces.count_members
SELECT count(*) FROM (SELECT 1 FROM memberships WHERE workspace = ?1 LIMIT ?2)";

const COUNT_OF_MEMBER: &str = "\
-- workspaces.count_of_member
SELECT CASE
    WHEN EXISTS (SELECT 1 FROM users WHERE id = ?1 AND deleted_at IS NOT NULL) THEN ?2
    ELSE (SELECT count(*) FROM (SELECT 1 FROM memberships WHERE member = ?1 LIMIT ?2))
END";

pub(super) fn insert(
    tx: &Transaction<'_>,
    workspace: WorkspaceId,
    user: UserId,
    role: WorkspaceRole,
    at: Timestamp,
) -> rusqlite::Result<()> {
    tx.prepare_cached(INSERT)?.execute(params![
        workspace.as_bytes(),
        user.as_bytes(),
        role.as_str(),
        at.as_millis()
    ])?;
    Ok(())
}

pub(super) fn role(
    tx: &Transaction<'_>,
    workspace: WorkspaceId,
    user: UserId,
) -> rusqlite::Result<Option<WorkspaceRole>> {
    tx.prepare_cached(ROLE)?
        .query_row([workspace.as_bytes(), user.as_bytes()], |row| {
            rows::role(row, 0)
        })
        .optional()
}

pub(super) fn list(
    tx: &Transaction<'_>,
    workspace: WorkspaceId,
    after: Option<UserId>,
    limit: usize,
) -> rusqlite::Result<Vec<Member>> {
    // Nothing is less than no bytes at all.
    let after: &[u8] = after.as_ref().map_or(&[], |id| id.as_bytes());
    let params = params![workspace.as_bytes(), after, columns::limit(limit)];
    let mut list = tx.prepare_cached(LIST)?;
    list.query_map(params, rows::member)?.collect()
}

/// Makes a member something else, or removes them where it is `None`.
pub(super) fn change(
    tx: &Transaction<'_>,
    workspace: WorkspaceId,
    user: UserId,
    role: Option<WorkspaceRole>,
) -> rusqlite::Result<MemberChange> {
    let key = [workspace.as_bytes(), user.as_bytes()];
    let found = tx
        .prepare_cached(FIND)?
        .query_row(key, rows::member)
        .optional()?;
    let Some(member) = found else {
        return Ok(MemberChange::Missing);
    };
    let stays_owner = role == Some(WorkspaceRole::Owner);
    if member.role == WorkspaceRole::Owner
        && !stays_owner
        && !tx.prepare_cached(OTHER_OWNER)?.exists(key)?
    {
        return Ok(MemberChange::LastOwner);
    }
    Ok(MemberChange::Done(match role {
        Some(role) => {
            tx.prepare_cached(SET_ROLE)?
                .execute(params![key[0], key[1], role.as_str()])?;
            Member { role, ..member }
        }
        None => {
            tx.prepare_cached(REMOVE)?.execute(key)?;
            member
        }
    }))
}

/// Whether a workspace has as many members as it may have.
pub(super) fn has_as_many(
    tx: &Transaction<'_>,
    workspace: WorkspaceId,
    most: usize,
) -> rusqlite::Result<bool> {
    let params = params![workspace.as_bytes(), columns::limit(most)];
    rows::is_full(tx, COUNT, params, most)
}

/// Whether a user is in as many workspaces as they may be, which is none for who was deleted.
pub(super) fn is_in_as_many(
    tx: &Transaction<'_>,
    user: UserId,
    most: usize,
) -> rusqlite::Result<bool> {
    let params = params![user.as_bytes(), columns::limit(most)];
    rows::is_full(tx, COUNT_OF_MEMBER, params, most)
}
