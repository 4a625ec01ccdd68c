//! Reading the rows of `votes` and `superseded_ballots`, always beside the gate, so that what is found is of one moment
//! with a revision.
//!
//! Rows of many voters are asked for voter by voter, `LATERAL` and with a `LIMIT`: so every column of the key is looked up
//! in the index. A join may be planned to look up the poll alone, when it is planned while the table is small, and then
//! reads all ballots of the poll for each voter.

use polling_core::polls::ShowResults;
use polling_core::results::Tally;
use polling_core::votes::{BallotRecord, Name, RecordedBallot, Selection, Standing, VoterKey};
use polling_core::{BallotId, PollId};
use tokio_postgres::Row;
use tracing::debug_span;
use uuid::Uuid;

use crate::PgStore;
use crate::columns::{self, Read, each, first, status, time, unsigned, window};
use crate::error::Failure;
use crate::results::rows::tally_at;

pub(super) const FIND_ALL: &str = "\
-- votes.find_all
SELECT v.ballot, v.content, v.cast_at, t.revision
FROM unnest($2::uuid[]) WITH ORDINALITY AS asked (voter, place)
LEFT JOIN {schema}.poll_tallies t ON t.poll = $1
LEFT JOIN LATERAL (
    SELECT * FROM {schema}.votes v
    WHERE v.poll = $1 AND v.voter = asked.voter AND v.withdrawn_at IS NULL
    LIMIT 1
) v ON t.poll IS NOT NULL
ORDER BY asked.place";

pub(super) const IS_SUPERSEDED: &str = "\
-- votes.is_superseded
SELECT 1
FROM {schema}.superseded_ballots s
JOIN {schema}.poll_tallies t ON t.poll = s.poll
JOIN {schema}.votes v ON v.poll = s.poll AND v.voter = s.voter
WHERE s.poll = $1 AND s.voter = $2 AND s.ballot = $3 AND NOT (s.stands_for = v.ballot AND v.withdrawn_at IS NULL)";

pub(super) const STANDING: &str = "\
-- votes.standing
SELECT v.ballot, v.content, v.cast_at, t.revision, v.withdrawn_at IS NULL, s.stands_for, p.allow_change,
    t.poll, t.status, t.opens_at, t.closes_at, t.show_results, t.revision, t.ballots, t.counts
FROM {schema}.poll_tallies t
JOIN {schema}.polls p ON p.id = t.poll
LEFT JOIN {schema}.votes v ON v.poll = $1 AND v.voter = $2
LEFT JOIN {schema}.superseded_ballots s ON s.poll = $1 AND s.voter = $2 AND s.ballot = $3
WHERE t.poll = $1";

/// What decides over ballots that were not written, and over polls that refused: no lock is taken.
pub(super) const LOOK_UP: &str = "\
-- votes.look_up
SELECT v.ballot, v.content, v.cast_at, t.revision, v.withdrawn_at IS NULL, s.stands_for,
    t.status, t.opens_at, t.closes_at, cardinality(t.counts)
FROM (
    SELECT ($1::uuid[])[i] AS poll, ($2::uuid[])[i] AS voter, ($3::uuid[])[i] AS ballot, ($4::boolean[])[i] AS named, i
    FROM generate_series(1, cardinality($2::uuid[])) AS i
) asked
LEFT JOIN {schema}.poll_tallies t ON t.poll = asked.poll
LEFT JOIN LATERAL (
    SELECT * FROM {schema}.votes v WHERE v.poll = asked.poll AND v.voter = asked.voter LIMIT 1
) v ON t.poll IS NOT NULL
LEFT JOIN LATERAL (
    SELECT * FROM {schema}.superseded_ballots s
    WHERE s.poll = asked.poll AND s.voter = asked.voter AND s.ballot = asked.ballot
    LIMIT 1
) s ON asked.named AND v.ballot IS NOT NULL
ORDER BY asked.i";

