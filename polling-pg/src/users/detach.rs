//! Detaching the ballots of deleted users, poll by poll, in the order of the polls' ids.

use polling_core::Timestamp;
use polling_core::votes::VoterKey;
use tracing::debug_span;
use uuid::Uuid;

use crate::PgStore;
use crate::columns::{self, Time};
use crate::error::Failure;

/// One statement, and so one transaction: who comes next, unless another server is at it; the polls that come next; the
/// ballots there, each by its whole key; and how far it went, or the end of the account. A user's key as a voter is their
/// id, which is the key of nobody else.
pub(super) const DETACH: &str = "\
-- users.detach
WITH person AS (
    SELECT id, detached_to FROM {schema}.users WHERE deleted_at < $1 ORDER BY deleted_at LIMIT 1
    FOR UPDATE SKIP LOCKED
), polls AS (
    SELECT n.id, n.place, ($2::uuid[])[n.place] AS nobody
    FROM (
        SELECT p.id, row_number() OVER (ORDER BY p.id) AS place
        FROM (
            SELECT q.id FROM {schema}.polls q
            WHERE q.id > (SELECT coalesce(detached_to, '00000000-0000-0000-0000-000000000000') FROM person)
            ORDER BY q.id LIMIT cardinality($2::uuid[])
        ) p
    ) n
), ballots AS (
    UPDATE {schema}.votes v SET voter = found.nobody
    FROM (
        SELECT b.poll, b.voter, p.nobody
        FROM polls p
        CROSS JOIN person u
        CROSS JOIN LATERAL (
            SELECT w.poll, w.voter FROM {schema}.votes w WHERE w.poll = p.id AND w.voter = u.id LIMIT 1
        ) b
    ) found
    WHERE v.poll = found.poll AND v.voter = found.voter
    RETURNING v.poll, v.voter
), superseded AS (
    UPDATE {schema}.superseded_ballots s SET voter = b.voter
    FROM ballots b, person u
    WHERE s.poll = b.poll AND s.voter = u.id
), walked AS (
    SELECT count(*) = cardinality($2::uuid[]) AS more FROM polls
), progress AS (
    UPDATE {schema}.users u SET detached_to = (SELECT p.id FROM polls p ORDER BY p.place DESC LIMIT 1)
    FROM person, walked
    WHERE u.id = person.id AND walked.more
), gone AS (
    DELETE FROM {schema}.users u USING person, walked WHERE u.id = person.id AND NOT walked.more
)
SELECT id FROM person";

/// Looks through the next polls, at most one for each of `voters`; returns whether more may be left.
pub(super) async fn detach(
    store: &PgStore,
    deleted_before: Timestamp,
    voters: &[VoterKey],
) -> Result<bool, Failure> {
    let voters: Vec<Uuid> = voters.iter().map(columns::voter).collect();
    let values: &columns::Params<'_> = &[&Time(deleted_before), &voters];
    let sql = &store.sql().users.detach;
    let span = debug_span!("db.users.detach");
    let rows = store.database().write(span, sql, values).await?;
    Ok(!rows.is_empty())
}
