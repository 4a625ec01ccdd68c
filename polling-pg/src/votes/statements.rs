//! The statements that write batches of ballots: ballots first, and then as [`gate`](super::gate) says.

use super::gate::{count_at_gates, gate};

/// Inserts the ballots whose voters have no row. A row that another server is about to commit is waited for, and then
/// stands in the way.
pub(super) const RECORD: &str = concat!(
    "-- votes.record
WITH input AS (
    SELECT poll, voter, ballot, content, received_at, place
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bytea[], $5::timestamptz[]) WITH ORDINALITY
        AS i (poll, voter, ballot, content, received_at, place)
), written AS (
    INSERT INTO {schema}.votes (poll, voter, ballot, content, cast_at)
    SELECT poll, voter, ballot, content, received_at FROM input ORDER BY poll, voter
    ON CONFLICT (poll, voter) DO NOTHING
    RETURNING poll, voter, content, cast_at
",
    gate!()
);

/// Inserts ballots none of whose voters has a row: a plain insert, which a row that is there already ends. What it adds to
/// the counters was summed up before; the gates come last all the same.
pub(super) const RECORD_NEW: &str = concat!(
    "-- votes.record_new
WITH written AS (
    INSERT INTO {schema}.votes (poll, voter, ballot, content, cast_at)
    SELECT poll, voter, ballot, content, received_at
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bytea[], $5::timestamptz[])
        AS i (poll, voter, ballot, content, received_at)
    ORDER BY poll, voter
    RETURNING 1
), batch AS (
    SELECT poll, array_agg(position) AS positions, array_agg(votes) AS votes, max(position) AS last,
        sum(ballots)::bigint AS ballots, min(earliest) AS earliest, max(latest) AS latest
    FROM unnest($6::uuid[], $7::integer[], $8::bigint[], $9::bigint[], $10::timestamptz[], $11::timestamptz[])
        AS chosen (poll, position, votes, ballots, earliest, latest)
    WHERE (SELECT count(*) FROM written) > 0
    GROUP BY poll
",
    count_at_gates!(),
    ")
SELECT NULL::bigint[],
    CASE WHEN (SELECT count(*) FROM counted) < (SELECT count(*) FROM batch) THEN {schema}.refuse()::text END,
    c.poll, c.status, c.opens_at, c.closes_at, c.show_results, c.revision, c.ballots, c.counts
FROM (VALUES (1)) AS always (row) LEFT JOIN counted c ON true"
);

/// Writes ballots over the ones that their voters had withdrawn, where they are still the ones that were found. A row that
/// changed under the hand is not written, and looked up again.
pub(super) const REVIVE: &str = concat!(
    "-- votes.revive
WITH input AS (
    SELECT poll, voter, ballot, content, received_at, withdrawn, place
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bytea[], $5::timestamptz[], $6::uuid[]) WITH ORDINALITY
        AS i (poll, voter, ballot, content, received_at, withdrawn, place)
), found AS (
    SELECT v.ctid AS at, i.ballot, i.content, i.received_at
    FROM (SELECT * FROM input ORDER BY poll, voter) i
    CROSS JOIN LATERAL (
        SELECT v.ctid FROM {schema}.votes v
        WHERE v.poll = i.poll AND v.voter = i.voter AND v.ballot = i.withdrawn AND v.withdrawn_at IS NOT NULL
        FOR NO KEY UPDATE
    ) v
), written AS (
    UPDATE {schema}.votes v
    SET ballot = f.ballot, content = f.content, cast_at = f.received_at, withdrawn_at = NULL
    FROM found f
    WHERE v.ctid = f.at
    RETURNING v.poll, v.voter, v.content, v.cast_at
",
    gate!()
);
