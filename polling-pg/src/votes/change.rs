//! Changing and withdrawing votes, one by one, as the core's rule says. The rule is judged on what was read, and each
//! statement writes only where the voter's ballot is still the one that was judged, and the gate still takes it; else it
//! is judged again. A ballot id never comes back once it was replaced, so that the same id is the same ballot.

use polling_core::results::Tally;
use polling_core::votes::{
    BallotRecord, Change, ChangePlan, RecordedBallot, Refusal, Selection, VoterKey, Withdrawal,
    WithdrawalPlan,
};
use polling_core::{PollId, Timestamp};
use tracing::debug_span;

use super::batch::{Batch, Group, REFUSED, UNIQUE_VIOLATION};
use super::rows;
use crate::PgStore;
use crate::columns::{self, Time, first};
use crate::error::Failure;
use crate::results::rows::tally_at;

/// Remembers another id of the ballot, while it is the one that counts.
pub(super) const NAME: &str = "\
-- votes.name
WITH current AS (
    SELECT poll, voter, ballot FROM {schema}.votes
    WHERE poll = $1 AND voter = $2 AND ballot = $3 AND withdrawn_at IS NULL
    FOR NO KEY UPDATE
), named AS (
    INSERT INTO {schema}.superseded_ballots (poll, voter, ballot, stands_for)
    SELECT poll, voter, $4, ballot FROM current
    ON CONFLICT (poll, voter, ballot) DO NOTHING
)
SELECT 1 FROM current";

/// Writes another ballot, or a withdrawal, over the one that counts: ballot first, gate last. An id that the client chose
/// is kept as a name at once, which another server that gives the same name to the ballot of before runs into.
pub(super) const REPLACE: &str = "\
-- votes.replace
WITH written AS (
    UPDATE {schema}.votes
    SET ballot = $4, content = $5, cast_at = $6, withdrawn_at = $7
    WHERE poll = $1 AND voter = $2 AND ballot = $3 AND withdrawn_at IS NULL
    RETURNING poll, voter
), gate AS (
    SELECT t.poll,
        t.status IN ('scheduled', 'open', 'closing')
            AND (t.opens_at IS NULL OR t.opens_at <= $8)
            AND (t.closes_at IS NULL OR $8 < t.closes_at) AS takes
    FROM written w
    JOIN {schema}.poll_tallies t ON t.poll = w.poll
    FOR NO KEY UPDATE OF t
), counted AS (
    UPDATE {schema}.poll_tallies t
    SET status = CASE t.status WHEN 'scheduled' THEN 'open' ELSE t.status END,
        updated_at = CASE t.status WHEN 'scheduled' THEN $8 ELSE t.updated_at END,
        revision = t.revision + CASE t.status WHEN 'scheduled' THEN 2 ELSE 1 END,
        ballots = t.ballots + $9,
        counts = ARRAY(
            SELECT c.votes + c.change
            FROM unnest(t.counts, $10::bigint[]) WITH ORDINALITY AS c (votes, change, place)
            ORDER BY c.place)
    FROM gate
    WHERE t.poll = gate.poll AND gate.takes
    RETURNING t.poll, t.status, t.opens_at, t.closes_at, t.show_results, t.revision, t.ballots, t.counts
), superseded AS (
    INSERT INTO {schema}.superseded_ballots (poll, voter, ballot, stands_for)
    SELECT poll, voter, $3, $3 FROM written
    ON CONFLICT (poll, voter, ballot) DO NOTHING
), named AS (
    INSERT INTO {schema}.superseded_ballots (poll, voter, ballot, stands_for)
    SELECT poll, voter, $4, $4 FROM written WHERE $11
)
SELECT (SELECT {schema}.refuse() FROM written w WHERE NOT EXISTS (SELECT 1 FROM counted))::text,
    c.poll, c.status, c.opens_at, c.closes_at, c.show_results, c.revision, c.ballots, c.counts
FROM written LEFT JOIN counted c ON true";

/// How often a change is judged anew: each time somebody else has changed the same voter's vote, or moved the poll.
const ROUNDS: usize = 16;

pub(super) async fn change(store: &PgStore, ballot: &BallotRecord) -> Result<Change, Failure> {
    for _ in 0..ROUNDS {
        let standing = rows::standing(store, ballot.poll, &ballot.voter, Some(ballot.id)).await?;
        let Some(standing) = standing else {
            return Ok(Change::Refused(Refusal::Missing));
        };
        let options = standing.tally.counts.len();
        let batch = Batch::new(std::slice::from_ref(ballot));
        let change = match standing.plan_change(ballot) {
            ChangePlan::Answer(answer) => Some(answer),
            ChangePlan::Name(known) => name(store, ballot, &known)
                .await?
                .then_some(Change::Unchanged(known)),
            ChangePlan::Insert { .. } => {
                let group = batch.whole();
                create(store, ballot.poll, batch, &group)
                    .await?
                    .map(Change::Created)
            }
            ChangePlan::Revive { old, .. } => {
                let group = batch.reviving(old.id);
                create(store, ballot.poll, batch, &group)
                    .await?
                    .map(Change::Created)
            }
            ChangePlan::Replace { old, .. } => {
                let replacement = Replacement::of(&old, ballot, options);
                replacement.write(store).await?.map(Change::Changed)
            }
        };
        if let Some(change) = change {
            return Ok(change);
        }
    }
    Err(Failure::Restless)
}

