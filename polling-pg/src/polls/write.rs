//! Writing polls, and their steps through the gate. What touches a gate is one statement: no transaction ever waits for
//! its client while it holds one. Where both halves of a poll are written, the gate comes first.

use std::sync::Arc;

use polling_core::polls::{Advanced, Choice, Edited, Kept, Poll, PollEdit, PollRecord, Step};
use polling_core::results::{Revision, Tally};
use polling_core::{PollId, Timestamp};
use tracing::debug_span;
use uuid::Uuid;

use super::rows;
use crate::PgStore;
use crate::columns::{self, Time, first, signed, signed_counts, unsigned};
use crate::error::Failure;
use crate::results::rows::tally_at;

pub(super) const INSERT: &str = "\
-- polls.insert
WITH poll AS (
    INSERT INTO {schema}.polls (id, question, description, choice_min, choice_max, voters, allow_change, listed, creator,
        manage_token, created_at, project)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $23)
    RETURNING id
), options AS (
    INSERT INTO {schema}.poll_options (poll, position, id, text)
    SELECT poll.id, o.place - 1, o.id, o.text
    FROM poll CROSS JOIN unnest($12::uuid[], $13::text[]) WITH ORDINALITY AS o (id, text, place)
)
INSERT INTO {schema}.poll_tallies (poll, version, updated_at, status, opens_at, closes_at, show_results, revision,
    ballots, counts)
SELECT poll.id, $14, $15, $16, $17, $18, $19, $20, $21, $22 FROM poll";

pub(super) const EDIT: &str = "\
-- polls.edit
WITH gate AS (
    UPDATE {schema}.poll_tallies
    SET version = $3::bigint, updated_at = $4, opens_at = $5, closes_at = $6, show_results = $7, revision = revision + $8::bigint,
        counts = CASE WHEN $9 THEN array_fill(0::bigint, ARRAY[cardinality($10::uuid[])]) ELSE counts END
    WHERE poll = $1 AND status = $2 AND version = $3::bigint - 1
    RETURNING poll, status, opens_at, closes_at, show_results, revision, ballots, counts
), edited AS (
    UPDATE {schema}.polls p
    SET question = $12, description = $13, choice_min = $14, choice_max = $15, voters = $16, allow_change = $17,
        listed = $18
    FROM gate
    WHERE p.id = gate.poll
), dropped AS (
    DELETE FROM {schema}.poll_options o
    USING gate
    WHERE $9 AND o.poll = gate.poll AND o.position >= cardinality($10::uuid[])
), options AS (
    INSERT INTO {schema}.poll_options (poll, position, id, text)
    SELECT gate.poll, o.place - 1, o.id, o.text
    FROM gate CROSS JOIN unnest($10::uuid[], $11::text[]) WITH ORDINALITY AS o (id, text, place)
    WHERE $9
    ON CONFLICT (poll, position) DO UPDATE SET id = excluded.id, text = excluded.text
)
SELECT poll, status, opens_at, closes_at, show_results, revision, ballots, counts FROM gate";

/// Compares what the step was judged on with what is there, and not the counters, which never stand still.
pub(super) const ADVANCE: &str = "\
-- polls.advance
UPDATE {schema}.poll_tallies
SET status = $2, revision = revision + $3::bigint, updated_at = $4
WHERE poll = $1 AND version = $5 AND status = $6
RETURNING poll, status, opens_at, closes_at, show_results, revision, ballots, counts";

/// Without the row of its tally the poll is gone, for every statement there is. What remains is a tombstone: nothing of
/// what the poll said, and its manage token's hash.
pub(super) const DELETE: &str = "\
-- polls.delete
WITH gone AS (
    DELETE FROM {schema}.poll_tallies WHERE poll = $1 RETURNING poll, revision
), buried AS (
    UPDATE {schema}.polls p SET question = '', description = NULL, creator = NULL, project = NULL, listed = false, deleted_at = $2
    FROM gone
    WHERE p.id = gone.poll
)
SELECT revision + 1 FROM gone";

/// The SQLSTATE of a reference to a row that is not there.
const FOREIGN_KEY_VIOLATION: &str = "23503";

