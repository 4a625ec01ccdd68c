//! Many new accounts at once.

use polling_core::UserId;
use polling_core::users::{Account, PasswordHash};
use tracing::debug_span;
use uuid::Uuid;

use crate::PgStore;
use crate::columns::{self, Time, corrupt, each};
use crate::error::Failure;

/// How often an account may be deleted, or get another address, between the two statements.
const MOST_ROUNDS: usize = 8;

pub(super) async fn insert(store: &PgStore, accounts: &[Account]) -> Result<Vec<UserId>, Failure> {
    let users = || accounts.iter().map(|account| &account.user);
    let ids: Vec<Uuid> = users().map(|user| columns::user(user.id)).collect();
    let names: Vec<&str> = users().map(|user| user.name.as_str()).collect();
    let emails: Vec<&str> = users().map(|user| user.email.as_str()).collect();
    let keys: Vec<String> = users().map(|user| user.email.key()).collect();
    let passwords = accounts.iter().map(|account| account.password.as_ref());
    let passwords: Vec<_> = passwords
        .map(|password| password.map(PasswordHash::as_str))
        .collect();
    let are_admin: Vec<bool> = users().map(|user| user.is_admin).collect();
    let times: Vec<Time> = users().map(|user| Time(user.created_at)).collect();
    let new: &columns::Params<'_> = &[&ids, &names, &emails, &keys, &passwords, &are_admin, &times];
    for _ in 0..MOST_ROUNDS {
        let span = debug_span!("db.users.insert_many", rows = accounts.len());
        let sql = &store.sql().users;
        store.database().write(span, &sql.insert_many, new).await?;
        // A statement of its own: an account that was committed at the same time is invisible to the first.
        let span = debug_span!("db.users.owners");
        let rows = store.database().read(span, &sql.owners, &[&keys]).await?;
        let owners: Vec<Option<Uuid>> = each(&rows, |row| Ok(row.try_get(0)?))?;
        let owners: Option<Vec<Uuid>> = owners.into_iter().collect();
        if let Some(owners) = owners {
            let id = |owner: Uuid| UserId::from_bytes(owner.into_bytes());
            return Ok(owners.into_iter().map(id).collect());
        }
    }
    Err(Failure::Row(corrupt(
        "address that stays with an account",
        &MOST_ROUNDS,
    )))
}
