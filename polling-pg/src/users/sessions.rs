//! The sign-ins. A renewal is judged by the core's rule on what was read, and written only where that is so still.

use async_trait::async_trait;
use polling_core::users::{
    Link, PasswordHash, Renewal, RenewalPlan, Renewed, Session, SessionRepository, User,
};
use polling_core::{SessionId, StoreError, Timestamp, TokenHash, UserId};
use tracing::{Instrument, debug_span};
use uuid::Uuid;

use super::rows;
use crate::PgStore;
use crate::columns::{self, Time, first};
use crate::error::Failure;
use crate::sql::statements;

statements! {
    /// The statements of the sign-ins.
    SessionStatements {
        begin = "\
-- sessions.begin
WITH person AS (
    SELECT id, epoch FROM {schema}.users WHERE id = $2 AND password_hash = $8 FOR SHARE
)
INSERT INTO {schema}.sessions (id, user_id, epoch, token, spent, renewed_at, expires_at, ends_at)
SELECT $1, p.id, p.epoch, $3, $4, $5, $6, $7 FROM person p
RETURNING id";

        find = "\
-- sessions.find
SELECT s.id, s.user_id, s.token, s.spent, s.renewed_at, s.expires_at, s.ends_at
FROM {schema}.sessions s
JOIN {schema}.users u ON u.id = s.user_id AND u.epoch = s.epoch
WHERE s.id = $1";

        renew = "\
-- sessions.renew
UPDATE {schema}.sessions SET token = $3, spent = $4, renewed_at = $5, expires_at = $6
WHERE id = $1 AND token = $2
RETURNING id";

        revoke = "\
-- sessions.revoke
DELETE FROM {schema}.sessions WHERE id = $1 AND token = $2
RETURNING id";

        end = "\
-- sessions.end
DELETE FROM {schema}.sessions WHERE id = $1";

        end_all = "\
-- sessions.end_all
WITH ended AS (
    UPDATE {schema}.users SET epoch = epoch + 1 WHERE id = $1
    RETURNING id
), unlinked AS (
    DELETE FROM {schema}.one_time_links l USING ended e WHERE l.user_id = e.id
)
DELETE FROM {schema}.sessions s USING ended e WHERE s.user_id = e.id";

        sweep = "\
-- sessions.sweep
WITH over AS (
    DELETE FROM {schema}.sessions
    WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM {schema}.sessions WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))
    RETURNING 1
)
SELECT count(*) FROM over";
    }
}

#[async_trait]
impl SessionRepository for PgStore {
    async fn begin(&self, session: &Session, proved: &PasswordHash) -> Result<bool, StoreError> {
        let sql = &self.sql().sessions.begin;
        let (id, user) = (uuid(session.id), columns::user(session.user));
        let values: &columns::Params<'_> = &[
            &id,
            &user,
            &hash(&session.token),
            &session.spent.as_ref().map(hash),
            &Time(session.renewed_at),
            &Time(session.expires_at),
            &Time(session.ends_at),
            &proved.as_str(),
        ];
        let span = debug_span!("db.sessions.begin");
        Ok(!self.database().write(span, sql, values).await?.is_empty())
    }

    async fn renew(&self, renewal: &Renewal) -> Result<Renewed, StoreError> {
        let span = debug_span!("db.sessions.renew");
        Ok(renew(self, renewal).instrument(span).await?)
    }

    async fn end(&self, id: SessionId) -> Result<(), StoreError> {
        let (sql, span) = (&self.sql().sessions.end, debug_span!("db.sessions.end"));
        self.database().write(span, sql, &[&uuid(id)]).await?;
        Ok(())
    }

    async fn end_all(&self, user: UserId) -> Result<(), StoreError> {
        let sql = &self.sql().sessions.end_all;
        let span = debug_span!("db.sessions.end_all");
        let user = columns::user(user);
        self.database().write(span, sql, &[&user]).await?;
        Ok(())
    }

    async fn keep_link(
        &self,
        link: &Link,
        unless_after: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let sql = &self.sql().links.keep;
        let values: &columns::Params<'_> = &[
            &columns::user(link.user),
            &link.email.key(),
            &hash(&link.token),
            &Time(link.made_at),
            &Time(link.expires_at),
            &unless_after.map(Time),
        ];
        let span = debug_span!("db.links.keep");
        Ok(!self.database().write(span, sql, values).await?.is_empty())
    }

    async fn drop_link(&self, token: TokenHash) -> Result<(), StoreError> {
        let (sql, span) = (&self.sql().links.drop, debug_span!("db.links.drop"));
        self.database().write(span, sql, &[&hash(&token)]).await?;
        Ok(())
    }

    async fn linked(&self, token: TokenHash, now: Timestamp) -> Result<Option<User>, StoreError> {
        let (sql, span) = (&self.sql().links.find, debug_span!("db.links.find"));
        let values: &columns::Params<'_> = &[&hash(&token), &Time(now)];
        let found = self.database().read(span, sql, values).await?;
        Ok(first(&found, rows::user)?)
    }

    async fn redeem(
        &self,
        token: TokenHash,
        password: &PasswordHash,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (sql, span) = (&self.sql().links.redeem, debug_span!("db.links.redeem"));
        let values: &columns::Params<'_> = &[&hash(&token), &Time(now), &password.as_str()];
        Ok(!self.database().write(span, sql, values).await?.is_empty())
    }

    async fn sweep(&self, now: Timestamp, rows: usize) -> Result<bool, StoreError> {
        let limit = columns::limit(rows);
        for sql in [&self.sql().sessions.sweep, &self.sql().links.sweep] {
            let span = debug_span!("db.sessions.sweep");
            let values: &columns::Params<'_> = &[&Time(now), &limit];
            let gone = self.database().write(span, sql, values).await?;
            let gone: Option<i64> = first(&gone, |row| Ok(row.try_get(0)?))?;
            if gone == Some(limit) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Judged anew where somebody else came first. Each time somebody came to an end, so that it goes on.
async fn renew(store: &PgStore, renewal: &Renewal) -> Result<Renewed, Failure> {
    let (database, sql, id) = (
        store.database(),
        &store.sql().sessions,
        uuid(renewal.session),
    );
    loop {
        let found = database
            .read(tracing::Span::none(), &sql.find, &[&id])
            .await?;
        let Some(found) = first(&found, rows::session)? else {
            return Ok(Renewed::Missing);
        };
        let (judged, span) = (hash(&found.token), tracing::Span::none());
        let (written, outcome) = match found.plan(renewal) {
            RenewalPlan::Renew(next) => {
                let values: &columns::Params<'_> = &[
                    &id,
                    &judged,
                    &hash(&next.token),
                    &next.spent.as_ref().map(hash),
                    &Time(next.renewed_at),
                    &Time(next.expires_at),
                ];
                let written = database.write(span, &sql.renew, values).await?;
                (written, Renewed::Done(next))
            }
            plan => {
                let written = database.write(span, &sql.revoke, &[&id, &judged]).await?;
                let outcome = match plan {
                    RenewalPlan::Revoke => Renewed::Revoked(found.user),
                    _ => Renewed::Missing,
                };
                (written, outcome)
            }
        };
        if !written.is_empty() {
            return Ok(outcome);
        }
    }
}

const fn uuid(id: SessionId) -> Uuid {
    Uuid::from_bytes(*id.as_bytes())
}

fn hash(token: &TokenHash) -> &[u8] {
    token.as_bytes()
}