pub(super) async fn insert(store: &PgStore, poll: &Poll, tally: &Tally) -> Result<Kept, Failure> {
    let (choice_min, choice_max) = choice_columns(poll.choice);
    let (option_ids, option_texts) = option_columns(poll);
    let manage_token = poll.manage_token.as_ref().map(|token| token.as_bytes());
    let project = poll
        .project
        .map(|project| Uuid::from_bytes(*project.id.as_bytes()));
    let inserted = store
        .database()
        .write(
            debug_span!("db.polls.insert"),
            &store.sql().polls.insert,
            &[
                &columns::poll(poll.id),
                &poll.question.as_str(),
                &poll.description.as_ref().map(|text| text.as_str()),
                &choice_min,
                &choice_max,
                &poll.voters.as_str(),
                &poll.allow_change,
                &poll.listed,
                &poll.creator.map(columns::user),
                &manage_token.map(<[u8; 32]>::as_slice),
                &Time(poll.created_at),
                &option_ids,
                &option_texts,
                &signed(poll.version),
                &Time(poll.updated_at),
                &tally.status.as_str(),
                &tally.window.opens_at.map(Time),
                &tally.window.closes_at.map(Time),
                &tally.show_results.as_str(),
                &signed(tally.revision),
                &signed(tally.ballots),
                &signed_counts(&tally.counts),
                &project,
            ],
        )
        .await;
    match inserted {
        Ok(_) => Ok(Kept::Done),
        // The only key that a new poll has to somewhere else is that of its project.
        Err(failure) if failure.has_state(FOREIGN_KEY_VIOLATION) => Ok(Kept::ProjectMissing),
        Err(failure) => Err(failure),
    }
}

pub(super) async fn edit(store: &PgStore, edit: &PollEdit) -> Result<Edited, Failure> {
    let poll = &edit.poll;
    let (choice_min, choice_max) = choice_columns(poll.choice);
    let (option_ids, option_texts) = option_columns(poll);
    let turn = store.database().turn(poll.id).await?;
    let rows = store
        .database()
        .write(
            debug_span!("db.polls.edit"),
            &store.sql().polls.edit,
            &[
                &columns::poll(poll.id),
                &edit.judged_status.as_str(),
                &signed(poll.version),
                &Time(poll.updated_at),
                &edit.window.opens_at.map(Time),
                &edit.window.closes_at.map(Time),
                &edit.show_results.as_str(),
                &i64::from(edit.revises),
                &edit.options_changed,
                &option_ids,
                &option_texts,
                &poll.question.as_str(),
                &poll.description.as_ref().map(|text| text.as_str()),
                &choice_min,
                &choice_max,
                &poll.voters.as_str(),
                &poll.allow_change,
                &poll.listed,
            ],
        )
        .await?;
    drop(turn);
    let Some(row) = rows.first() else {
        return Ok(match rows::find(store, poll.id).await? {
            Some(_) => Edited::Stale,
            None => Edited::Missing,
        });
    };
    Ok(Edited::Done(PollRecord {
        poll: Arc::new(poll.clone()),
        tally: tally_at(row, 0).map_err(Failure::Row)?,
    }))
}

/// The step is judged on what was read, and taken where that still holds; else it is judged again. A poll's life only
/// moves forward, and its version with each edit, so that this comes to an end however busy the gate is.
pub(super) async fn advance(
    store: &PgStore,
    id: PollId,
    step: Step,
    now: Timestamp,
) -> Result<Advanced, Failure> {
    loop {
        let Some(old) = rows::find(store, id).await? else {
            return Ok(Advanced::Missing);
        };
        let Some(new) = step.take(&old.poll, &old.tally, now) else {
            return Ok(Advanced::Refused(old));
        };
        if let Some(tally) = take(store, &old, &new, now).await? {
            // The definition is that of the version which was compared.
            let poll = Poll {
                updated_at: now,
                ..(*old.poll).clone()
            };
            return Ok(Advanced::Taken(PollRecord {
                poll: Arc::new(poll),
                tally,
            }));
        }
    }
}

async fn take(
    store: &PgStore,
    old: &PollRecord,
    new: &Tally,
    now: Timestamp,
) -> Result<Option<Tally>, Failure> {
    let _turn = store.database().turn(old.tally.poll_id).await?;
    let rows = store
        .database()
        .write(
            debug_span!("db.polls.advance"),
            &store.sql().polls.advance,
            &[
                &columns::poll(old.tally.poll_id),
                &new.status.as_str(),
                &signed(new.revision - old.tally.revision),
                &Time(now),
                &signed(old.poll.version),
                &old.tally.status.as_str(),
            ],
        )
        .await?;
    first(&rows, |row| tally_at(row, 0))
}

pub(super) async fn delete(
    store: &PgStore,
    id: PollId,
    now: Timestamp,
) -> Result<Option<Revision>, Failure> {
    let _turn = store.database().turn(id).await?;
    let sql = &store.sql().polls.delete;
    let span = debug_span!("db.polls.delete");
    let rows = store
        .database()
        .write(span, sql, &[&columns::poll(id), &Time(now)])
        .await?;
    first(&rows, |row| unsigned(row, 0))
}

fn choice_columns(choice: Choice) -> (Option<i16>, Option<i16>) {
    match choice {
        Choice::Single => (None, None),
        Choice::Multiple { min, max } => (Some(min.into()), Some(max.into())),
    }
}

fn option_columns(poll: &Poll) -> (Vec<Uuid>, Vec<&str>) {
    let ids = poll.options.iter();
    let ids = ids.map(|option| columns::option(option.id)).collect();
    (
        ids,
        poll.options
            .iter()
            .map(|option| option.text.as_str())
            .collect(),
    )
}
