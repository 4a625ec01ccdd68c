//! Reading polls.

use std::sync::Arc;

use polling_core::polls::{
    Choice, Description, OptionText, Poll, PollOption, PollRecord, ProjectRef, Question,
};
use polling_core::{OptionId, PollId, ProjectId, TokenHash, UserId, WorkspaceId};
use rusqlite::{OptionalExtension, Row, Transaction};

use crate::columns::{corrupt, time, unsigned, voters};
use crate::results::rows::tally_at;

/// The number of a poll inside this database.
pub(crate) type PollKey = i64;

const FIND: &str = "\
-- polls.find
SELECT p.key, p.question, p.description, p.choice_min, p.choice_max, p.voters, p.allow_change, p.listed, p.creator,
    p.manage_token, p.version, p.created_at, p.updated_at, p.project,
    (SELECT j.workspace FROM projects j WHERE j.id = p.project),
    t.status, t.opens_at, t.closes_at, t.show_results, t.revision, t.ballots, t.counts
FROM polls p
JOIN poll_tallies t ON t.poll = p.key
WHERE p.id = ?1";

const OPTIONS: &str = "\
-- polls.find_options
SELECT id, text FROM poll_options WHERE poll = ?1 ORDER BY position";

/// Where the columns of the tally begin in [`FIND`].
const TALLY_COLUMN: usize = 15;

/// Both halves of a poll, and its key.
pub(super) fn find(
    tx: &Transaction<'_>,
    id: PollId,
) -> rusqlite::Result<Option<(PollKey, PollRecord)>> {
    let mut find = tx.prepare_cached(FIND)?;
    let found = find.query_row([id.as_bytes()], |row| {
        let tally = tally_at(row, TALLY_COLUMN, id)?;
        Ok((row.get(0)?, poll(row, id)?, tally))
    });
    let Some((key, mut poll, tally)) = found.optional()? else {
        return Ok(None);
    };
    poll.options = options(tx, key)?;
    let record = PollRecord {
        poll: Arc::new(poll),
        tally,
    };
    Ok(Some((key, record)))
}

/// All but the options.
fn poll(row: &Row<'_>, id: PollId) -> rusqlite::Result<Poll> {
    let description: Option<String> = row.get(2)?;
    let creator: Option<[u8; 16]> = row.get(8)?;
    let manage_token: Option<[u8; 32]> = row.get(9)?;
    Ok(Poll {
        id,
        question: Question::from_store(row.get(1)?),
        description: description.map(Description::from_store),
        choice: match (row.get(3)?, row.get(4)?) {
            (None, None) => Choice::Single,
            (Some(min), Some(max)) => Choice::Multiple { min, max },
            _ => return Err(corrupt(3, "choice")),
        },
        voters: voters(row, 5)?,
        allow_change: row.get(6)?,
        listed: row.get(7)?,
        creator: creator.map(UserId::from_bytes),
        project: project(row)?,
        manage_token: manage_token.map(TokenHash::from_bytes),
        version: unsigned(row, 10)?,
        created_at: time(row, 11)?,
        updated_at: time(row, 12)?,
        options: Vec::new(),
    })
}

/// The foreign key holds the two together.
fn project(row: &Row<'_>) -> rusqlite::Result<Option<ProjectRef>> {
    match (row.get(13)?, row.get(14)?) {
        (None, None) => Ok(None),
        (Some(id), Some(workspace)) => Ok(Some(ProjectRef {
            id: ProjectId::from_bytes(id),
            workspace: WorkspaceId::from_bytes(workspace),
        })),
        _ => Err(corrupt(14, "workspace of a project")),
    }
}

fn options(tx: &Transaction<'_>, key: PollKey) -> rusqlite::Result<Vec<PollOption>> {
    let mut options = tx.prepare_cached(OPTIONS)?;
    let option = |row: &Row<'_>| {
        Ok(PollOption {
            id: OptionId::from_bytes(row.get(0)?),
            text: OptionText::from_store(row.get(1)?),
        })
    };
    options.query_map([key], option)?.collect()
}
