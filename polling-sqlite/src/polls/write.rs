//! Writing polls, and their steps through the gate.

use polling_core::polls::{Advanced, Choice, Edited, Kept, Poll, PollEdit, Step};
use polling_core::results::{Revision, Tally};
use polling_core::{PollId, Timestamp};
use rusqlite::{Transaction, named_params, params};

use super::rows::{self, PollKey};
use crate::columns::{counts_to_bytes, millis, signed};
use crate::results::rows::update_tally;

const INSERT: &str = "\
-- polls.insert
INSERT INTO polls (id, question, description, choice_min, choice_max, voters, allow_change, listed, creator,
    manage_token, version, created_at, updated_at, project)
SELECT :id, :question, :description, :choice_min, :choice_max, :voters, :allow_change, :listed, :creator,
    :manage_token, :version, :created_at, :updated_at, :project
WHERE :project IS NULL OR EXISTS (SELECT 1 FROM projects WHERE id = :project)";

const INSERT_TALLY: &str = "\
-- polls.insert_tally
INSERT INTO poll_tallies (poll, status, opens_at, closes_at, show_results, revision, ballots, counts)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

const INSERT_OPTION: &str = "\
-- polls.insert_option
INSERT INTO poll_options (poll, position, byte, id, text) VALUES (?1, ?2, ?3, ?4, ?5)";

const UPDATE: &str = "\
-- polls.edit
UPDATE polls
SET question = :question, description = :description, choice_min = :choice_min, choice_max = :choice_max,
    voters = :voters, allow_change = :allow_change, listed = :listed, version = :version, updated_at = :updated_at
WHERE key = :key";

const TOUCH: &str = "\
-- polls.touch
UPDATE polls SET updated_at = ?2 WHERE key = ?1";

const DELETE_OPTIONS: &str = "\
-- polls.delete_options
DELETE FROM poll_options WHERE poll = ?1";

const DELETE_TALLY: &str = "\
-- polls.delete_tally
DELETE FROM poll_tallies WHERE poll = ?1";

/// What remains is a tombstone: nothing of what the poll said, and its manage token's hash.
const BURY: &str = "\
-- polls.bury
UPDATE polls SET question = '', description = NULL, creator = NULL, project = NULL, listed = 0, deleted_at = ?2 WHERE key = ?1";

pub(super) fn insert(tx: &Transaction<'_>, poll: &Poll, tally: &Tally) -> rusqlite::Result<Kept> {
    let (choice_min, choice_max) = choice_columns(poll.choice);
    let kept = tx.prepare_cached(INSERT)?.execute(named_params! {
        ":id": poll.id.as_bytes(),
        ":question": poll.question.as_str(),
        ":description": poll.description.as_ref().map(|text| text.as_str()),
        ":choice_min": choice_min,
        ":choice_max": choice_max,
        ":voters": poll.voters.as_str(),
        ":allow_change": poll.allow_change,
        ":listed": poll.listed,
        ":creator": poll.creator.as_ref().map(|id| id.as_bytes()),
        ":manage_token": poll.manage_token.as_ref().map(|token| token.as_bytes()),
        ":version": signed(poll.version),
        ":created_at": poll.created_at.as_millis(),
        ":updated_at": poll.updated_at.as_millis(),
        ":project": poll.project.as_ref().map(|project| project.id.as_bytes()),
    })?;
    if kept == 0 {
        return Ok(Kept::ProjectMissing);
    }
    let key = tx.last_insert_rowid();
    tx.prepare_cached(INSERT_TALLY)?.execute(params![
        key,
        tally.status.as_str(),
        millis(tally.window.opens_at),
        millis(tally.window.closes_at),
        tally.show_results.as_str(),
        signed(tally.revision),
        signed(tally.ballots),
        counts_to_bytes(&tally.counts),
    ])?;
    insert_options(tx, key, poll)?;
    Ok(Kept::Done)
}

