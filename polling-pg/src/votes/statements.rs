//! The statements that write batches of ballots: ballots first, and then as [`gate`](super::gate) says.

use super::gate::{all_counted, count_at_gates, gate, sum_chosen};
use super::params::row;

/// Inserts the ballots whose voters have no row. A row that another server is about to commit is waited for, and then
/// stands in the way.
pub(super) const RECORD: &str = concat!(
    "-- votes.record
WITH written AS (
    INSERT INTO {schema}.votes (poll, voter, ballot, content, cast_at)
    SELECT ",
    row!(),
    "
    FROM generate_series(1, cardinality($2::uuid[])) AS i
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
    SELECT ",
    row!(),
    "
    FROM generate_series(1, cardinality($2::uuid[])) AS i
    RETURNING 1
), chosen AS (
    SELECT *
    FROM unnest($7::uuid[], $8::integer[], $9::bigint[], $10::bigint[], $11::timestamptz[], $12::timestamptz[])
        AS sums (poll, position, votes, ballots, earliest, latest)
    WHERE (SELECT count(*) FROM written) > 0
",
    sum_chosen!(),
    count_at_gates!(),
    all_counted!(),
);

/// Takes the rows of ballots none of whose voters has one; see [`copy`](super::copy).
pub(super) const COPY: &str = "-- votes.copy
COPY {schema}.votes (poll, voter, ballot, content, cast_at) FROM STDIN (FORMAT binary)";

/// Counts what was copied, by sums as for [`RECORD_NEW`].
pub(super) const COUNT_COPIED: &str = concat!(
    "-- votes.count_copied
WITH chosen AS (
    SELECT *
    FROM unnest($1::uuid[], $2::integer[], $3::bigint[], $4::bigint[], $5::timestamptz[], $6::timestamptz[])
        AS sums (poll, position, votes, ballots, earliest, latest)
",
    sum_chosen!(),
    count_at_gates!(),
    all_counted!(),
);

/// Writes ballots over the ones that their voters had withdrawn, where they are still the ones that were found. A row that
/// changed under the hand is not written, and looked up again.
pub(super) const REVIVE: &str = concat!(
    "-- votes.revive
WITH found AS (
    SELECT v.ctid AS at, i.ballot, i.content, i.received_at
    FROM (
        SELECT ",
    row!(),
    ", ($7::uuid[])[i] AS withdrawn
        FROM generate_series(1, cardinality($2::uuid[])) AS i
    ) i
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
