//! The accounts.
//!
//! What ends all sign-ins of a user raises the user's `epoch`, and deletes the rows that it sees. A sign-in that begins at
//! the same moment is invisible to it, but has waited for the user's row, or has the epoch of before.

mod admin;
mod delete;
mod detach;
mod links;
mod many;
mod rows;
mod sessions;

use async_trait::async_trait;
use polling_core::users::{
    Account, Email, Inserted, PasswordHash, SessionRepository, SigningKey, User, UserDeleted,
    UserEdit, UserEdited, UserRepository,
};
use polling_core::votes::VoterKey;
use polling_core::{StoreError, Timestamp, UserId};
use tokio_postgres::Row;
use tracing::{Instrument, debug_span};
use uuid::Uuid;

use crate::PgStore;
use crate::columns::{self, Time, bytes, each, first};
use crate::error::Failure;
use crate::sql::statements;
use rows::{account, user};

pub(crate) use links::LinkStatements;
pub(crate) use sessions::SessionStatements;

statements! {
    /// The statements of the users.
    UserStatements {
        insert = "\
-- users.insert
INSERT INTO {schema}.users (id, name, email, email_key, password_hash, is_admin, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (email_key) DO NOTHING
RETURNING id";

        // In the order of their addresses, so that two imports never wait for each other in a circle; of several with one
        // address the first.
        insert_many = "\
-- users.insert_many
INSERT INTO {schema}.users (id, name, email, email_key, password_hash, is_admin, created_at)
SELECT n.id, n.name, n.email, n.email_key, n.password_hash, n.is_admin, n.created_at
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::timestamptz[])
    WITH ORDINALITY AS n (id, name, email, email_key, password_hash, is_admin, created_at, place)
ORDER BY n.email_key, n.place
ON CONFLICT DO NOTHING";

        owners = "\
-- users.owners
SELECT u.id
FROM unnest($1::text[]) WITH ORDINALITY AS n (email_key, place)
LEFT JOIN LATERAL (SELECT id FROM {schema}.users WHERE email_key = n.email_key LIMIT 1) u ON true
ORDER BY n.place";

        find = "\
-- users.find
SELECT id, name, email, is_admin, created_at, password_hash FROM {schema}.users WHERE id = $1 AND deleted_at IS NULL";

        find_by_email = "\
-- users.find_by_email
SELECT id, name, email, is_admin, created_at, password_hash FROM {schema}.users WHERE email_key = $1";

        edit = "\
-- users.edit
WITH before AS (
    SELECT id, email_key FROM {schema}.users WHERE id = $1 AND deleted_at IS NULL FOR UPDATE
), edited AS (
    UPDATE {schema}.users u
    SET name = coalesce($2, u.name), email = coalesce($3, u.email), email_key = coalesce($4, u.email_key)
    FROM before b
    WHERE u.id = b.id
    RETURNING u.id, u.name, u.email, u.is_admin, u.created_at
), unlinked AS (
    DELETE FROM {schema}.one_time_links l USING before b WHERE l.user_id = b.id AND b.email_key <> $4
)
SELECT id, name, email, is_admin, created_at FROM edited";

        set_admin = "\
-- users.set_admin
UPDATE {schema}.users SET is_admin = $2 WHERE id = $1 AND deleted_at IS NULL
RETURNING id, name, email, is_admin, created_at";

        to_appoint = admin::TO_APPOINT;
        lock_to_appoint = admin::LOCK_TO_APPOINT;
        appoint_first = admin::APPOINT_FIRST;

        rehash = "\
-- users.rehash
UPDATE {schema}.users SET password_hash = $3 WHERE id = $1 AND password_hash = $2
RETURNING id";

        change_password = "\
-- users.change_password
WITH changed AS (
    UPDATE {schema}.users SET password_hash = $3, epoch = epoch + 1 WHERE id = $1 AND password_hash = $2
    RETURNING id
), ended AS (
    DELETE FROM {schema}.sessions s USING changed c WHERE s.user_id = c.id
), unlinked AS (
    DELETE FROM {schema}.one_time_links l USING changed c WHERE l.user_id = c.id
)
SELECT id FROM changed";

        delete = "\
-- users.delete
WITH deleted AS (
    UPDATE {schema}.users
    SET name = '', email = NULL, email_key = NULL, password_hash = NULL, is_admin = false, epoch = epoch + 1,
        deleted_at = $2
    WHERE id = $1 AND deleted_at IS NULL
    RETURNING id
), ended AS (
    DELETE FROM {schema}.sessions s USING deleted d WHERE s.user_id = d.id
), unlinked AS (
    DELETE FROM {schema}.one_time_links l USING deleted d WHERE l.user_id = d.id
)
SELECT id FROM deleted";

        lock_to_delete = delete::LOCK;
        lock_workspaces = delete::LOCK_WORKSPACES;
        workspaces = delete::WORKSPACES;
        last_owner_of = delete::LAST_OWNER_OF;
        forget_invitations = delete::FORGET_INVITATIONS;
        forget_accepted = delete::FORGET_ACCEPTED;
        forget_memberships = delete::FORGET_MEMBERSHIPS;

        is_deleted = "\
-- users.is_deleted
SELECT id FROM {schema}.users WHERE id = $1 AND deleted_at IS NOT NULL";

        deleted = "\
-- users.deleted
SELECT u.id
FROM unnest($1::uuid[]) AS asked (id)
CROSS JOIN LATERAL (SELECT id FROM {schema}.users WHERE id = asked.id AND deleted_at IS NOT NULL LIMIT 1) AS u";

        detach = detach::DETACH;

        keep_signing_key = "\
-- users.keep_signing_key
INSERT INTO {schema}.signing_keys (purpose, secret) VALUES ('access_tokens', $1)
ON CONFLICT (purpose) DO NOTHING";

        signing_key = "\
-- users.signing_key
SELECT secret FROM {schema}.signing_keys WHERE purpose = 'access_tokens'";
    }
}

