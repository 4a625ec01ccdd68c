//! How every statement that counts ballots ends, as text: at the gate.
//!
//! Ballots are written first, in the order of their key, and the gates last, in the order of their polls: half the time
//! of the other way round. Whoever holds a gate waits only for later gates, and whoever waits for a ballot holds no gate;
//! so nobody ever waits in a circle. A gate is locked to the commit, which follows at once, because the statement is the
//! whole transaction.
//!
//! Where a gate does not take all ballots that were written, `refuse()` ends the statement, and nothing of it stands. What
//! decides is the row as it is under its lock, by the rule of [`takes`](polling_core::votes::takes).

/// From `input (poll, voter, place)` and `written (poll, voter, content, cast_at)` to the result: the places of what was
/// not written, and the tally of each poll that something was added to. It is one row at least.
macro_rules! gate {
    () => {
        "), chosen AS (
    SELECT w.poll, get_byte(w.content, b) AS position, count(*) AS votes
    FROM written w CROSS JOIN LATERAL generate_series(0, octet_length(w.content) - 1) AS b
    GROUP BY 1, 2
), options AS (
    SELECT poll, array_agg(position) AS positions, array_agg(votes) AS votes, max(position) AS last
    FROM chosen GROUP BY poll
), batch AS (
    SELECT poll, count(*) AS ballots, min(cast_at) AS earliest, max(cast_at) AS latest FROM written GROUP BY poll
), gates AS (
    SELECT t.poll, b.ballots, b.earliest, o.positions, o.votes,
        t.status IN ('scheduled', 'open', 'closing')
            AND (t.opens_at IS NULL OR t.opens_at <= b.earliest)
            AND (t.closes_at IS NULL OR b.latest < t.closes_at)
            AND o.last < cardinality(t.counts) AS takes
    FROM batch b
    JOIN options o ON o.poll = b.poll
    JOIN {schema}.poll_tallies t ON t.poll = b.poll
    ORDER BY t.poll
    FOR NO KEY UPDATE OF t
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
)
SELECT
    CASE WHEN (SELECT count(*) FROM written) < (SELECT count(*) FROM input) THEN
        ARRAY(SELECT i.place FROM input i
            WHERE NOT EXISTS (SELECT 1 FROM written w WHERE w.poll = i.poll AND w.voter = i.voter))
    END,
    (SELECT {schema}.refuse() FROM batch b WHERE NOT EXISTS (SELECT 1 FROM counted c WHERE c.poll = b.poll) LIMIT 1)::text,
    c.poll, c.status, c.opens_at, c.closes_at, c.show_results, c.revision, c.ballots, c.counts
FROM (VALUES (1)) AS always (row) LEFT JOIN counted c ON true"
    };
}

pub(super) use gate;
