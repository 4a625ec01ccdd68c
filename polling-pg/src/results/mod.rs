//! The counters: the row of a poll in `poll_tallies`, and the proof of it from the ballots.

pub(crate) mod rows;

use async_trait::async_trait;
use polling_core::results::{Recount, ResultsRepository, Revision, Tally};
use polling_core::{PollId, StoreError};
use tokio_postgres::Row;
use tracing::debug_span;
use uuid::Uuid;

use crate::PgStore;
use crate::columns::{self, Read, each, first, unsigned};
use crate::sql::statements;

statements! {
    /// The statements of the results.
    ResultStatements {
        tally = "\
-- results.tally
SELECT poll, status, opens_at, closes_at, show_results, revision, ballots, counts
FROM {schema}.poll_tallies
WHERE poll = $1";

        revisions = "\
-- results.revisions
SELECT t.revision
FROM unnest($1::uuid[]) WITH ORDINALITY AS asked (poll, place)
LEFT JOIN {schema}.poll_tallies t ON t.poll = asked.poll
ORDER BY asked.place";

        recount = "\
-- results.recount
WITH chosen AS (
    SELECT get_byte(v.content, place) AS position, count(*) AS votes
    FROM {schema}.votes v
    CROSS JOIN LATERAL generate_series(0, octet_length(v.content) - 1) AS place
    WHERE v.poll = $1 AND v.withdrawn_at IS NULL
    GROUP BY 1
)
SELECT t.poll, t.status, t.opens_at, t.closes_at, t.show_results, t.revision, t.ballots, t.counts,
    (SELECT count(*) FROM {schema}.votes v WHERE v.poll = $1 AND v.withdrawn_at IS NULL),
    ARRAY(SELECT c.position FROM chosen c ORDER BY c.position),
    ARRAY(SELECT c.votes FROM chosen c ORDER BY c.position)
FROM {schema}.poll_tallies t
WHERE t.poll = $1";

        orphans = "\
-- results.orphans
SELECT (SELECT count(*) FROM {schema}.votes v WHERE NOT EXISTS (SELECT 1 FROM {schema}.polls p WHERE p.id = v.poll))
    + (SELECT count(*) FROM {schema}.superseded_ballots s
        WHERE NOT EXISTS (SELECT 1 FROM {schema}.polls p WHERE p.id = s.poll))
    + (SELECT count(*) FROM {schema}.poll_tallies t
        WHERE NOT EXISTS (SELECT 1 FROM {schema}.polls p WHERE p.id = t.poll))";
    }
}

#[async_trait]
impl ResultsRepository for PgStore {
    async fn tally(&self, poll: PollId) -> Result<Option<Tally>, StoreError> {
        let sql = &self.sql().results.tally;
        let rows = self
            .database()
            .read(
                debug_span!("db.results.tally"),
                sql,
                &[&columns::poll(poll)],
            )
            .await?;
        Ok(first(&rows, |row| rows::tally_at(row, 0))?)
    }

    async fn revisions(&self, polls: &[PollId]) -> Result<Vec<Option<Revision>>, StoreError> {
        let span = debug_span!("db.results.revisions", polls = polls.len());
        let polls: Vec<Uuid> = polls.iter().copied().map(columns::poll).collect();
        let sql = &self.sql().results.revisions;
        let rows = self.database().read(span, sql, &[&polls]).await?;
        let revision = |row: &Row| -> Read<Option<Revision>> {
            let revision: Option<i64> = row.try_get(0)?;
            Ok(revision.map(u64::try_from).transpose()?)
        };
        Ok(each(&rows, revision)?)
    }

    async fn recount(&self, poll: PollId) -> Result<Option<Recount>, StoreError> {
        let sql = &self.sql().results.recount;
        let span = debug_span!("db.results.recount");
        let rows = self.prove(span, sql, &[&columns::poll(poll)]).await?;
        Ok(first(&rows, recount)?)
    }

    async fn orphans(&self) -> Result<u64, StoreError> {
        let sql = &self.sql().results.orphans;
        let rows = self
            .prove(debug_span!("db.results.orphans"), sql, &[])
            .await?;
        Ok(first(&rows, |row| unsigned(row, 0))?.unwrap_or(0))
    }
}

fn recount(row: &Row) -> Read<Recount> {
    let tally = rows::tally_at(row, 0)?;
    let (positions, votes): (Vec<i32>, Vec<i64>) = (row.try_get(9)?, row.try_get(10)?);
    // As long as it must be: a position that the poll does not have must show up in the comparison.
    let mut counts = vec![0; tally.counts.len()];
    for (position, votes) in positions.into_iter().zip(votes) {
        let position = usize::try_from(position)?;
        if counts.len() <= position {
            counts.resize(position + 1, 0);
        }
        counts[position] = u64::try_from(votes)?;
    }
    Ok(Recount::new(tally, unsigned(row, 8)?, counts))
}