/// What is unique of a user but the id.
const EMAIL_UNIQUE: &str = "users_email_unique";

#[async_trait]
impl UserRepository for PgStore {
    async fn insert(
        &self,
        user: &User,
        password: Option<&PasswordHash>,
    ) -> Result<Inserted, StoreError> {
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
                    &password.map(PasswordHash::as_str),
                    &user.is_admin,
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

    async fn insert_many(&self, accounts: &[Account]) -> Result<Vec<UserId>, StoreError> {
        Ok(many::insert(self, accounts).await?)
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

    async fn account(&self, id: UserId) -> Result<Option<Account>, StoreError> {
        let id = columns::user(id);
        let sql = &self.sql().users.find;
        let span = debug_span!("db.users.account");
        let rows = self.database().read(span, sql, &[&id]).await?;
        Ok(first(&rows, account)?)
    }

    async fn find_by_email(&self, email: &Email) -> Result<Option<Account>, StoreError> {
        let sql = &self.sql().users.find_by_email;
        let span = debug_span!("db.users.find_by_email");
        let rows = self.database().read(span, sql, &[&email.key()]).await?;
        Ok(first(&rows, account)?)
    }

    async fn edit(&self, id: UserId, edit: &UserEdit) -> Result<UserEdited, StoreError> {
        let (name, email) = (edit.name.as_ref(), edit.email.as_ref());
        let sql = &self.sql().users.edit;
        let span = debug_span!("db.users.edit");
        let id = columns::user(id);
        let name = name.map(|name| name.as_str());
        let (email, key) = (email.map(Email::as_str), email.map(Email::key));
        let values: &columns::Params<'_> = &[&id, &name, &email, &key];
        match self.database().write(span, sql, values).await {
            Ok(rows) => Ok(first(&rows, user)?.map_or(UserEdited::Missing, UserEdited::Done)),
            Err(error) if error.breaks(EMAIL_UNIQUE) => Ok(UserEdited::EmailTaken),
            Err(error) => Err(error.into()),
        }
    }

    async fn set_admin(&self, id: UserId, is_admin: bool) -> Result<Option<User>, StoreError> {
        let sql = &self.sql().users.set_admin;
        let span = debug_span!("db.users.set_admin");
        let id = columns::user(id);
        let rows = self.database().write(span, sql, &[&id, &is_admin]).await?;
        Ok(first(&rows, user)?)
    }

    async fn appoint_first_admin(&self, email: &Email) -> Result<Option<User>, StoreError> {
        let appoint = admin::appoint_first(self, email);
        let span = debug_span!("db.users.appoint_first");
        Ok(appoint.instrument(span).await?)
    }

    async fn rehash(
        &self,
        id: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<bool, StoreError> {
        let sql = &self.sql().users.rehash;
        let replaced = self.replace_password(debug_span!("db.users.rehash"), sql, id, old, new);
        Ok(replaced.await?)
    }

    async fn change_password(
        &self,
        id: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<bool, StoreError> {
        let sql = &self.sql().users.change_password;
        let span = debug_span!("db.users.change_password");
        Ok(self.replace_password(span, sql, id, old, new).await?)
    }

    async fn delete(&self, id: UserId, now: Timestamp) -> Result<UserDeleted, StoreError> {
        let delete = delete::delete(self, id, now);
        Ok(delete.instrument(debug_span!("db.users.delete")).await?)
    }

    async fn is_deleted(&self, id: UserId) -> Result<bool, StoreError> {
        let sql = &self.sql().users.is_deleted;
        let span = debug_span!("db.users.is_deleted");
        let id = columns::user(id);
        let rows = self.database().read(span, sql, &[&id]).await?;
        Ok(!rows.is_empty())
    }

    async fn deleted(&self, ids: &[UserId]) -> Result<Vec<UserId>, StoreError> {
        let sql = &self.sql().users.deleted;
        let span = debug_span!("db.users.deleted", users = ids.len());
        let ids: Vec<Uuid> = ids.iter().copied().map(columns::user).collect();
        let rows = self.database().read(span, sql, &[&ids]).await?;
        let id = |row: &Row| {
            let id: Uuid = row.try_get(0)?;
            Ok(UserId::from_bytes(id.into_bytes()))
        };
        Ok(each(&rows, id)?)
    }

    async fn detach(
        &self,
        deleted_before: Timestamp,
        voters: &[VoterKey],
    ) -> Result<bool, StoreError> {
        Ok(detach::detach(self, deleted_before, voters).await?)
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

    fn sessions(&self) -> &dyn SessionRepository {
        self
    }
}

impl PgStore {
    /// Whether the old hash was there still.
    async fn replace_password(
        &self,
        span: tracing::Span,
        sql: &str,
        id: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<bool, Failure> {
        let id = columns::user(id);
        let (old, new) = (old.as_str(), new.as_str());
        let rows = self.database().write(span, sql, &[&id, &old, &new]).await?;
        Ok(!rows.is_empty())
    }
}
