//! Which polls there are: for listings, for tokens, and for the clock.

use std::collections::BTreeSet;
use std::time::Duration;

use polling_core::polls::{DueStep, ListQuery, PollRecord, Step};
use polling_core::{PollId, Timestamp, TokenHash};
use rusqlite::{Params, Row, Transaction, params};

use super::rows;
use crate::columns::{self, maybe_time};

const ALL: &str = "\
-- polls.list_all
SELECT p.id FROM polls p JOIN poll_tallies t ON t.poll = p.key
WHERE p.id < ?1
ORDER BY p.id DESC LIMIT ?2";

const LISTED: &str = "\
-- polls.list_listed
SELECT p.id FROM polls p JOIN poll_tallies t ON t.poll = p.key
WHERE p.listed = 1 AND t.status <> 'draft' AND p.id < ?1
ORDER BY p.id DESC LIMIT ?2";

const CREATED: &str = "\
-- polls.list_created
SELECT p.id FROM polls p JOIN poll_tallies t ON t.poll = p.key
WHERE p.creator = ?3 AND p.project IS NULL AND p.id < ?1
ORDER BY p.id DESC LIMIT ?2";

const MANAGED: &str = "\
-- polls.list_managed
SELECT p.id FROM polls p JOIN poll_tallies t ON t.poll = p.key
WHERE p.manage_token = ?3 AND p.id < ?1
ORDER BY p.id DESC LIMIT ?2";

const OF_PROJECT: &str = "\
-- polls.list_of_project
SELECT p.id FROM polls p JOIN poll_tallies t ON t.poll = p.key
WHERE p.project = ?3 AND (?4 OR t.status <> 'draft') AND p.id < ?1
ORDER BY p.id DESC LIMIT ?2";

const KNOWS_MANAGE_TOKEN: &str = "\
-- polls.knows_manage_token
SELECT 1 FROM polls WHERE manage_token = ?1 LIMIT 1";

/// A poll that has lost its opening time is overdue: NULL is the least.
const TO_OPEN: &str = "\
-- polls.upcoming_to_open
SELECT t.opens_at, p.id FROM poll_tallies t JOIN polls p ON p.key = t.poll
WHERE t.status = 'scheduled'
ORDER BY t.opens_at LIMIT ?1";

const TO_END: &str = "\
-- polls.upcoming_to_end
SELECT t.closes_at, p.id FROM poll_tallies t JOIN polls p ON p.key = t.poll
WHERE t.status = 'open' AND t.closes_at IS NOT NULL
ORDER BY t.closes_at LIMIT ?1";

const TO_FINISH: &str = "\
-- polls.upcoming_to_finish
SELECT t.closes_at, p.id FROM poll_tallies t JOIN polls p ON p.key = t.poll
WHERE t.status = 'closing'
ORDER BY t.closes_at LIMIT ?1";

/// Above every id: longer than one, and all ones.
const ABOVE_ALL: [u8; 17] = [0xFF; 17];

/// Each of the ways to be listed gives its newest polls; the newest of them all are the page.
pub(super) fn list(tx: &Transaction<'_>, query: &ListQuery) -> rusqlite::Result<Vec<PollRecord>> {
    let before: &[u8] = query.before.as_ref().map_or(&ABOVE_ALL, |id| id.as_bytes());
    let limit = columns::limit(query.limit);
    let mut ids = BTreeSet::new();
    if let Some(project) = &query.project {
        let of_project = params![before, limit, project.id.as_bytes(), project.drafts];
        collect(tx, OF_PROJECT, of_project, &mut ids)?;
    } else if query.everything {
        collect(tx, ALL, params![before, limit], &mut ids)?;
    } else {
        collect(tx, LISTED, params![before, limit], &mut ids)?;
        if let Some(creator) = &query.creator {
            let own = params![before, limit, creator.as_bytes()];
            collect(tx, CREATED, own, &mut ids)?;
        }
        for token in &query.manage_tokens {
            let own = params![before, limit, token.as_bytes()];
            collect(tx, MANAGED, own, &mut ids)?;
        }
    }
    let mut records = Vec::with_capacity(ids.len().min(query.limit));
    let mut bytes = 0;
    for id in ids.into_iter().rev() {
        if query.is_full(records.len(), bytes) {
            break;
        }
        if let Some((_, record)) = rows::find(tx, id)? {
            bytes += record.poll.estimated_bytes();
            records.push(record);
        }
    }
    Ok(records)
}

fn collect(
    tx: &Transaction<'_>,
    sql: &str,
    params: impl Params,
    ids: &mut BTreeSet<PollId>,
) -> rusqlite::Result<()> {
    let mut select = tx.prepare_cached(sql)?;
    let found = select.query_map(params, |row| row.get(0).map(PollId::from_bytes))?;
    for id in found {
        ids.insert(id?);
    }
    Ok(())
}

pub(super) fn knows_manage_token(tx: &Transaction<'_>, token: TokenHash) -> rusqlite::Result<bool> {
    tx.prepare_cached(KNOWS_MANAGE_TOKEN)?
        .exists([token.as_bytes()])
}

pub(super) fn upcoming(
    tx: &Transaction<'_>,
    grace: Duration,
    limit: usize,
) -> rusqlite::Result<Vec<DueStep>> {
    let mut steps = Vec::new();
    for (sql, step, wait) in [
        (TO_OPEN, Step::Open, Duration::ZERO),
        (TO_END, Step::BeginClosing, Duration::ZERO),
        (TO_FINISH, Step::Finish, grace),
    ] {
        let due = |row: &Row<'_>| {
            let at = maybe_time(row, 0)?.unwrap_or(Timestamp::from_millis(i64::MIN));
            Ok(DueStep {
                at: at.after(wait),
                poll: PollId::from_bytes(row.get(1)?),
                step,
            })
        };
        let mut select = tx.prepare_cached(sql)?;
        for step in select.query_map([columns::limit(limit)], due)? {
            steps.push(step?);
        }
    }
    steps.sort_by_key(|step| step.at);
    steps.truncate(limit);
    Ok(steps)
}
