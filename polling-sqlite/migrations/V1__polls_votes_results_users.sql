-- The schema of the embedded store. The comments stand inside the statements, so that SQLite keeps them:
-- `.schema` in its shell shows them.
--
-- Public ids are 16-byte BLOBs (UUIDs), times are milliseconds since 1970 in UTC, flags are 0 and 1. Inside, a poll is its
-- small integer key.

-- Says whose file this is: 'poll' in ASCII.
PRAGMA application_id = 0x706F6C6C;

CREATE TABLE polls (
    -- The definitions of the polls. A deleted poll leaves its row here as a tombstone, with its texts wiped, until its
    -- ballots are purged; where it had a manage token, for good: a repeated request to delete then finds no poll, and not
    -- a bad token.
    key          INTEGER PRIMARY KEY,
    id           BLOB    NOT NULL CONSTRAINT polls_id_unique UNIQUE
                         CONSTRAINT polls_id_is_uuid CHECK (length(id) = 16),
    question     TEXT    NOT NULL,
    description  TEXT,
    -- How many options a ballot selects; both NULL where the choice is single.
    choice_min   INTEGER,
    choice_max   INTEGER,
    voters       TEXT    NOT NULL CONSTRAINT polls_voters_known CHECK (voters IN ('anyone', 'vouched', 'registered')),
    allow_change INTEGER NOT NULL CONSTRAINT polls_allow_change_is_flag CHECK (allow_change IN (0, 1)),
    listed       INTEGER NOT NULL CONSTRAINT polls_listed_is_flag CHECK (listed IN (0, 1)),
    -- The id of the user who created it. No foreign key: an application that signs people in by itself has its users
    -- elsewhere.
    creator      BLOB    CONSTRAINT polls_creator_is_uuid CHECK (length(creator) = 16),
    -- The SHA-256 of the manage token, of polls that were created without an account.
    manage_token BLOB    CONSTRAINT polls_manage_token_is_hash CHECK (length(manage_token) = 32),
    -- One more with each edit, from 1.
    version      INTEGER NOT NULL CONSTRAINT polls_version_positive CHECK (version >= 1),
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    deleted_at   INTEGER,
    -- Whether the tombstone is all that is left of it.
    purged       INTEGER NOT NULL DEFAULT 0 CONSTRAINT polls_purged_is_flag CHECK (purged IN (0, 1)),
    CONSTRAINT polls_choice_fits CHECK (
        (choice_min IS NULL AND choice_max IS NULL)
        OR (choice_min IS NOT NULL AND choice_max IS NOT NULL AND 1 <= choice_min AND choice_min <= choice_max)
    ),
    CONSTRAINT polls_deleted_before_purged CHECK (purged = 0 OR deleted_at IS NOT NULL)
) STRICT;

-- What a listing reads: the public polls, the creator's, and those of a manage token, each newest first.
CREATE INDEX polls_listed ON polls (id) WHERE listed = 1;
CREATE INDEX polls_by_creator ON polls (creator, id) WHERE creator IS NOT NULL;
CREATE INDEX polls_by_manage_token ON polls (manage_token, id) WHERE manage_token IS NOT NULL;
-- What is still to be purged.
CREATE INDEX polls_to_purge ON polls (key) WHERE deleted_at IS NOT NULL AND purged = 0;

CREATE TABLE poll_options (
    -- What can be chosen. A position is an option's identity inside its poll, fixed once the poll is published.
    poll     INTEGER NOT NULL CONSTRAINT poll_options_poll REFERENCES polls (key),
    position INTEGER NOT NULL CONSTRAINT poll_options_position_is_byte CHECK (position BETWEEN 0 AND 254),
    -- The byte that stands for the option in votes.content.
    byte     BLOB    NOT NULL,
    id       BLOB    NOT NULL CONSTRAINT poll_options_id_is_uuid CHECK (length(id) = 16),
    text     TEXT    NOT NULL,
    CONSTRAINT poll_options_key PRIMARY KEY (poll, position),
    CONSTRAINT poll_options_byte_is_position CHECK (hex(byte) = printf('%02X', position))
) STRICT, WITHOUT ROWID;

