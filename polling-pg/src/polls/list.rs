//! Which polls there are: for listings, for tokens, and for the clock.

use std::time::Duration;

use polling_core::polls::{DueStep, ListQuery, Poll, PollRecord, Step};
use polling_core::{Timestamp, TokenHash};
use tokio_postgres::Row;
use tracing::debug_span;
use uuid::Uuid;

use super::rows::{self, poll_columns};
use crate::PgStore;
use crate::columns::{self, Read, each, maybe_time, poll_id};
use crate::error::Failure;

/// Reads what was found, newest first, until it fills a page as [`ListQuery::is_full`] says: so what does not fit never leaves
/// the database. The parameters are the bytes of a page, and what [`Poll::estimated_bytes`] counts for a poll and for an option.
macro_rules! until_full {
    ($page:literal, $poll:literal, $option:literal) => {
        concat!(
            "), sized AS (
    SELECT f.id, row_number() OVER newest AS place,
        sum(",
            $poll,
            "::int8 + octet_length(s.question) + coalesce(octet_length(s.description), 0) + o.bytes)
            OVER (newest ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM found f
    JOIN {schema}.polls s ON s.id = f.id
    CROSS JOIN LATERAL (SELECT coalesce(sum(",
            $option,
            "::int8 + octet_length(i.text)), 0) AS bytes FROM {schema}.poll_options i WHERE i.poll = f.id) o
    WINDOW newest AS (ORDER BY f.id DESC)
)
SELECT ",
            poll_columns!(),
            "WHERE p.id IN (SELECT id FROM sized WHERE place <= 2 OR before <= ",
            $page,
            "::int8)
ORDER BY p.id DESC"
        )
    };
}

/// Each of the ways to be listed gives its newest polls, by an index of its own; the newest of them all are the page.
pub(super) const LIST: &str = concat!(
    "-- polls.list
WITH found AS (
    SELECT id FROM (
        (SELECT a.id FROM {schema}.polls a JOIN {schema}.poll_tallies g ON g.poll = a.id
            WHERE $1 AND a.id < $2 ORDER BY a.id DESC LIMIT $3)
        UNION
        (SELECT a.id FROM {schema}.polls a JOIN {schema}.poll_tallies g ON g.poll = a.id
            WHERE a.listed AND g.status <> 'draft' AND a.id < $2 ORDER BY a.id DESC LIMIT $3)
        UNION
        (SELECT a.id FROM {schema}.polls a JOIN {schema}.poll_tallies g ON g.poll = a.id
            WHERE a.creator = $4 AND a.project IS NULL AND a.id < $2 ORDER BY a.id DESC LIMIT $3)
        UNION
        (SELECT a.id FROM unnest($5::bytea[]) AS own (token)
            CROSS JOIN LATERAL (SELECT m.id FROM {schema}.polls m JOIN {schema}.poll_tallies g ON g.poll = m.id
                WHERE m.manage_token = own.token AND m.id < $2 ORDER BY m.id DESC LIMIT $3) a)
    ) each_way ORDER BY id DESC LIMIT $3
",
    until_full!("$6", "$7", "$8")
);

pub(super) const LIST_OF_PROJECT: &str = concat!(
    "-- polls.list_of_project
WITH found AS (
    SELECT a.id FROM {schema}.polls a JOIN {schema}.poll_tallies g ON g.poll = a.id
    WHERE a.project = $1 AND ($2 OR g.status <> 'draft') AND a.id < $3 ORDER BY a.id DESC LIMIT $4
",
    until_full!("$5", "$6", "$7")
);

pub(super) const KNOWS_MANAGE_TOKEN: &str = "\
-- polls.knows_manage_token
SELECT 1 FROM {schema}.polls WHERE manage_token = $1 LIMIT 1";

/// A poll that has lost its opening time is overdue.
pub(super) const UPCOMING: &str = "\
-- polls.upcoming
(SELECT 0, opens_at, poll FROM {schema}.poll_tallies
    WHERE status = 'scheduled' ORDER BY opens_at NULLS FIRST LIMIT $1)
UNION ALL
(SELECT 1, closes_at, poll FROM {schema}.poll_tallies
    WHERE status = 'open' AND closes_at IS NOT NULL ORDER BY closes_at LIMIT $1)
UNION ALL
(SELECT 2, closes_at, poll FROM {schema}.poll_tallies
    WHERE status = 'closing' ORDER BY closes_at LIMIT $1)";

pub(super) async fn list(store: &PgStore, query: &ListQuery) -> Result<Vec<PollRecord>, Failure> {
    let before = query.before.map_or(Uuid::max(), columns::poll);
    let span = debug_span!("db.polls.list");
    let limit = columns::limit(query.limit);
    let page = columns::limit(query.bytes);
    let poll = columns::limit(Poll::ESTIMATED_BYTES);
    let option = columns::limit(Poll::ESTIMATED_OPTION_BYTES);
    if let Some(project) = query.project {
        let id = Uuid::from_bytes(*project.id.as_bytes());
        let params: &columns::Params<'_> =
            &[&id, &project.drafts, &before, &limit, &page, &poll, &option];
        let sql = &store.sql().polls.list_of_project;
        return each(
            &store.database().read(span, sql, params).await?,
            rows::record,
        );
    }
    let creator = query.creator.map(columns::user);
    let tokens: Vec<&[u8]> = query
        .manage_tokens
        .iter()
        .map(|token| token.as_bytes().as_slice())
        .collect();
    let rows = store
        .database()
        .read(
            span,
            &store.sql().polls.list,
            &[
                &query.everything,
                &before,
                &limit,
                &creator,
                &tokens,
                &page,
                &poll,
                &option,
            ],
        )
        .await?;
    each(&rows, rows::record)
}

pub(super) async fn knows_manage_token(store: &PgStore, token: TokenHash) -> Result<bool, Failure> {
    let sql = &store.sql().polls.knows_manage_token;
    let span = debug_span!("db.polls.knows_manage_token");
    let rows = store
        .database()
        .read(span, sql, &[&token.as_bytes().as_slice()])
        .await?;
    Ok(!rows.is_empty())
}

pub(super) async fn upcoming(
    store: &PgStore,
    grace: Duration,
    limit: usize,
) -> Result<Vec<DueStep>, Failure> {
    let sql = &store.sql().polls.upcoming;
    let span = debug_span!("db.polls.upcoming");
    let rows = store
        .database()
        .read(span, sql, &[&columns::limit(limit)])
        .await?;
    let due = |row: &Row| -> Read<DueStep> {
        let at = maybe_time(row, 1)?.unwrap_or(Timestamp::from_millis(i64::MIN));
        let (step, wait) = match row.try_get(0)? {
            0 => (Step::Open, Duration::ZERO),
            1 => (Step::BeginClosing, Duration::ZERO),
            _ => (Step::Finish, grace),
        };
        Ok(DueStep {
            at: at.after(wait),
            poll: poll_id(row, 2)?,
            step,
        })
    };
    let mut steps = each(&rows, due)?;
    steps.sort_by_key(|step| step.at);
    steps.truncate(limit);
    Ok(steps)
}
