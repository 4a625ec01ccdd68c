//! The first administrator of the site.

use polling_core::users::{Email, User};

use super::rows::user;
use crate::PgStore;
use crate::columns::first;
use crate::error::Failure;

/// Whether there is anything to do, before anybody has to wait.
pub(super) const TO_APPOINT: &str = "\
-- users.to_appoint
SELECT id FROM {schema}.users WHERE email_key = $1 AND NOT EXISTS (SELECT 1 FROM {schema}.users WHERE is_admin)";

/// Nobody else becomes an administrator meanwhile, by whatever statement. This strong, so that whoever has locked an account
/// to delete it comes before, and not in a circle. It happens once in the life of a site.
pub(super) const LOCK_TO_APPOINT: &str = "\
-- users.lock_to_appoint
LOCK TABLE {schema}.users IN EXCLUSIVE MODE";

pub(super) const APPOINT_FIRST: &str = "\
-- users.appoint_first
UPDATE {schema}.users SET is_admin = true
WHERE email_key = $1 AND NOT EXISTS (SELECT 1 FROM {schema}.users WHERE is_admin)
RETURNING id, name, email, is_admin, created_at";

pub(super) async fn appoint_first(store: &PgStore, email: &Email) -> Result<Option<User>, Failure> {
    let (sql, key) = (&store.sql().users, email.key());
    let tx = store.database().begin().await?;
    if tx.query(&sql.to_appoint, &[&key]).await?.is_empty() {
        tx.roll_back().await?;
        return Ok(None);
    }
    tx.query(&sql.lock_to_appoint, &[]).await?;
    let appointed = first(&tx.query(&sql.appoint_first, &[&key]).await?, user)?;
    tx.commit().await?;
    Ok(appointed)
}
