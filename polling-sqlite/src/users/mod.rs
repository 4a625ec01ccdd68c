//! The accounts.

mod admin;
mod delete;
mod detach;
mod links;
mod rows;
mod sessions;

use async_trait::async_trait;
use polling_core::users::{
    Account, Email, Inserted, PasswordHash, SessionRepository, SigningKey, User, UserDeleted,
    UserEdit, UserEdited, UserRepository,
};
use polling_core::votes::VoterKey;
use polling_core::{StoreError, Timestamp, UserId};
use rusqlite::{OptionalExtension, Row, Transaction, params};
use tracing::debug_span;

use crate::SqliteStore;
use rows::{account, user};

const INSERT: &str = "\
-- users.insert
INSERT INTO users (id, name, email, email_key, password_hash, is_admin, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (email_key) DO NOTHING";

const OWNER: &str = "\
-- users.owner
SELECT id FROM users WHERE email_key = ?1";

const FIND: &str = "\
-- users.find
SELECT id, name, email, is_admin, created_at, password_hash FROM users WHERE id = ?1 AND deleted_at IS NULL";

const FIND_BY_EMAIL: &str = "\
-- users.find_by_email
SELECT id, name, email, is_admin, created_at, password_hash FROM users WHERE email_key = ?1";

const IS_TAKEN: &str = "\
-- users.is_taken
SELECT EXISTS (SELECT 1 FROM users WHERE email_key = ?1 AND id <> ?2)
    AND EXISTS (SELECT 1 FROM users WHERE id = ?2 AND deleted_at IS NULL)";

const EDIT: &str = "\
-- users.edit
UPDATE users SET name = coalesce(?2, name), email = coalesce(?3, email), email_key = coalesce(?4, email_key)
WHERE id = ?1 AND deleted_at IS NULL
RETURNING id, name, email, is_admin, created_at";

const REPLACE_PASSWORD: &str = "\
-- users.replace_password
UPDATE users SET password_hash = ?3 WHERE id = ?1 AND password_hash = ?2";

const IS_DELETED: &str = "\
-- users.is_deleted
SELECT EXISTS (SELECT 1 FROM users WHERE id = ?1 AND deleted_at IS NOT NULL)";

const KEEP_SIGNING_KEY: &str = "\
-- users.keep_signing_key
INSERT INTO signing_keys (purpose, secret) VALUES ('access_tokens', ?1)
ON CONFLICT (purpose) DO NOTHING";

const SIGNING_KEY: &str = "\
-- users.signing_key
SELECT secret FROM signing_keys WHERE purpose = 'access_tokens'";

#[async_trait]
impl UserRepository for SqliteStore {
    async fn insert(
        &self,
        user: &User,
        password: Option<&PasswordHash>,
    ) -> Result<Inserted, StoreError> {
        let (user, password) = (user.clone(), password.cloned());
        let insert = move |tx: &Transaction<'_>| {
            let key = user.email.key();
            Ok(match insert(tx, &user, &key, password.as_ref())? {
                true => Inserted::Done,
                false => Inserted::EmailTaken,
            })
        };
        Ok(self.write(debug_span!("db.users.insert"), insert).await?)
    }

    async fn insert_many(&self, accounts: &[Account]) -> Result<Vec<UserId>, StoreError> {
        let accounts = accounts.to_vec();
        let rows = accounts.len();
        let write = move |tx: &Transaction<'_>| {
            let owner = |Account { user, password }: &Account| {
                let key = user.email.key();
                if insert(tx, user, &key, password.as_ref())? {
                    return Ok(user.id);
                }
                let id = |row: &Row<'_>| row.get(0).map(UserId::from_bytes);
                tx.prepare_cached(OWNER)?.query_row([&key], id)
            };
            accounts.iter().map(owner).collect()
        };
        let span = debug_span!("db.users.insert_many", rows);
        Ok(self.write(span, write).await?)
    }

    async fn find(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let find = move |tx: &Transaction<'_>| {
            tx.prepare_cached(FIND)?
                .query_row([id.as_bytes()], user)
                .optional()
        };
        self.read(debug_span!("db.users.find"), find).await
    }

    async fn account(&self, id: UserId) -> Result<Option<Account>, StoreError> {
        let find = move |tx: &Transaction<'_>| {
            tx.prepare_cached(FIND)?
                .query_row([id.as_bytes()], account)
                .optional()
        };
        self.read(debug_span!("db.users.account"), find).await
    }

    async fn find_by_email(&self, email: &Email) -> Result<Option<Account>, StoreError> {
        let key = email.key();
        let find = move |tx: &Transaction<'_>| {
            tx.prepare_cached(FIND_BY_EMAIL)?
                .query_row([key], account)
                .optional()
        };
        self.read(debug_span!("db.users.find_by_email"), find).await
    }

    async fn edit(&self, id: UserId, edit: &UserEdit) -> Result<UserEdited, StoreError> {
        let edit = edit.clone();
        let write = move |tx: &Transaction<'_>| {
            let key = edit.email.as_ref().map(Email::key);
            if let Some(key) = &key {
                let taken = params![key, id.as_bytes()];
                if tx
                    .prepare_cached(IS_TAKEN)?
                    .query_row(taken, |row| row.get(0))?
                {
                    return Ok(UserEdited::EmailTaken);
                }
                links::forget_of_another_address(tx, id, key)?;
            }
            let (name, email) = (edit.name.as_ref(), edit.email.as_ref());
            let values = params![
                id.as_bytes(),
                name.map(|name| name.as_str()),
                email.map(Email::as_str),
                key
            ];
            let edited = tx.prepare_cached(EDIT)?.query_row(values, user);
            Ok(edited
                .optional()?
                .map_or(UserEdited::Missing, UserEdited::Done))
        };
        Ok(self.write(debug_span!("db.users.edit"), write).await?)
    }

    async fn set_admin(&self, id: UserId, is_admin: bool) -> Result<Option<User>, StoreError> {
        let write = move |tx: &Transaction<'_>| admin::set(tx, id, is_admin);
        Ok(self.write(debug_span!("db.users.set_admin"), write).await?)
    }

    async fn appoint_first_admin(&self, email: &Email) -> Result<Option<User>, StoreError> {
        let key = email.key();
        let write = move |tx: &Transaction<'_>| admin::appoint_first(tx, &key);
        let span = debug_span!("db.users.appoint_first");
        Ok(self.write(span, write).await?)
    }

    async fn rehash(
        &self,
        id: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<bool, StoreError> {
        let (old, new) = (old.clone(), new.clone());
        let write = move |tx: &Transaction<'_>| replace_password(tx, id, &old, &new);
        Ok(self.write(debug_span!("db.users.rehash"), write).await?)
    }

    async fn change_password(
        &self,
        id: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<bool, StoreError> {
        let (old, new) = (old.clone(), new.clone());
        let write = move |tx: &Transaction<'_>| {
            let changed = replace_password(tx, id, &old, &new)?;
            if changed {
                sessions::forget(tx, id)?;
                links::forget(tx, id)?;
            }
            Ok(changed)
        };
        let span = debug_span!("db.users.change_password");
        Ok(self.write(span, write).await?)
    }

    async fn delete(&self, id: UserId, now: Timestamp) -> Result<UserDeleted, StoreError> {
        let write = move |tx: &Transaction<'_>| delete::delete(tx, id, now);
        Ok(self.write(debug_span!("db.users.delete"), write).await?)
    }

    async fn is_deleted(&self, id: UserId) -> Result<bool, StoreError> {
        let ask = move |tx: &Transaction<'_>| {
            tx.prepare_cached(IS_DELETED)?
                .query_row([id.as_bytes()], |row| row.get(0))
        };
        self.read(debug_span!("db.users.is_deleted"), ask).await
    }

    async fn deleted(&self, ids: &[UserId]) -> Result<Vec<UserId>, StoreError> {
        let span = debug_span!("db.users.deleted", users = ids.len());
        let ids = ids.to_vec();
        let ask = move |tx: &Transaction<'_>| {
            let mut select = tx.prepare_cached(IS_DELETED)?;
            let mut found = Vec::new();
            for id in ids {
                if select.query_row([id.as_bytes()], |row| row.get(0))? {
                    found.push(id);
                }
            }
            Ok(found)
        };
        self.read(span, ask).await
    }

    async fn detach(
        &self,
        deleted_before: Timestamp,
        voters: &[VoterKey],
    ) -> Result<bool, StoreError> {
        // Mostly there is nobody, and a write waits for the disk.
        let look = move |tx: &Transaction<'_>| detach::next(tx, deleted_before);
        let span = debug_span!("db.users.next_to_detach");
        if self.read(span, look).await?.is_none() {
            return Ok(false);
        }
        let voters = voters.to_vec();
        let write = move |tx: &Transaction<'_>| detach::detach(tx, deleted_before, &voters);
        Ok(self.write(debug_span!("db.users.detach"), write).await?)
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

    fn sessions(&self) -> &dyn SessionRepository {
        self
    }
}

/// Whether the address was free.
fn insert(
    tx: &Transaction<'_>,
    user: &User,
    key: &str,
    password: Option<&PasswordHash>,
) -> rusqlite::Result<bool> {
    let values = params![
        user.id.as_bytes(),
        user.name.as_str(),
        user.email.as_str(),
        key,
        password.map(PasswordHash::as_str),
        user.is_admin,
        user.created_at.as_millis(),
    ];
    Ok(tx.prepare_cached(INSERT)?.execute(values)? == 1)
}

/// Writes another hash where the old one is there still.
fn replace_password(
    tx: &Transaction<'_>,
    id: UserId,
    old: &PasswordHash,
    new: &PasswordHash,
) -> rusqlite::Result<bool> {
    let values = params![id.as_bytes(), old.as_str(), new.as_str()];
    Ok(tx.prepare_cached(REPLACE_PASSWORD)?.execute(values)? == 1)
}
