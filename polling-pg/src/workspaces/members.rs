//! Who is in a workspace, and as what.

use polling_core::workspaces::{Member, MemberChange, WorkspaceRole};
use polling_core::{Timestamp, UserId, WorkspaceId};
use tracing::debug_span;
use uuid::Uuid;

use super::rows::{self, workspace_key};
use super::spaces;
use crate::PgStore;
use crate::columns::{self, Time, each, first};
use crate::database::Transaction;
use crate::error::Failure;

/// A user has no row here that could be locked. Whoever counts what they are in waits for the others who do.
pub(super) const LOCK_USER: &str = "\
-- workspaces.lock_user
SELECT pg_advisory_xact_lock(hashtextextended('polling: the workspaces of a user', $1))";

pub(super) const INSERT: &str = "\
-- workspaces.insert_member
INSERT INTO {schema}.memberships (workspace, member, role, joined_at) VALUES ($1, $2, $3, $4)";

pub(super) const ROLE: &str = "\
-- workspaces.role
SELECT role FROM {schema}.memberships WHERE workspace = $1 AND member = $2";

pub(super) const ROLES: &str = "\
-- workspaces.roles
SELECT m.role
FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS asked (workspace, member, place)
LEFT JOIN LATERAL (
    SELECT role FROM {schema}.memberships WHERE workspace = asked.workspace AND member = asked.member LIMIT 1
) AS m ON true
ORDER BY asked.place";

pub(super) const FIND: &str = "\
-- workspaces.member
SELECT member, role, joined_at FROM {schema}.memberships WHERE workspace = $1 AND member = $2";

/// Ids begin above the least one, which none is.
pub(super) const LIST: &str = "\
-- workspaces.members
SELECT member, role, joined_at FROM {schema}.memberships
WHERE workspace = $1 AND member > $2
ORDER BY member LIMIT $3";

pub(super) const OTHER_OWNER: &str = "\
-- workspaces.other_owner
SELECT 1 FROM {schema}.memberships WHERE workspace = $1 AND role = 'owner' AND member <> $2 LIMIT 1";

pub(super) const SET_ROLE: &str = "\
-- workspaces.set_role
UPDATE {schema}.memberships SET role = $3 WHERE workspace = $1 AND member = $2";

pub(super) const REMOVE: &str = "\
-- workspaces.remove_member
DELETE FROM {schema}.memberships WHERE workspace = $1 AND member = $2";

pub(super) const COUNT: &str = "\
-- workspaces.count_members
SELECT count(*) FROM (SELECT 1 FROM {schema}.memberships WHERE workspace = $1 LIMIT $2) AS found";

pub(super) const COUNT_OF_MEMBER: &str = "\
-- workspaces.count_of_member
SELECT CASE
    WHEN EXISTS (SELECT 1 FROM {schema}.users WHERE id = $1 AND deleted_at IS NOT NULL) THEN $2::bigint
    ELSE (SELECT count(*) FROM (SELECT 1 FROM {schema}.memberships WHERE member = $1 LIMIT $2) AS found)
END";

pub(super) async fn insert(
    store: &PgStore,
    tx: &Transaction<'_>,
    workspace: WorkspaceId,
    user: UserId,
    role: WorkspaceRole,
    at: Timestamp,
) -> Result<(), Failure> {
    let (workspace, user) = (workspace_key(workspace), columns::user(user));
    let params: &columns::Params<'_> = &[&workspace, &user, &role.as_str(), &Time(at)];
    tx.query(&store.sql().workspaces.insert_member, params)
        .await?;
    Ok(())
}

pub(super) async fn role(
    store: &PgStore,
    workspace: WorkspaceId,
    user: UserId,
) -> Result<Option<WorkspaceRole>, Failure> {
    let sql = &store.sql().workspaces.role;
    let span = debug_span!("db.workspaces.role");
    let params: &columns::Params<'_> = &[&workspace_key(workspace), &columns::user(user)];
    let rows = store.database().read(span, sql, params).await?;
    first(&rows, |row| rows::role(row, 0))
}

pub(super) async fn roles(
    store: &PgStore,
    asked: &[(WorkspaceId, UserId)],
) -> Result<Vec<Option<WorkspaceRole>>, Failure> {
    let sql = &store.sql().workspaces.roles;
    let span = debug_span!("db.workspaces.roles", members = asked.len());
    let (workspaces, users): (Vec<Uuid>, Vec<Uuid>) = asked
        .iter()
        .map(|&(workspace, user)| (workspace_key(workspace), columns::user(user)))
        .unzip();
    let params: &columns::Params<'_> = &[&workspaces, &users];
    let rows = store.database().read(span, sql, params).await?;
    each(&rows, |row| rows::maybe_role(row, 0))
}

