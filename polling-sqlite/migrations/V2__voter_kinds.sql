-- Two more kinds of voters: the members of a poll's workspace, and the holders of its one-time tokens.
--
-- SQLite exchanges a constraint in place: no table is rebuilt, and the foreign keys that lead to it stay as they are.

ALTER TABLE polls DROP CONSTRAINT polls_voters_known;
ALTER TABLE polls ADD CONSTRAINT polls_voters_known
    CHECK (voters IN ('anyone', 'vouched', 'registered', 'members', 'tokens'));

-- As it was, but that members are users too.
DROP VIEW vote_selections;
CREATE VIEW vote_selections AS
-- Which voter chose which option, one row per selection: the many-to-many relation of voters and options, for people who
-- read the database. Ids and times are text here. user_id and user_name are those of registered users, as far as the
-- accounts live in this file.
SELECT
    lower(printf('%s-%s-%s-%s-%s', substr(hex(p.id), 1, 8), substr(hex(p.id), 9, 4), substr(hex(p.id), 13, 4),
        substr(hex(p.id), 17, 4), substr(hex(p.id), 21))) AS poll_id,
    p.question,
    lower(printf('%s-%s-%s-%s-%s', substr(hex(o.id), 1, 8), substr(hex(o.id), 9, 4), substr(hex(o.id), 13, 4),
        substr(hex(o.id), 17, 4), substr(hex(o.id), 21))) AS option_id,
    o.position,
    o.text AS option_text,
    lower(hex(v.voter)) AS voter,
    CASE WHEN u.id IS NOT NULL THEN
        lower(printf('%s-%s-%s-%s-%s', substr(hex(u.id), 1, 8), substr(hex(u.id), 9, 4), substr(hex(u.id), 13, 4),
            substr(hex(u.id), 17, 4), substr(hex(u.id), 21)))
    END AS user_id,
    u.name AS user_name,
    lower(printf('%s-%s-%s-%s-%s', substr(hex(v.ballot), 1, 8), substr(hex(v.ballot), 9, 4), substr(hex(v.ballot), 13, 4),
        substr(hex(v.ballot), 17, 4), substr(hex(v.ballot), 21))) AS ballot_id,
    strftime('%Y-%m-%dT%H:%M:%fZ', v.cast_at / 1000.0, 'unixepoch') AS cast_at
FROM votes v
JOIN polls p ON p.key = v.poll AND p.deleted_at IS NULL
JOIN poll_options o ON o.poll = v.poll AND instr(v.content, o.byte) > 0
LEFT JOIN users u ON p.voters IN ('registered', 'members') AND u.id = v.voter
WHERE v.withdrawn_at IS NULL;