pub(super) async fn withdraw(
    store: &PgStore,
    poll: PollId,
    voter: &VoterKey,
    at: Timestamp,
) -> Result<Withdrawal, Failure> {
    for _ in 0..ROUNDS {
        let Some(standing) = rows::standing(store, poll, voter, None).await? else {
            return Ok(Withdrawal::Refused(Refusal::Missing));
        };
        let options = standing.tally.counts.len();
        match standing.plan_withdrawal(at) {
            WithdrawalPlan::Answer(answer) => return Ok(answer),
            WithdrawalPlan::Withdraw { old } => {
                let replacement = Replacement::withdrawing(poll, voter, &old, at, options);
                if let Some(tally) = replacement.write(store).await? {
                    return Ok(Withdrawal::Withdrawn(tally));
                }
            }
        }
    }
    Err(Failure::Restless)
}

async fn name(
    store: &PgStore,
    ballot: &BallotRecord,
    known: &RecordedBallot,
) -> Result<bool, Failure> {
    let _turn = store.database().turn(ballot.poll).await?;
    let rows = store
        .database()
        .write(
            debug_span!("db.votes.name"),
            &store.sql().votes.name,
            &[
                &columns::poll(ballot.poll),
                &columns::voter(&ballot.voter),
                &columns::ballot(known.id),
                &columns::ballot(ballot.id),
            ],
        )
        .await?;
    Ok(!rows.is_empty())
}

/// Writes a ballot where there was none that counted; `None` where something stands in its way now.
async fn create(
    store: &PgStore,
    poll: PollId,
    mut batch: Batch<'_>,
    group: &Group,
) -> Result<Option<Tally>, Failure> {
    let _turn = store.database().turn(poll).await?;
    let connection = store.database().lend().await?;
    let sent = batch.send(&connection, &store.sql().votes, group);
    let sent = store.database().in_time(sent).await;
    let undecided = connection.give_back(sent)?;
    if undecided.is_empty() {
        Ok(batch.finish()?.tallies.pop())
    } else {
        Ok(None)
    }
}

/// What is written over a ballot that counts.
#[derive(Debug)]
struct Replacement<'a> {
    poll: PollId,
    voter: &'a VoterKey,
    old: &'a RecordedBallot,
    id: polling_core::BallotId,
    keeps_name: bool,
    content: &'a [u8],
    cast_at: Timestamp,
    withdrawn_at: Option<Timestamp>,
    received_at: Timestamp,
    ballots: i64,
    counts: Vec<i64>,
}

impl<'a> Replacement<'a> {
    /// Another ballot, in a poll of so many options.
    fn of(old: &'a RecordedBallot, ballot: &'a BallotRecord, options: usize) -> Self {
        let mut counts = vec![0; options];
        add(&mut counts, &old.selection, -1);
        add(&mut counts, &ballot.selection, 1);
        Self {
            poll: ballot.poll,
            voter: &ballot.voter,
            old,
            id: ballot.id,
            keeps_name: ballot.id_is_clients,
            content: ballot.selection.positions(),
            cast_at: ballot.received_at,
            withdrawn_at: None,
            received_at: ballot.received_at,
            ballots: 0,
            counts,
        }
    }

    /// The same ballot, which does not count any more.
    fn withdrawing(
        poll: PollId,
        voter: &'a VoterKey,
        old: &'a RecordedBallot,
        at: Timestamp,
        options: usize,
    ) -> Self {
        let mut counts = vec![0; options];
        add(&mut counts, &old.selection, -1);
        Self {
            poll,
            voter,
            old,
            id: old.id,
            keeps_name: false,
            content: old.selection.positions(),
            cast_at: old.cast_at,
            withdrawn_at: Some(at),
            received_at: at,
            ballots: -1,
            counts,
        }
    }

    /// The tally after it; `None` where the ballot is another one now, or the gate does not take it.
    async fn write(&self, store: &PgStore) -> Result<Option<Tally>, Failure> {
        let _turn = store.database().turn(self.poll).await?;
        let written = store
            .database()
            .write(
                debug_span!("db.votes.replace"),
                &store.sql().votes.replace,
                &[
                    &columns::poll(self.poll),
                    &columns::voter(self.voter),
                    &columns::ballot(self.old.id),
                    &columns::ballot(self.id),
                    &self.content,
                    &Time(self.cast_at),
                    &self.withdrawn_at.map(Time),
                    &Time(self.received_at),
                    &self.ballots,
                    &self.counts,
                    &self.keeps_name,
                ],
            )
            .await;
        match written {
            Ok(rows) => first(&rows, |row| tally_at(row, 1)),
            Err(failure) if failure.has_state(REFUSED) || failure.has_state(UNIQUE_VIOLATION) => {
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }
}

fn add(counts: &mut [i64], selection: &Selection, votes: i64) {
    for &position in selection.positions() {
        counts[usize::from(position)] += votes;
    }
}
