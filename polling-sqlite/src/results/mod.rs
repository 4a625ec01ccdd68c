//! The counters: the row of a poll in `poll_tallies`, and the proof of it from the ballots.

pub(crate) mod rows;

use async_trait::async_trait;
use polling_core::results::{Recount, ResultsRepository, Revision, Tally};
use polling_core::{PollId, StoreError};
use rusqlite::{OptionalExtension, Transaction};
use tracing::debug_span;

use crate::SqliteStore;
use crate::columns::unsigned;

const REVISION: &str = "\
-- results.revision
SELECT t.revision FROM polls p JOIN poll_tallies t ON t.poll = p.key WHERE p.id = ?1";

const RECOUNT: &str = "\
-- results.recount
SELECT content FROM votes WHERE poll = ?1 AND withdrawn_at IS NULL";

const ORPHANS: &str = "\
-- results.orphans
SELECT (SELECT count(*) FROM votes v WHERE NOT EXISTS (SELECT 1 FROM polls p WHERE p.key = v.poll))
    + (SELECT count(*) FROM superseded_ballots s WHERE NOT EXISTS (SELECT 1 FROM polls p WHERE p.key = s.poll))
    + (SELECT count(*) FROM poll_tallies t WHERE NOT EXISTS (SELECT 1 FROM polls p WHERE p.key = t.poll))";

#[async_trait]
impl ResultsRepository for SqliteStore {
    async fn tally(&self, poll: PollId) -> Result<Option<Tally>, StoreError> {
        let tally = move |tx: &Transaction<'_>| Ok(rows::gate(tx, poll)?.map(|gate| gate.tally));
        self.read(debug_span!("db.results.tally"), tally).await
    }

    async fn revisions(&self, polls: &[PollId]) -> Result<Vec<Option<Revision>>, StoreError> {
        let polls = polls.to_vec();
        let span = debug_span!("db.results.revisions", polls = polls.len());
        let revisions = move |tx: &Transaction<'_>| {
            let mut select = tx.prepare_cached(REVISION)?;
            let mut revision = |id: &PollId| {
                select
                    .query_row([id.as_bytes()], |row| unsigned(row, 0))
                    .optional()
            };
            polls.iter().map(&mut revision).collect()
        };
        self.read(span, revisions).await
    }

    async fn recount(&self, poll: PollId) -> Result<Option<Recount>, StoreError> {
        let recount = move |tx: &Transaction<'_>| recount(tx, poll);
        self.read(debug_span!("db.results.recount"), recount).await
    }

    async fn orphans(&self) -> Result<u64, StoreError> {
        let orphans = |tx: &Transaction<'_>| tx.query_row(ORPHANS, [], |row| unsigned(row, 0));
        self.read(debug_span!("db.results.orphans"), orphans).await
    }
}

fn recount(tx: &Transaction<'_>, poll: PollId) -> rusqlite::Result<Option<Recount>> {
    let Some(gate) = rows::gate(tx, poll)? else {
        return Ok(None);
    };
    let mut ballots = 0;
    // As long as can be: a position that the poll does not have must show up in the comparison.
    let mut counts = vec![0; 256];
    let mut select = tx.prepare_cached(RECOUNT)?;
    let mut contents = select.query([gate.key])?;
    while let Some(row) = contents.next()? {
        ballots += 1;
        for &position in row.get_ref(0)?.as_blob()? {
            counts[usize::from(position)] += 1;
        }
    }
    let last_chosen = counts.iter().rposition(|&count: &u64| count > 0);
    let options = gate.tally.counts.len();
    counts.truncate(last_chosen.map_or(options, |last| options.max(last + 1)));
    Ok(Some(Recount::new(gate.tally, ballots, counts)))
}