pub(super) async fn find_all(
    store: &PgStore,
    poll: PollId,
    voters: &[VoterKey],
) -> Result<Vec<Option<RecordedBallot>>, Failure> {
    let span = debug_span!("db.votes.find_all", voters = voters.len());
    let voters: Vec<Uuid> = voters.iter().map(columns::voter).collect();
    let rows = store
        .database()
        .read(
            span,
            &store.sql().votes.find_all,
            &[&columns::poll(poll), &voters],
        )
        .await?;
    each(&rows, recorded)
}

pub(super) async fn is_superseded(
    store: &PgStore,
    poll: PollId,
    voter: &VoterKey,
    id: BallotId,
) -> Result<bool, Failure> {
    let rows = store
        .database()
        .read(
            debug_span!("db.votes.is_superseded"),
            &store.sql().votes.is_superseded,
            &[
                &columns::poll(poll),
                &columns::voter(voter),
                &columns::ballot(id),
            ],
        )
        .await?;
    Ok(!rows.is_empty())
}

/// What the core's rule judges; `None` where there is no such poll.
pub(super) async fn standing(
    store: &PgStore,
    poll: PollId,
    voter: &VoterKey,
    id: Option<BallotId>,
) -> Result<Option<Standing>, Failure> {
    let rows = store
        .database()
        .read(
            debug_span!("db.votes.standing"),
            &store.sql().votes.standing,
            &[
                &columns::poll(poll),
                &columns::voter(voter),
                &id.map(columns::ballot),
            ],
        )
        .await?;
    let standing = |row: &Row| -> Read<Standing> {
        Ok(Standing {
            tally: tally_at(row, 7)?,
            allow_change: row.try_get(6)?,
            counts: counts(row)?,
            ballot: recorded(row)?,
            name: name(row)?,
        })
    };
    first(&rows, standing)
}

/// What stands in the way of a ballot, or nothing does.
#[derive(Debug)]
pub(super) struct Found {
    /// The voter's ballot, where there is one.
    pub(super) ballot: Option<RecordedBallot>,
    /// Whether that ballot counts; else it was withdrawn.
    pub(super) counts: bool,
    /// What else is known of the new ballot's id.
    pub(super) name: Name,
    /// What of the poll's tally decides over a ballot; its counters are not read. `None` where there is no such poll.
    pub(super) gate: Option<Tally>,
}

/// What is found for one ballot in a row of [`LOOK_UP`].
pub(super) fn found(row: &Row, ballot: &BallotRecord) -> Read<Found> {
    let has_gate = row.try_get::<_, Option<&str>>(6)?.is_some();
    Ok(Found {
        counts: counts(row)?,
        ballot: recorded(row)?,
        name: name(row)?,
        gate: has_gate.then(|| gate(row, ballot.poll)).transpose()?,
    })
}

fn gate(row: &Row, poll_id: PollId) -> Read<Tally> {
    let options: i32 = row.try_get(9)?;
    Ok(Tally {
        poll_id,
        status: status(row, 6)?,
        window: window(row, 7)?,
        show_results: ShowResults::Managers,
        revision: unsigned(row, 3)?,
        ballots: 0,
        counts: vec![0; usize::try_from(options)?],
    })
}

/// Whether there is a ballot, and it was not withdrawn.
fn counts(row: &Row) -> Read<bool> {
    let has_ballot = row.try_get::<_, Option<Uuid>>(0)?.is_some();
    Ok(has_ballot && row.try_get(4)?)
}

/// The ballot in the first four columns.
fn recorded(row: &Row) -> Read<Option<RecordedBallot>> {
    let Some(id) = row.try_get::<_, Option<Uuid>>(0)? else {
        return Ok(None);
    };
    Ok(Some(RecordedBallot {
        id: BallotId::from_bytes(id.into_bytes()),
        selection: Selection::from_store(row.try_get(1)?),
        cast_at: time(row, 2)?,
        revision: unsigned(row, 3)?,
    }))
}

/// What the first six columns say of the new ballot's id.
fn name(row: &Row) -> Read<Name> {
    let Some(stands_for) = row.try_get::<_, Option<Uuid>>(5)? else {
        return Ok(Name::Unknown);
    };
    let is_the_ballot = row.try_get::<_, Option<Uuid>>(0)? == Some(stands_for);
    Ok(if is_the_ballot && counts(row)? {
        Name::Current
    } else {
        Name::Superseded
    })
}
