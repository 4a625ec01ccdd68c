//! Deleting an account. The writer has the database for itself, so that what was looked at still holds when it is written.

use polling_core::users::UserDeleted;
use polling_core::{Timestamp, UserId, WorkspaceId};
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::{links, sessions};

const EMAIL_KEY: &str = "\
-- users.email_key
SELECT email_key FROM users WHERE id = ?1 AND deleted_at IS NULL";

const LAST_OWNER_OF: &str = "\
-- users.last_owner_of
SELECT m.workspace FROM memberships m
WHERE m.member = ?1 AND m.role = 'owner'
    AND NOT EXISTS (SELECT 1 FROM memberships o WHERE o.workspace = m.workspace AND o.role = 'owner' AND o.member <> ?1)
ORDER BY m.workspace LIMIT 1";

/// Those of the address, and those by which the user came to be where they are.
const FORGET_INVITATIONS: &str = "\
-- users.forget_invitations
DELETE FROM invitations
WHERE email_key = ?2
    OR workspace IN (SELECT m.workspace FROM memberships m WHERE m.member = ?1) AND accepted_by = ?1";

const FORGET_MEMBERSHIPS: &str = "\
-- users.forget_memberships
DELETE FROM memberships WHERE member = ?1";

const DELETE: &str = "\
-- users.delete
UPDATE users
SET name = '', email = NULL, email_key = NULL, password_hash = NULL, is_admin = 0, deleted_at = ?2
WHERE id = ?1 AND deleted_at IS NULL";

pub(super) fn delete(
    tx: &Transaction<'_>,
    id: UserId,
    now: Timestamp,
) -> rusqlite::Result<UserDeleted> {
    let user = [id.as_bytes()];
    let mut key = tx.prepare_cached(EMAIL_KEY)?;
    let key = key.query_row(user, |row| row.get::<_, String>(0));
    let Some(key) = key.optional()? else {
        return Ok(UserDeleted::Missing);
    };
    let workspace = |row: &Row<'_>| row.get(0).map(WorkspaceId::from_bytes);
    let mut last = tx.prepare_cached(LAST_OWNER_OF)?;
    if let Some(workspace) = last.query_row(user, workspace).optional()? {
        return Ok(UserDeleted::LastOwner(workspace));
    }
    tx.prepare_cached(FORGET_INVITATIONS)?
        .execute(params![id.as_bytes(), key])?;
    tx.prepare_cached(FORGET_MEMBERSHIPS)?.execute(user)?;
    sessions::forget(tx, id)?;
    links::forget(tx, id)?;
    tx.prepare_cached(DELETE)?
        .execute(params![id.as_bytes(), now.as_millis()])?;
    Ok(UserDeleted::Done)
}
