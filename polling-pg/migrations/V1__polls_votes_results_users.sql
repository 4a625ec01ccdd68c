-- The schema of the PostgreSQL store. {schema} stands for the name of the schema, which is filled in when this is run.
-- Nothing newer than PostgreSQL 14 is used. The comments at the end are kept by the database: \d+ in psql shows them.
--
-- Times are timestamptz, always whole milliseconds. Words that a column can hold are checked, and not enumerated types:
-- a later version can let in more without rewriting the table.

CREATE TABLE {schema}.users (
    id            uuid        CONSTRAINT users_key PRIMARY KEY,
    name          text        NOT NULL,
    email         text        NOT NULL,
    email_key     text        NOT NULL CONSTRAINT users_email_unique UNIQUE,
    password_hash text        NOT NULL,
    created_at    timestamptz NOT NULL
);

CREATE TABLE {schema}.signing_keys (
    purpose text  CONSTRAINT signing_keys_key PRIMARY KEY
                  CONSTRAINT signing_keys_purpose_known CHECK (purpose = 'access_tokens'),
    secret  bytea NOT NULL CONSTRAINT signing_keys_secret_is_256_bits CHECK (octet_length(secret) = 32)
);

CREATE TABLE {schema}.polls (
    id           uuid        CONSTRAINT polls_key PRIMARY KEY,
    question     text        NOT NULL,
    description  text,
    choice_min   smallint,
    choice_max   smallint,
    voters       text        NOT NULL
                             CONSTRAINT polls_voters_known CHECK (voters IN ('anyone', 'vouched', 'registered')),
    allow_change boolean     NOT NULL,
    listed       boolean     NOT NULL,
    creator      uuid,
    manage_token bytea       CONSTRAINT polls_manage_token_is_hash CHECK (octet_length(manage_token) = 32),
    created_at   timestamptz NOT NULL,
    deleted_at   timestamptz,
    purged       boolean     NOT NULL DEFAULT false,
    CONSTRAINT polls_choice_fits CHECK (
        (choice_min IS NULL AND choice_max IS NULL)
        OR (choice_min IS NOT NULL AND choice_max IS NOT NULL AND 1 <= choice_min AND choice_min <= choice_max
            AND choice_max <= 255)
    ),
    CONSTRAINT polls_deleted_before_purged CHECK (NOT purged OR deleted_at IS NOT NULL)
);

-- What a listing reads: the public polls, the creator's, and those of a manage token, each newest first.
CREATE INDEX polls_listed ON {schema}.polls (id) WHERE listed;
CREATE INDEX polls_by_creator ON {schema}.polls (creator, id) WHERE creator IS NOT NULL;
CREATE INDEX polls_by_manage_token ON {schema}.polls (manage_token, id) WHERE manage_token IS NOT NULL;
-- What is still to be purged.
CREATE INDEX polls_to_purge ON {schema}.polls (id) WHERE deleted_at IS NOT NULL AND NOT purged;

CREATE TABLE {schema}.poll_options (
    poll     uuid     CONSTRAINT poll_options_poll REFERENCES {schema}.polls (id),
    position smallint CONSTRAINT poll_options_position_is_byte CHECK (position BETWEEN 0 AND 254),
    -- Looked at when a statement ends: an edit may give a position the id that another one has until then.
    id       uuid     NOT NULL CONSTRAINT poll_options_id_unique UNIQUE DEFERRABLE INITIALLY IMMEDIATE,
    text     text     NOT NULL,
    CONSTRAINT poll_options_key PRIMARY KEY (poll, position)
);

