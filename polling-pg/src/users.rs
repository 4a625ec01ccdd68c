//! The accounts.

use async_trait::async_trait;
use polling_core::users::{
    Email, Inserted, PasswordHash, SigningKey, User, UserName, UserRepository,
};
use polling_core::{StoreError, UserId};
use tokio_postgres::Row;
use tracing::debug_span;
use uuid::Uuid;

use crate::PgStore;
use crate::columns::{self, Read, Time, bytes, first, time};
use crate::sql::statements;

statements! {
    /// The statements of the users.
    UserStatements {
        insert = "\
-- users.insert
INSERT INTO {schema}.users (id, name, email, email_key, password_hash, created_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (email_key) DO NOTHING
RETURNING id";

        find = "\
-- users.find
SELECT id, name, email, created_at FROM {schema}.users WHERE id = $1";

        find_by_email = "\
-- users.find_by_email
SELECT id, name, email, created_at, password_hash FROM {schema}.users WHERE email_key = $1";

        keep_signing_key = "\
-- users.keep_signing_key
INSERT INTO {schema}.signing_keys (purpose, secret) VALUES ('access_tokens', $1)
ON CONFLICT (purpose) DO NOTHING";

        signing_key = "\
-- users.signing_key
SELECT secret FROM {schema}.signing_keys WHERE purpose = 'access_tokens'";
    }
}

#[async_trait]
impl UserRepository for PgStore {
    async fn insert(&self, user: &User, password: &PasswordHash) -> Result<Inserted, StoreError> {
        let id = columns::user(user.id);
        let rows = self
            .database()
            .write(
                debug_span!("db.users.insert"),
                &self.sql().users.insert,
                &[
                    &id,
                    &user.name.as_str(),
                    &user.email.as_str(),
                    &user.email.key(),
                    &password.as_str(),
                    &Time(user.created_at),
                ],
            )
            .await?;
        Ok(if rows.is_empty() {
            Inserted::EmailTaken
        } else {
            Inserted::Done
        })
    }

    async fn find(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let id = columns::user(id);
        let sql = &self.sql().users.find;
        let rows = self
            .database()
            .read(debug_span!("db.users.find"), sql, &[&id])
            .await?;
        Ok(first(&rows, user)?)
    }

    async fn find_by_email(
        &self,
        email: &Email,
    ) -> Result<Option<(User, PasswordHash)>, StoreError> {
        let sql = &self.sql().users.find_by_email;
        let span = debug_span!("db.users.find_by_email");
        let rows = self.database().read(span, sql, &[&email.key()]).await?;
        let account =
            |row: &Row| -> Read<_> { Ok((user(row)?, PasswordHash::from_store(row.try_get(4)?))) };
        Ok(first(&rows, account)?)
    }

    async fn signing_key(&self, candidate: SigningKey) -> Result<SigningKey, StoreError> {
        let span = || debug_span!("db.users.signing_key");
        let keep = &self.sql().users.keep_signing_key;
        self.database()
            .write(span(), keep, &[&candidate.as_bytes().as_slice()])
            .await?;
        // A statement of its own: a key that another server kept at the same time is invisible to the first.
        let rows = self
            .database()
            .read(span(), &self.sql().users.signing_key, &[])
            .await?;
        let secret = first(&rows, |row| bytes(row, 0))?;
        secret
            .map(SigningKey::from_bytes)
            .ok_or_else(|| StoreError::internal("the key that was kept is not there"))
    }
}

fn user(row: &Row) -> Read<User> {
    let id: Uuid = row.try_get(0)?;
    Ok(User {
        id: UserId::from_bytes(id.into_bytes()),
        name: UserName::from_store(row.try_get(1)?),
        email: Email::from_store(row.try_get(2)?),
        created_at: time(row, 3)?,
    })
}
