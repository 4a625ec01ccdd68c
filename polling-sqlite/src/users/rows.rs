//! How accounts stand in their rows.

use polling_core::UserId;
use polling_core::users::{Account, Email, PasswordHash, User, UserName};
use rusqlite::Row;

use crate::columns::time;

/// From `id, name, email, is_admin, created_at`.
pub(super) fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: UserId::from_bytes(row.get(0)?),
        name: UserName::from_store(row.get(1)?),
        email: Email::from_store(row.get(2)?),
        is_admin: row.get(3)?,
        created_at: time(row, 4)?,
    })
}

/// The same, and `password_hash`.
pub(super) fn account(row: &Row<'_>) -> rusqlite::Result<Account> {
    let password: Option<String> = row.get(5)?;
    Ok(Account {
        user: user(row)?,
        password: password.map(PasswordHash::from_store),
    })
}
