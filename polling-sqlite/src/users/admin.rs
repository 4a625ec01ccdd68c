//! Who administers the site.

use polling_core::UserId;
use polling_core::users::User;
use rusqlite::{OptionalExtension, Transaction, params};

use super::rows::user;

const SET_ADMIN: &str = "\
-- users.set_admin
UPDATE users SET is_admin = ?2 WHERE id = ?1 AND deleted_at IS NULL
RETURNING id, name, email, is_admin, created_at";

const APPOINT_FIRST: &str = "\
-- users.appoint_first
UPDATE users SET is_admin = 1 WHERE email_key = ?1 AND NOT EXISTS (SELECT 1 FROM users WHERE is_admin)
RETURNING id, name, email, is_admin, created_at";

pub(super) fn set(
    tx: &Transaction<'_>,
    id: UserId,
    is_admin: bool,
) -> rusqlite::Result<Option<User>> {
    let mut set = tx.prepare_cached(SET_ADMIN)?;
    set.query_row(params![id.as_bytes(), is_admin], user)
        .optional()
}

pub(super) fn appoint_first(
    tx: &Transaction<'_>,
    email_key: &str,
) -> rusqlite::Result<Option<User>> {
    let mut appoint = tx.prepare_cached(APPOINT_FIRST)?;
    appoint.query_row([email_key], user).optional()
}
