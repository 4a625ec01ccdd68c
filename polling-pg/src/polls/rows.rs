//! Reading polls.

use std::sync::Arc;

use polling_core::polls::{
    Choice, Description, OptionText, Poll, PollOption, PollRecord, ProjectRef, Question,
};
use polling_core::{OptionId, PollId, ProjectId, TokenHash, UserId, WorkspaceId};
use tokio_postgres::Row;
use tracing::debug_span;
use uuid::Uuid;

use crate::PgStore;
use crate::columns::{self, Read, bound, bytes, poll_id, time, unsigned, voters};
use crate::error::Failure;
use crate::results::rows::tally_at;

/// Both halves of a poll and its options, all from one statement, so that they are of one moment.
macro_rules! poll_columns {
    () => {
        "p.id, p.question, p.description, p.choice_min, p.choice_max, p.voters, p.allow_change, p.listed, p.creator,
    p.manage_token, t.version, p.created_at, t.updated_at,
    p.project, (SELECT j.workspace FROM {schema}.projects j WHERE j.id = p.project),
    ARRAY(SELECT o.id FROM {schema}.poll_options o WHERE o.poll = p.id ORDER BY o.position),
    ARRAY(SELECT o.text FROM {schema}.poll_options o WHERE o.poll = p.id ORDER BY o.position),
    t.poll, t.status, t.opens_at, t.closes_at, t.show_results, t.revision, t.ballots, t.counts
FROM {schema}.polls p
JOIN {schema}.poll_tallies t ON t.poll = p.id
"
    };
}

pub(super) use poll_columns;

pub(super) const FIND: &str = concat!("-- polls.find\nSELECT ", poll_columns!(), "WHERE p.id = $1");

/// Where the columns of the tally begin in [`poll_columns`].
const TALLY_COLUMN: usize = 17;

pub(super) async fn find(store: &PgStore, id: PollId) -> Result<Option<PollRecord>, Failure> {
    let sql = &store.sql().polls.find;
    let rows = store
        .database()
        .read(debug_span!("db.polls.find"), sql, &[&columns::poll(id)])
        .await?;
    columns::first(&rows, record)
}

/// Both halves of a poll.
pub(super) fn record(row: &Row) -> Read<PollRecord> {
    Ok(PollRecord {
        poll: Arc::new(poll(row)?),
        tally: tally_at(row, TALLY_COLUMN)?,
    })
}

fn poll(row: &Row) -> Read<Poll> {
    let description: Option<String> = row.try_get(2)?;
    let creator: Option<Uuid> = row.try_get(8)?;
    let has_manage_token = row.try_get::<_, Option<&[u8]>>(9)?.is_some();
    let manage_token = has_manage_token.then(|| bytes(row, 9)).transpose()?;
    Ok(Poll {
        id: poll_id(row, 0)?,
        question: Question::from_store(row.try_get(1)?),
        description: description.map(Description::from_store),
        choice: match (bound(row, 3)?, bound(row, 4)?) {
            (Some(min), Some(max)) => Choice::Multiple { min, max },
            _ => Choice::Single,
        },
        voters: voters(row, 5)?,
        allow_change: row.try_get(6)?,
        listed: row.try_get(7)?,
        creator: creator.map(|id| UserId::from_bytes(id.into_bytes())),
        project: project(row)?,
        manage_token: manage_token.map(TokenHash::from_bytes),
        version: unsigned(row, 10)?,
        created_at: time(row, 11)?,
        updated_at: time(row, 12)?,
        options: options(row)?,
    })
}

/// The foreign key holds the two together.
fn project(row: &Row) -> Read<Option<ProjectRef>> {
    let (id, workspace): (Option<Uuid>, Option<Uuid>) = (row.try_get(13)?, row.try_get(14)?);
    let project = id.zip(workspace).map(|(id, workspace)| ProjectRef {
        id: ProjectId::from_bytes(id.into_bytes()),
        workspace: WorkspaceId::from_bytes(workspace.into_bytes()),
    });
    Ok(project)
}

fn options(row: &Row) -> Read<Vec<PollOption>> {
    let (ids, texts): (Vec<Uuid>, Vec<String>) = (row.try_get(15)?, row.try_get(16)?);
    let option = |(id, text): (Uuid, String)| PollOption {
        id: OptionId::from_bytes(id.into_bytes()),
        text: OptionText::from_store(text),
    };
    Ok(ids.into_iter().zip(texts).map(option).collect())
}