-- Half of each page is left free, so that a row that is counted up again and again stays on its page, and no index of it
-- is touched.
CREATE TABLE {schema}.poll_tallies (
    poll         uuid        CONSTRAINT poll_tallies_key PRIMARY KEY
                             CONSTRAINT poll_tallies_poll REFERENCES {schema}.polls (id),
    version      bigint      NOT NULL CONSTRAINT poll_tallies_version_positive CHECK (version >= 1),
    updated_at   timestamptz NOT NULL,
    status       text        NOT NULL
                             CONSTRAINT poll_tallies_status_known
                             CHECK (status IN ('draft', 'scheduled', 'open', 'closing', 'closed')),
    opens_at     timestamptz,
    closes_at    timestamptz,
    show_results text        NOT NULL
                             CONSTRAINT poll_tallies_show_results_known
                             CHECK (show_results IN ('always', 'after_vote', 'after_close', 'managers')),
    revision     bigint      NOT NULL CONSTRAINT poll_tallies_revision_counts CHECK (revision >= 0),
    ballots      bigint      NOT NULL CONSTRAINT poll_tallies_ballots_count CHECK (ballots >= 0),
    counts       bigint[]    NOT NULL CONSTRAINT poll_tallies_counts_count CHECK (0 <= ALL (counts)),
    CONSTRAINT poll_tallies_window_in_order CHECK (opens_at < closes_at)
) WITH (fillfactor = 50);

-- What the clock will do next, soonest first.
CREATE INDEX poll_tallies_to_open ON {schema}.poll_tallies (opens_at NULLS FIRST) WHERE status = 'scheduled';
CREATE INDEX poll_tallies_to_end ON {schema}.poll_tallies (closes_at) WHERE status = 'open' AND closes_at IS NOT NULL;
CREATE INDEX poll_tallies_to_finish ON {schema}.poll_tallies (closes_at) WHERE status = 'closing';

CREATE TABLE {schema}.votes (
    poll         uuid        NOT NULL,
    voter        uuid        NOT NULL,
    ballot       uuid        NOT NULL,
    cast_at      timestamptz NOT NULL,
    withdrawn_at timestamptz,
    content      bytea       NOT NULL
                             CONSTRAINT votes_content_selects CHECK (octet_length(content) BETWEEN 1 AND 255),
    CONSTRAINT votes_key PRIMARY KEY (poll, voter)
);

CREATE TABLE {schema}.superseded_ballots (
    poll       uuid    NOT NULL,
    voter      uuid    NOT NULL,
    ballot     uuid    NOT NULL,
    stands_for uuid    NOT NULL,
    CONSTRAINT superseded_ballots_key PRIMARY KEY (poll, voter, ballot)
);

CREATE VIEW {schema}.vote_selections AS
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
LEFT JOIN {schema}.users u ON p.voters = 'registered' AND u.id = v.voter
WHERE v.withdrawn_at IS NULL;

CREATE FUNCTION {schema}.refuse() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the gate of a poll refuses' USING ERRCODE = 'PGATE';
END
$$;

COMMENT ON TABLE {schema}.users IS 'The accounts.';
COMMENT ON COLUMN {schema}.users.email IS 'The address as it was given.';
COMMENT ON COLUMN {schema}.users.email_key IS 'The address in lower case, which is what is unique.';
COMMENT ON COLUMN {schema}.users.password_hash IS 'A PHC string: it holds its own salt and parameters.';

COMMENT ON TABLE {schema}.signing_keys IS
    'The secret that signs access tokens, made once, so that restarts keep people signed in and all servers share it.';
COMMENT ON COLUMN {schema}.signing_keys.purpose IS 'What it signs.';
COMMENT ON COLUMN {schema}.signing_keys.secret IS 'Who can read this can sign in as anybody.';

COMMENT ON TABLE {schema}.polls IS
    'The definitions of the polls. A deleted poll leaves its row as a tombstone, with its texts wiped, until its ballots are purged; where it had a manage token, for good: a repeated request to delete then finds no poll, and not a bad token.';
COMMENT ON COLUMN {schema}.polls.choice_min IS
    'How many options a ballot selects at least; NULL where the choice is single.';
COMMENT ON COLUMN {schema}.polls.choice_max IS
    'How many options a ballot selects at most; NULL where the choice is single.';
COMMENT ON COLUMN {schema}.polls.voters IS 'Who may vote, and so what a voter''s key is made of.';
COMMENT ON COLUMN {schema}.polls.allow_change IS 'Whether a vote may be changed and withdrawn.';
COMMENT ON COLUMN {schema}.polls.listed IS 'Whether everybody finds it in the list; else it is for those who know its id.';
COMMENT ON COLUMN {schema}.polls.creator IS
    'The id of the user who created it. No foreign key: an application that signs people in by itself has its users elsewhere.';
COMMENT ON COLUMN {schema}.polls.manage_token IS
    'The SHA-256 of the manage token, of polls that were created without an account.';