fn insert_options(tx: &Transaction<'_>, key: PollKey, poll: &Poll) -> rusqlite::Result<()> {
    let mut insert = tx.prepare_cached(INSERT_OPTION)?;
    for (position, option) in (0..=u8::MAX).zip(&poll.options) {
        let (id, text) = (option.id.as_bytes(), option.text.as_str());
        insert.execute(params![key, position, [position], id, text])?;
    }
    Ok(())
}

pub(super) fn edit(tx: &Transaction<'_>, edit: &PollEdit) -> rusqlite::Result<Edited> {
    let poll = &edit.poll;
    let Some((key, old)) = rows::find(tx, poll.id)? else {
        return Ok(Edited::Missing);
    };
    if old.poll.version + 1 != poll.version || old.tally.status != edit.judged_status {
        return Ok(Edited::Stale);
    }
    let (choice_min, choice_max) = choice_columns(poll.choice);
    tx.prepare_cached(UPDATE)?.execute(named_params! {
        ":key": key,
        ":question": poll.question.as_str(),
        ":description": poll.description.as_ref().map(|text| text.as_str()),
        ":choice_min": choice_min,
        ":choice_max": choice_max,
        ":voters": poll.voters.as_str(),
        ":allow_change": poll.allow_change,
        ":listed": poll.listed,
        ":version": signed(poll.version),
        ":updated_at": poll.updated_at.as_millis(),
    })?;
    let mut tally = Tally {
        window: edit.window,
        show_results: edit.show_results,
        revision: old.tally.revision + u64::from(edit.revises),
        ..old.tally.clone()
    };
    if edit.options_changed {
        tx.prepare_cached(DELETE_OPTIONS)?.execute([key])?;
        insert_options(tx, key, poll)?;
        // Only a draft's options change, and a draft has no ballots.
        tally.counts = vec![0; poll.options.len()];
    }
    update_tally(tx, key, &tally)?;
    done(tx, poll.id).map(Edited::Done)
}

pub(super) fn advance(
    tx: &Transaction<'_>,
    id: PollId,
    step: Step,
    now: Timestamp,
) -> rusqlite::Result<Advanced> {
    let Some((key, record)) = rows::find(tx, id)? else {
        return Ok(Advanced::Missing);
    };
    let Some(tally) = step.take(&record.poll, &record.tally, now) else {
        return Ok(Advanced::Refused(record));
    };
    update_tally(tx, key, &tally)?;
    touch(tx, key, now)?;
    done(tx, id).map(Advanced::Taken)
}

/// A poll was opened by a ballot, or took a step.
pub(crate) fn touch(tx: &Transaction<'_>, key: PollKey, at: Timestamp) -> rusqlite::Result<()> {
    tx.prepare_cached(TOUCH)?
        .execute(params![key, at.as_millis()])?;
    Ok(())
}

pub(super) fn delete(
    tx: &Transaction<'_>,
    id: PollId,
    now: Timestamp,
) -> rusqlite::Result<Option<Revision>> {
    let Some((key, record)) = rows::find(tx, id)? else {
        return Ok(None);
    };
    // Without the row of its tally the poll is gone, for every statement there is.
    tx.prepare_cached(DELETE_TALLY)?.execute([key])?;
    tx.prepare_cached(BURY)?
        .execute(params![key, now.as_millis()])?;
    Ok(Some(record.tally.revision + 1))
}

/// What was written, as the next reader finds it.
fn done(tx: &Transaction<'_>, id: PollId) -> rusqlite::Result<polling_core::polls::PollRecord> {
    match rows::find(tx, id)? {
        Some((_, record)) => Ok(record),
        None => Err(rusqlite::Error::QueryReturnedNoRows),
    }
}

fn choice_columns(choice: Choice) -> (Option<u8>, Option<u8>) {
    match choice {
        Choice::Single => (None, None),
        Choice::Multiple { min, max } => (Some(min), Some(max)),
    }
}
