//! The accounts.

use async_trait::async_trait;
use polling_core::users::{
    Email, Inserted, PasswordHash, SigningKey, User, UserName, UserRepository,
};
use polling_core::{StoreError, UserId};
use rusqlite::{OptionalExtension, Row, Transaction, params};
use tracing::debug_span;

use crate::SqliteStore;
use crate::columns::time;

const INSERT: &str = "\
-- users.insert
INSERT INTO users (id, name, email, email_key, password_hash, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (email_key) DO NOTHING";

const FIND: &str = "\
-- users.find
SELECT id, name, email, created_at FROM users WHERE id = ?1";

const FIND_BY_EMAIL: &str = "\
-- users.find_by_email
SELECT id, name, email, created_at, password_hash FROM users WHERE email_key = ?1";

const KEEP_SIGNING_KEY: &str = "\
-- users.keep_signing_key
INSERT INTO signing_keys (purpose, secret) VALUES ('access_tokens', ?1)
ON CONFLICT (purpose) DO NOTHING";

const SIGNING_KEY: &str = "\
-- users.signing_key
SELECT secret FROM signing_keys WHERE purpose = 'access_tokens'";

#[async_trait]
impl UserRepository for SqliteStore {
    async fn insert(&self, user: &User, password: &PasswordHash) -> Result<Inserted, StoreError> {
        let (user, password) = (user.clone(), password.clone());
        let insert = move |tx: &Transaction<'_>| {
            let rows = tx.prepare_cached(INSERT)?.execute(params![
                user.id.as_bytes(),
                user.name.as_str(),
                user.email.as_str(),
                user.email.key(),
                password.as_str(),
                user.created_at.as_millis(),
            ])?;
            Ok(match rows {
                0 => Inserted::EmailTaken,
                _ => Inserted::Done,
            })
        };
        Ok(self.write(debug_span!("db.users.insert"), insert).await?)
    }

    async fn find(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let find = move |tx: &Transaction<'_>| {
            tx.prepare_cached(FIND)?
                .query_row([id.as_bytes()], user)
                .optional()
        };
        self.read(debug_span!("db.users.find"), find).await
    }

    async fn find_by_email(
        &self,
        email: &Email,
    ) -> Result<Option<(User, PasswordHash)>, StoreError> {
        let key = email.key();
        let find = move |tx: &Transaction<'_>| {
            let account = |row: &Row<'_>| Ok((user(row)?, PasswordHash::from_store(row.get(4)?)));
            tx.prepare_cached(FIND_BY_EMAIL)?
                .query_row([key], account)
                .optional()
        };
        self.read(debug_span!("db.users.find_by_email"), find).await
    }

    async fn signing_key(&self, candidate: SigningKey) -> Result<SigningKey, StoreError> {
        let keep = move |tx: &Transaction<'_>| {
            tx.prepare_cached(KEEP_SIGNING_KEY)?
                .execute([candidate.as_bytes()])?;
            let secret = |row: &Row<'_>| row.get(0).map(SigningKey::from_bytes);
            tx.prepare_cached(SIGNING_KEY)?.query_row([], secret)
        };
        Ok(self
            .write(debug_span!("db.users.signing_key"), keep)
            .await?)
    }
}

fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: UserId::from_bytes(row.get(0)?),
        name: UserName::from_store(row.get(1)?),
        email: Email::from_store(row.get(2)?),
        created_at: time(row, 3)?,
    })
}
