//! The one-time links.

use polling_core::users::{Link, PasswordHash, User};
use polling_core::{Timestamp, TokenHash, UserId};
use rusqlite::{OptionalExtension, Transaction, params};

use super::rows::user;
use crate::columns::limit;

const KEEP: &str = "\
-- links.keep
INSERT INTO one_time_links (user_id, token, made_at, expires_at)
SELECT id, ?3, ?4, ?5 FROM users WHERE id = ?1 AND email_key = ?2
ON CONFLICT (user_id) DO UPDATE SET token = excluded.token, made_at = excluded.made_at, expires_at = excluded.expires_at
WHERE ?6 IS NULL OR one_time_links.made_at <= ?6";

const FIND: &str = "\
-- links.find
SELECT u.id, u.name, u.email, u.is_admin, u.created_at
FROM one_time_links l JOIN users u ON u.id = l.user_id
WHERE l.token = ?1 AND ?2 < l.expires_at";

const TAKE: &str = "\
-- links.take
DELETE FROM one_time_links WHERE token = ?1 AND ?2 < expires_at RETURNING user_id";

const SET_PASSWORD: &str = "\
-- links.set_password
UPDATE users SET password_hash = ?2 WHERE id = ?1";

const FORGET: &str = "\
-- links.forget
DELETE FROM one_time_links WHERE user_id = ?1";

const FORGET_OF_ANOTHER_ADDRESS: &str = "\
-- links.forget_of_another_address
DELETE FROM one_time_links
WHERE user_id = ?1 AND EXISTS (SELECT 1 FROM users WHERE id = ?1 AND email_key <> ?2)";

const DROP: &str = "\
-- links.drop
DELETE FROM one_time_links WHERE token = ?1";

const SWEEP: &str = "\
-- links.sweep
DELETE FROM one_time_links
WHERE user_id IN (SELECT user_id FROM one_time_links WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)";

pub(super) fn keep(
    tx: &Transaction<'_>,
    link: &Link,
    unless_after: Option<Timestamp>,
) -> rusqlite::Result<bool> {
    let rows = tx.prepare_cached(KEEP)?.execute(params![
        link.user.as_bytes(),
        link.email.key(),
        link.token.as_bytes(),
        link.made_at.as_millis(),
        link.expires_at.as_millis(),
        unless_after.map(Timestamp::as_millis),
    ])?;
    Ok(rows == 1)
}

/// Whose link it is.
pub(super) fn find(
    tx: &Transaction<'_>,
    token: TokenHash,
    now: Timestamp,
) -> rusqlite::Result<Option<User>> {
    tx.prepare_cached(FIND)?
        .query_row(params![token.as_bytes(), now.as_millis()], user)
        .optional()
}

/// Uses the link up, and sets the password of its user.
pub(super) fn redeem(
    tx: &Transaction<'_>,
    token: TokenHash,
    password: &PasswordHash,
    now: Timestamp,
) -> rusqlite::Result<Option<UserId>> {
    let values = params![token.as_bytes(), now.as_millis()];
    let taken = tx
        .prepare_cached(TAKE)?
        .query_row(values, |row| row.get(0).map(UserId::from_bytes));
    let Some(user) = taken.optional()? else {
        return Ok(None);
    };
    tx.prepare_cached(SET_PASSWORD)?
        .execute(params![user.as_bytes(), password.as_str()])?;
    Ok(Some(user))
}

/// The link of a user is no good any more.
pub(super) fn forget(tx: &Transaction<'_>, user: UserId) -> rusqlite::Result<()> {
    tx.prepare_cached(FORGET)?.execute([user.as_bytes()])?;
    Ok(())
}

/// The same, where the user has an address with another key than this one is.
pub(super) fn forget_of_another_address(
    tx: &Transaction<'_>,
    user: UserId,
    key: &str,
) -> rusqlite::Result<()> {
    tx.prepare_cached(FORGET_OF_ANOTHER_ADDRESS)?
        .execute(params![user.as_bytes(), key])?;
    Ok(())
}

/// The link with this token is no good any more.
pub(super) fn drop(tx: &Transaction<'_>, token: TokenHash) -> rusqlite::Result<()> {
    tx.prepare_cached(DROP)?.execute([token.as_bytes()])?;
    Ok(())
}

/// Removes at most so many that are over; returns how many it did.
pub(super) fn sweep(tx: &Transaction<'_>, now: Timestamp, rows: usize) -> rusqlite::Result<usize> {
    tx.prepare_cached(SWEEP)?
        .execute(params![now.as_millis(), limit(rows)])
}
