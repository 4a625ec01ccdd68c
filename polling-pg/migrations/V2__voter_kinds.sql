-- Two more kinds of voters: the members of a poll's workspace, and the holders of its one-time tokens.

ALTER TABLE {schema}.polls
    DROP CONSTRAINT polls_voters_known,
    ADD CONSTRAINT polls_voters_known CHECK (voters IN ('anyone', 'vouched', 'registered', 'members', 'tokens'));

-- As it was, but that members are users too. Its comments stay.
CREATE OR REPLACE VIEW {schema}.vote_selections AS
SELECT
    p.id AS poll_id,
    p.question,
    o.id AS option_id,
    o.position,
    o.text AS option_text,
    v.voter,
    u.id AS user_id,
    u.name AS user_name,
    v.ballot AS ballot_id,
    v.cast_at
FROM {schema}.votes v
JOIN {schema}.polls p ON p.id = v.poll AND p.deleted_at IS NULL
CROSS JOIN LATERAL generate_series(0, octet_length(v.content) - 1) AS place
JOIN {schema}.poll_options o ON o.poll = v.poll AND o.position = get_byte(v.content, place)
LEFT JOIN {schema}.users u ON p.voters IN ('registered', 'members') AND u.id = v.voter
WHERE v.withdrawn_at IS NULL;
