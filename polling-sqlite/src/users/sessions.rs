//! The sign-ins. The caller's transaction holds the write lock, so that what was judged stays so until the commit.

use async_trait::async_trait;
use polling_core::users::{
    Link, PasswordHash, Renewal, RenewalPlan, Renewed, Session, SessionRepository, User,
};
use polling_core::{SessionId, StoreError, Timestamp, TokenHash, UserId};
use rusqlite::{OptionalExtension, Row, Transaction, params};
use tracing::debug_span;

use super::links;
use crate::SqliteStore;
use crate::columns::{limit, time};

const BEGIN: &str = "\
-- sessions.begin
INSERT INTO sessions (id, user_id, token, spent, renewed_at, expires_at, ends_at)
SELECT ?1, id, ?3, ?4, ?5, ?6, ?7 FROM users WHERE id = ?2 AND password_hash = ?8";

const FIND: &str = "\
-- sessions.find
SELECT id, user_id, token, spent, renewed_at, expires_at, ends_at FROM sessions WHERE id = ?1";

const RENEW: &str = "\
-- sessions.renew
UPDATE sessions SET token = ?2, spent = ?3, renewed_at = ?4, expires_at = ?5 WHERE id = ?1";

const END: &str = "\
-- sessions.end
DELETE FROM sessions WHERE id = ?1";

const END_ALL: &str = "\
-- sessions.end_all
DELETE FROM sessions WHERE user_id = ?1";

const SWEEP: &str = "\
-- sessions.sweep
DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)";

const IS_OVER: &str = "\
-- sessions.is_over
SELECT EXISTS (SELECT 1 FROM sessions WHERE expires_at <= ?1)
    OR EXISTS (SELECT 1 FROM one_time_links WHERE expires_at <= ?1)";

#[async_trait]
impl SessionRepository for SqliteStore {
    async fn begin(&self, session: &Session, proved: &PasswordHash) -> Result<bool, StoreError> {
        let (session, proved) = (session.clone(), proved.clone());
        let begin = move |tx: &Transaction<'_>| {
            let rows = tx.prepare_cached(BEGIN)?.execute(params![
                session.id.as_bytes(),
                session.user.as_bytes(),
                session.token.as_bytes(),
                session.spent.as_ref().map(TokenHash::as_bytes),
                session.renewed_at.as_millis(),
                session.expires_at.as_millis(),
                session.ends_at.as_millis(),
                proved.as_str(),
            ])?;
            Ok(rows == 1)
        };
        Ok(self.write(debug_span!("db.sessions.begin"), begin).await?)
    }

    async fn renew(&self, renewal: &Renewal) -> Result<Renewed, StoreError> {
        let renewal = *renewal;
        let renew = move |tx: &Transaction<'_>| {
            let id = renewal.session.as_bytes();
            let found = tx.prepare_cached(FIND)?.query_row([id], session);
            let Some(found) = found.optional()? else {
                return Ok(Renewed::Missing);
            };
            match found.plan(&renewal) {
                RenewalPlan::Renew(session) => {
                    tx.prepare_cached(RENEW)?.execute(params![
                        id,
                        session.token.as_bytes(),
                        session.spent.as_ref().map(TokenHash::as_bytes),
                        session.renewed_at.as_millis(),
                        session.expires_at.as_millis(),
                    ])?;
                    Ok(Renewed::Done(session))
                }
                RenewalPlan::End => {
                    tx.prepare_cached(END)?.execute([id])?;
                    Ok(Renewed::Missing)
                }
                RenewalPlan::Revoke => {
                    tx.prepare_cached(END)?.execute([id])?;
                    Ok(Renewed::Revoked(found.user))
                }
            }
        };
        Ok(self.write(debug_span!("db.sessions.renew"), renew).await?)
    }

    async fn end(&self, id: SessionId) -> Result<(), StoreError> {
        let end = move |tx: &Transaction<'_>| {
            tx.prepare_cached(END)?.execute([id.as_bytes()])?;
            Ok(())
        };
        Ok(self.write(debug_span!("db.sessions.end"), end).await?)
    }

    async fn end_all(&self, user: UserId) -> Result<(), StoreError> {
        let end = move |tx: &Transaction<'_>| {
            forget(tx, user)?;
            links::forget(tx, user)
        };
        Ok(self.write(debug_span!("db.sessions.end_all"), end).await?)
    }

    async fn keep_link(
        &self,
        link: &Link,
        unless_after: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let link = link.clone();
        let keep = move |tx: &Transaction<'_>| links::keep(tx, &link, unless_after);
        Ok(self.write(debug_span!("db.links.keep"), keep).await?)
    }

    async fn drop_link(&self, token: TokenHash) -> Result<(), StoreError> {
        let drop = move |tx: &Transaction<'_>| links::drop(tx, token);
        Ok(self.write(debug_span!("db.links.drop"), drop).await?)
    }

    async fn linked(&self, token: TokenHash, now: Timestamp) -> Result<Option<User>, StoreError> {
        let find = move |tx: &Transaction<'_>| links::find(tx, token, now);
        self.read(debug_span!("db.links.find"), find).await
    }

    async fn redeem(
        &self,
        token: TokenHash,
        password: &PasswordHash,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let password = password.clone();
        let redeem = move |tx: &Transaction<'_>| {
            let user = links::redeem(tx, token, &password, now)?;
            if let Some(user) = user {
                forget(tx, user)?;
            }
            Ok(user.is_some())
        };
        Ok(self.write(debug_span!("db.links.redeem"), redeem).await?)
    }

    async fn sweep(&self, now: Timestamp, rows: usize) -> Result<bool, StoreError> {
        // Mostly nothing is over, and a write waits for the disk.
        let look = move |tx: &Transaction<'_>| {
            tx.prepare_cached(IS_OVER)?
                .query_row([now.as_millis()], |row| row.get(0))
        };
        if !self.read(debug_span!("db.sessions.is_over"), look).await? {
            return Ok(false);
        }
        let sweep = move |tx: &Transaction<'_>| {
            let values = params![now.as_millis(), limit(rows)];
            let sessions = tx.prepare_cached(SWEEP)?.execute(values)?;
            let links = links::sweep(tx, now, rows)?;
            Ok(sessions.max(links) == rows)
        };
        Ok(self.write(debug_span!("db.sessions.sweep"), sweep).await?)
    }
}

/// Ends all sign-ins of a user.
pub(super) fn forget(tx: &Transaction<'_>, user: UserId) -> rusqlite::Result<()> {
    tx.prepare_cached(END_ALL)?.execute([user.as_bytes()])?;
    Ok(())
}

fn session(row: &Row<'_>) -> rusqlite::Result<Session> {
    let spent: Option<[u8; 32]> = row.get(3)?;
    Ok(Session {
        id: SessionId::from_bytes(row.get(0)?),
        user: UserId::from_bytes(row.get(1)?),
        token: TokenHash::from_bytes(row.get(2)?),
        spent: spent.map(TokenHash::from_bytes),
        renewed_at: time(row, 4)?,
        expires_at: time(row, 5)?,
        ends_at: time(row, 6)?,
    })
}
