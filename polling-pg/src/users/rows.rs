//! How accounts and sign-ins stand in their rows.

use polling_core::users::{Account, Email, PasswordHash, Session, User, UserName};
use polling_core::{SessionId, TokenHash, UserId};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::columns::{Read, bytes, time};

pub(super) fn user_id(row: &Row, column: usize) -> Read<UserId> {
    let id: Uuid = row.try_get(column)?;
    Ok(UserId::from_bytes(id.into_bytes()))
}

/// From `id, name, email, is_admin, created_at`.
pub(super) fn user(row: &Row) -> Read<User> {
    Ok(User {
        id: user_id(row, 0)?,
        name: UserName::from_store(row.try_get(1)?),
        email: Email::from_store(row.try_get(2)?),
        is_admin: row.try_get(3)?,
        created_at: time(row, 4)?,
    })
}

/// The same, and `password_hash`.
pub(super) fn account(row: &Row) -> Read<Account> {
    let password: Option<String> = row.try_get(5)?;
    Ok(Account {
        user: user(row)?,
        password: password.map(PasswordHash::from_store),
    })
}

/// From `id, user_id, token, spent, renewed_at, expires_at, ends_at`.
pub(super) fn session(row: &Row) -> Read<Session> {
    let id: Uuid = row.try_get(0)?;
    let spent: Option<&[u8]> = row.try_get(3)?;
    Ok(Session {
        id: SessionId::from_bytes(id.into_bytes()),
        user: user_id(row, 1)?,
        token: TokenHash::from_bytes(bytes(row, 2)?),
        spent: match spent {
            Some(_) => Some(TokenHash::from_bytes(bytes(row, 3)?)),
            None => None,
        },
        renewed_at: time(row, 4)?,
        expires_at: time(row, 5)?,
        ends_at: time(row, 6)?,
    })
}