COMMENT ON COLUMN {schema}.polls.deleted_at IS
    'Where it is set the poll is gone, for everybody, and its rows go in the background.';
COMMENT ON COLUMN {schema}.polls.purged IS 'Whether the tombstone is all that is left of it.';

COMMENT ON TABLE {schema}.poll_options IS 'What can be chosen.';
COMMENT ON COLUMN {schema}.poll_options.position IS
    'The option''s identity inside its poll, and the byte that stands for it in votes.content; fixed once the poll is published.';
COMMENT ON COLUMN {schema}.poll_options.id IS 'The option''s public name.';

COMMENT ON TABLE {schema}.poll_tallies IS
    'The gate: every ballot and every step of a poll''s life updates the poll''s one row here, as the last thing before the commit, and holds its lock to the commit. So the order of revisions is the order of commits. A deleted poll has none.';
COMMENT ON COLUMN {schema}.poll_tallies.version IS
    'One more with each edit of the poll, from 1. It stands here so that edits and steps are compared with one row.';
COMMENT ON COLUMN {schema}.poll_tallies.updated_at IS
    'When the poll was edited or took a step last; votes do not count.';
COMMENT ON COLUMN {schema}.poll_tallies.status IS 'Never computed from a clock: a step is written here.';
COMMENT ON COLUMN {schema}.poll_tallies.opens_at IS 'Ballots count that were received from here on.';
COMMENT ON COLUMN {schema}.poll_tallies.closes_at IS 'Ballots count that were received before this.';
COMMENT ON COLUMN {schema}.poll_tallies.show_results IS 'Who may see the results, and from when on.';
COMMENT ON COLUMN {schema}.poll_tallies.revision IS
    'One more with each change: the same revision is the same content, for ever.';
COMMENT ON COLUMN {schema}.poll_tallies.ballots IS 'Ballots that count, which is voters; not selections.';
COMMENT ON COLUMN {schema}.poll_tallies.counts IS 'By position, the ballots that select the option.';

COMMENT ON TABLE {schema}.votes IS
    'One row per ballot, whatever it selects: its primary key is what forbids a second ballot. It is the many-to-many relation of voters and options; the view vote_selections shows it row by row. No foreign key, which would cost a quarter to a half of the throughput: the gate proves that the poll and its options are there, deleting goes through one place, and orphans are counted.';
COMMENT ON COLUMN {schema}.votes.voter IS
    'A registered user''s own id; of all others the first 16 bytes of a SHA-256 over the kind and id of the voter.';
COMMENT ON COLUMN {schema}.votes.ballot IS 'The ballot''s public id, by which a retry is told from a second vote.';
COMMENT ON COLUMN {schema}.votes.cast_at IS 'When the ballot arrived at its server.';
COMMENT ON COLUMN {schema}.votes.withdrawn_at IS
    'Where it is set the ballot does not count: it is left out of every count, recount and view.';
COMMENT ON COLUMN {schema}.votes.content IS 'The chosen positions in order, one byte each.';

COMMENT ON TABLE {schema}.superseded_ballots IS
    'The ids of ballots that were changed or withdrawn: sent again, they are refused. Rows are only ever added. No foreign key, as with votes.';
COMMENT ON COLUMN {schema}.superseded_ballots.voter IS 'As in votes.';
COMMENT ON COLUMN {schema}.superseded_ballots.ballot IS 'The id that is refused.';
COMMENT ON COLUMN {schema}.superseded_ballots.stands_for IS
    'The ballot that the id named: its own, or the one that was what a client asked for already under another id. While that is the voter''s ballot and counts, the id is not superseded yet.';

COMMENT ON VIEW {schema}.vote_selections IS
    'Which voter chose which option, one row per selection: the many-to-many relation of voters and options, for people who read the database. user_id and user_name are those of registered users, as far as the accounts live here.';
COMMENT ON COLUMN {schema}.vote_selections.voter IS 'As in votes: who has no account here has no more than this.';
COMMENT ON COLUMN {schema}.vote_selections.user_id IS 'The registered user; NULL for all other voters.';

COMMENT ON FUNCTION {schema}.refuse() IS
    'Ends a statement that a gate refuses, with the SQLSTATE PGATE, so that nothing of it stands.';
