//! How every statement that counts ballots ends, as text: at the gate.
//!
//! Ballots are written first, in the order of their key, and the gates last, in the order of their polls: half the time
//! of the other way round. Whoever holds a gate waits only for later gates, and whoever waits for a ballot holds no gate;
//! so nobody ever waits in a circle. A gate is locked to the commit, which follows at once: the statement is the whole
//! transaction, or its COMMIT is sent with it ([`copy`](super::copy)).
//!
//! A gate is asked for in a query of its own for each poll, one after the other: a join promises no order.
//!
//! Where a gate does not take all ballots that were written, `refuse()` ends the statement, and nothing of it stands. What
//! decides is the row as it is under its lock, by the rule of [`takes`](polling_core::votes::takes).

/// From `chosen (poll, position, votes, ballots, earliest, latest)`, a row for each position, to `batch`, a row for each poll.
macro_rules! sum_chosen {
    () => {
        "), batch AS (
    SELECT poll, array_agg(position) AS positions, array_agg(votes) AS votes, max(position) AS last,
        sum(ballots)::bigint AS ballots, min(earliest) AS earliest, max(latest) AS latest
    FROM chosen
    GROUP BY poll
"
    };
}

/// From `batch (poll, positions, votes, last, ballots, earliest, latest)` to `counted`, the tallies after it: `positions`
/// and `votes` are the new votes by position, `last` is the greatest position, and `ballots`, which were received from
/// `earliest` to `latest`, how many there are.
macro_rules! count_at_gates {
    () => {
        "), gates AS (
    SELECT b.poll, b.positions, b.votes, b.ballots, b.earliest,
        gate.status IN ('scheduled', 'open', 'closing')
            AND (gate.opens_at IS NULL OR gate.opens_at <= b.earliest)
            AND (gate.closes_at IS NULL OR b.latest < gate.closes_at)
            AND b.last < cardinality(gate.counts) AS takes
    FROM (SELECT * FROM batch ORDER BY poll) b
    CROSS JOIN LATERAL (SELECT t.* FROM {schema}.poll_tallies t WHERE t.poll = b.poll FOR NO KEY UPDATE) gate
), counted AS (
    UPDATE {schema}.poll_tallies t
    SET status = CASE t.status WHEN 'scheduled' THEN 'open' ELSE t.status END,
        updated_at = CASE t.status WHEN 'scheduled' THEN g.earliest ELSE t.updated_at END,
        revision = t.revision + CASE t.status WHEN 'scheduled' THEN 2 ELSE 1 END,
        ballots = t.ballots + g.ballots,
        counts = ARRAY(
            SELECT old.votes + coalesce(new.votes, 0)
            FROM unnest(t.counts) WITH ORDINALITY AS old (votes, place)
            LEFT JOIN unnest(g.positions, g.votes) AS new (position, votes) ON new.position = old.place - 1
            ORDER BY old.place)
    FROM gates g
    WHERE t.poll = g.poll AND g.takes
    RETURNING t.poll, t.status, t.opens_at, t.closes_at, t.show_results, t.revision, t.ballots, t.counts
"
    };
}

/// From `counted` to the result, where all that was sent was written: the tally of each poll, after the two columns in which
/// [`gate`] says what was not.
macro_rules! all_counted {
    () => {
        ")
SELECT NULL::uuid[], NULL::uuid[],
    CASE WHEN (SELECT count(*) FROM counted) < (SELECT count(*) FROM batch) THEN {schema}.refuse()::text END,
    c.poll, c.status, c.opens_at, c.closes_at, c.show_results, c.revision, c.ballots, c.counts
FROM (VALUES (1)) AS always (row) LEFT JOIN counted c ON true"
    };
}

/// From `written (poll, voter, content, cast_at)` to the result: the polls and voters of what was written, where that is not
/// all that was sent, and the tally of each poll that something was added to. It is one row at least.
///
/// Most ballots select one option, and are counted without a loop over what else they select.
macro_rules! gate {
    () => {
        concat!(
            "), selected AS (
    SELECT poll, get_byte(content, 0) AS position, count(*) AS votes, count(*) AS ballots,
        min(cast_at) AS earliest, max(cast_at) AS latest
    FROM written
    GROUP BY 1, 2
    UNION ALL
    SELECT w.poll, get_byte(w.content, at), count(*), 0, min(w.cast_at), max(w.cast_at)
    FROM written w CROSS JOIN LATERAL generate_series(1, octet_length(w.content) - 1) AS at
    WHERE octet_length(w.content) > 1
    GROUP BY 1, 2
), chosen AS (
    SELECT poll, position, sum(votes)::bigint AS votes, sum(ballots)::bigint AS ballots,
        min(earliest) AS earliest, max(latest) AS latest
    FROM selected
    GROUP BY poll, position
",
            sum_chosen!(),
            count_at_gates!(),
            ")
SELECT
    CASE WHEN (SELECT count(*) FROM written) < cardinality($2::uuid[]) THEN ARRAY(SELECT poll FROM written) END,
    CASE WHEN (SELECT count(*) FROM written) < cardinality($2::uuid[]) THEN ARRAY(SELECT voter FROM written) END,
    CASE WHEN (SELECT count(*) FROM counted) < (SELECT count(*) FROM batch) THEN {schema}.refuse()::text END,
    c.poll, c.status, c.opens_at, c.closes_at, c.show_results, c.revision, c.ballots, c.counts
FROM (VALUES (1)) AS always (row) LEFT JOIN counted c ON true"
        )
    };
}

pub(super) use {all_counted, count_at_gates, gate, sum_chosen};