CREATE TABLE poll_tallies (
    -- The gate: every ballot and every step of a poll's life passes through the poll's one row here, in the order of the
    -- commits. A deleted poll has none.
    poll         INTEGER PRIMARY KEY CONSTRAINT poll_tallies_poll REFERENCES polls (key),
    status       TEXT    NOT NULL CONSTRAINT poll_tallies_status_known
                         CHECK (status IN ('draft', 'scheduled', 'open', 'closing', 'closed')),
    opens_at     INTEGER,
    closes_at    INTEGER,
    show_results TEXT    NOT NULL CONSTRAINT poll_tallies_show_results_known
                         CHECK (show_results IN ('always', 'after_vote', 'after_close', 'managers')),
    -- One more with each change: the same revision is the same content, for ever.
    revision     INTEGER NOT NULL CONSTRAINT poll_tallies_revision_counts CHECK (revision >= 0),
    -- Ballots that count, which is voters; not selections.
    ballots      INTEGER NOT NULL CONSTRAINT poll_tallies_ballots_count CHECK (ballots >= 0),
    -- By position, the ballots that select the option: 8 bytes each, little-endian.
    counts       BLOB    NOT NULL CONSTRAINT poll_tallies_counts_are_words CHECK (length(counts) % 8 = 0)
) STRICT;

-- What the clock will do next, soonest first.
CREATE INDEX poll_tallies_to_open ON poll_tallies (opens_at) WHERE status = 'scheduled';
CREATE INDEX poll_tallies_to_end ON poll_tallies (closes_at) WHERE status = 'open' AND closes_at IS NOT NULL;
CREATE INDEX poll_tallies_to_finish ON poll_tallies (closes_at) WHERE status = 'closing';

CREATE TABLE votes (
    -- One row per ballot, whatever it selects: its primary key is what forbids a second ballot. No foreign key, because it
    -- would cost a look-up for each ballot: the gate proves that the poll is there, deleting goes through one place, and
    -- orphans are counted.
    poll         INTEGER NOT NULL,
    -- A registered user's own id; of all others the first 16 bytes of a SHA-256 over the kind and id of the voter.
    voter        BLOB    NOT NULL CONSTRAINT votes_voter_is_key CHECK (length(voter) = 16),
    -- The ballot's public id, by which a retry is told from a second vote.
    ballot       BLOB    NOT NULL CONSTRAINT votes_ballot_is_uuid CHECK (length(ballot) = 16),
    -- The chosen positions in order, one byte each.
    content      BLOB    NOT NULL,
    cast_at      INTEGER NOT NULL,
    -- Where it is set the ballot does not count: it is left out of every count, recount and view.
    withdrawn_at INTEGER,
    CONSTRAINT votes_key PRIMARY KEY (poll, voter)
) STRICT, WITHOUT ROWID;

CREATE TABLE superseded_ballots (
    -- The ids of ballots that were changed or withdrawn: sent again, they are refused. No foreign key, as with votes.
    poll   INTEGER NOT NULL,
    voter  BLOB    NOT NULL CONSTRAINT superseded_ballots_voter_is_key CHECK (length(voter) = 16),
    ballot BLOB    NOT NULL CONSTRAINT superseded_ballots_ballot_is_uuid CHECK (length(ballot) = 16),
    -- 0 for an id under which a client asked for what the vote was already, under another id: it is superseded with the
    -- vote's next change, like the vote's own.
    superseded INTEGER NOT NULL CONSTRAINT superseded_ballots_superseded_is_flag CHECK (superseded IN (0, 1)),
    CONSTRAINT superseded_ballots_key PRIMARY KEY (poll, voter, ballot)
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
    id            BLOB    NOT NULL CONSTRAINT users_id_is_uuid CHECK (length(id) = 16),
    name          TEXT    NOT NULL,
    -- The address as it was given, and in lower case, which is what is unique.
    email         TEXT    NOT NULL,
    email_key     TEXT    NOT NULL CONSTRAINT users_email_unique UNIQUE,
    -- A PHC string: it holds its own salt and parameters.
    password_hash TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    CONSTRAINT users_key PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE signing_keys (
    -- The secret that signs access tokens, made once, so that restarts keep people signed in.
    purpose TEXT NOT NULL CONSTRAINT signing_keys_purpose_known CHECK (purpose = 'access_tokens'),
    secret  BLOB NOT NULL CONSTRAINT signing_keys_secret_is_256_bits CHECK (length(secret) = 32),
    CONSTRAINT signing_keys_key PRIMARY KEY (purpose)
) STRICT, WITHOUT ROWID;

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
LEFT JOIN users u ON p.voters = 'registered' AND u.id = v.voter
WHERE v.withdrawn_at IS NULL;