/// What somebody is there, of the moment that a transaction has come to.
pub(super) async fn role_now(
    store: &PgStore,
    tx: &Transaction<'_>,
    workspace: WorkspaceId,
    user: UserId,
) -> Result<Option<WorkspaceRole>, Failure> {
    let sql = &store.sql().workspaces.role;
    let params: &columns::Params<'_> = &[&workspace_key(workspace), &columns::user(user)];
    let rows = tx.query(sql, params).await?;
    first(&rows, |row| rows::role(row, 0))
}

pub(super) async fn list(
    store: &PgStore,
    workspace: WorkspaceId,
    after: Option<UserId>,
    limit: usize,
) -> Result<Vec<Member>, Failure> {
    let sql = &store.sql().workspaces.members;
    let span = debug_span!("db.workspaces.members");
    let after = after.map_or(Uuid::nil(), columns::user);
    let params: &columns::Params<'_> = &[&workspace_key(workspace), &after, &columns::limit(limit)];
    let rows = store.database().read(span, sql, params).await?;
    each(&rows, rows::member)
}

/// Makes a member something else, or removes them where it is `None`.
pub(super) async fn change(
    store: &PgStore,
    workspace: WorkspaceId,
    user: UserId,
    role: Option<WorkspaceRole>,
) -> Result<MemberChange, Failure> {
    let tx = store.database().begin().await?;
    let changed = change_in(store, &tx, workspace, user, role).await?;
    if matches!(changed, MemberChange::Done(_)) {
        tx.commit().await?;
    } else {
        tx.roll_back().await?;
    }
    Ok(changed)
}

async fn change_in(
    store: &PgStore,
    tx: &Transaction<'_>,
    workspace: WorkspaceId,
    user: UserId,
    role: Option<WorkspaceRole>,
) -> Result<MemberChange, Failure> {
    let sql = &store.sql().workspaces;
    if !spaces::lock(store, tx, workspace).await? {
        return Ok(MemberChange::Missing);
    }
    let (workspace, user) = (workspace_key(workspace), columns::user(user));
    let key: &columns::Params<'_> = &[&workspace, &user];
    let found = tx.query(&sql.member, key).await?;
    let Some(member) = first(&found, rows::member)? else {
        return Ok(MemberChange::Missing);
    };
    let stays_owner = role == Some(WorkspaceRole::Owner);
    if member.role == WorkspaceRole::Owner
        && !stays_owner
        && tx.query(&sql.other_owner, key).await?.is_empty()
    {
        return Ok(MemberChange::LastOwner);
    }
    Ok(MemberChange::Done(match role {
        Some(role) => {
            tx.query(&sql.set_role, &[&workspace, &user, &role.as_str()])
                .await?;
            Member { role, ..member }
        }
        None => {
            tx.query(&sql.remove_member, key).await?;
            member
        }
    }))
}

/// Whether a workspace, which is locked, has as many members as it may have.
pub(super) async fn has_as_many(
    store: &PgStore,
    tx: &Transaction<'_>,
    workspace: WorkspaceId,
    most: usize,
) -> Result<bool, Failure> {
    let sql = &store.sql().workspaces.count_members;
    let params: &columns::Params<'_> = &[&workspace_key(workspace), &columns::limit(most)];
    rows::is_full(&tx.query(sql, params).await?, most)
}

/// What a user is in does not change under the hand of who has this lock, which is taken after those of workspaces.
pub(crate) async fn lock_user(
    store: &PgStore,
    tx: &Transaction<'_>,
    user: UserId,
) -> Result<(), Failure> {
    // The last half of an id is random.
    let (_, random) = columns::user(user).as_u64_pair();
    let lock = i64::from_ne_bytes(random.to_ne_bytes());
    let sql = &store.sql().workspaces.lock_user;
    tx.query(sql, &[&lock]).await?;
    Ok(())
}

/// Whether a user is in as many workspaces as they may be, which is none for who was deleted; nobody else adds one until
/// the transaction ends.
pub(super) async fn is_in_as_many(
    store: &PgStore,
    tx: &Transaction<'_>,
    user: UserId,
    most: usize,
) -> Result<bool, Failure> {
    let sql = &store.sql().workspaces;
    lock_user(store, tx, user).await?;
    let params: &columns::Params<'_> = &[&columns::user(user), &columns::limit(most)];
    rows::is_full(&tx.query(&sql.count_of_member, params).await?, most)
}
