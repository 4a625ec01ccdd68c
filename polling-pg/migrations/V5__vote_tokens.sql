-- One-time vote tokens: each is good for one ballot in one poll.

CREATE TABLE {schema}.vote_tokens (
    token   bytea   CONSTRAINT vote_tokens_key PRIMARY KEY
                    CONSTRAINT vote_tokens_token_is_hash CHECK (octet_length(token) = 32),
    poll    uuid    NOT NULL,
    making  integer NOT NULL CONSTRAINT vote_tokens_making_counts CHECK (making >= 1),
    revoked boolean NOT NULL DEFAULT false
);

-- What is still to be purged.
CREATE INDEX vote_tokens_by_poll ON {schema}.vote_tokens (poll);
-- What is counted as revoked.
CREATE INDEX vote_tokens_revoked ON {schema}.vote_tokens (poll, making) WHERE revoked;

CREATE TABLE {schema}.vote_token_counts (
    poll            uuid    CONSTRAINT vote_token_counts_key PRIMARY KEY
                            CONSTRAINT vote_token_counts_poll REFERENCES {schema}.polls (id),
    made            bigint  NOT NULL CONSTRAINT vote_token_counts_made_counts CHECK (made >= 1),
    makings         integer NOT NULL CONSTRAINT vote_token_counts_makings_count CHECK (makings >= 1),
    revoked_makings integer NOT NULL DEFAULT 0
                            CONSTRAINT vote_token_counts_revoked_makings_fit
                            CHECK (revoked_makings BETWEEN 0 AND makings),
    revoked_made    bigint  NOT NULL DEFAULT 0
                            CONSTRAINT vote_token_counts_revoked_made_fits CHECK (revoked_made BETWEEN 0 AND made)
);

COMMENT ON TABLE {schema}.vote_tokens IS
    'The one-time vote tokens, as no more than their hashes. A vote does not say which token cast it: its voter is made of the token itself, and so is this hash, and neither of the two leads to the other. No foreign key, as with votes: a poll is locked while tokens are kept for it, and its tokens go with it.';
COMMENT ON COLUMN {schema}.vote_tokens.token IS 'The SHA-256 of the token.';
COMMENT ON COLUMN {schema}.vote_tokens.making IS 'With which of its poll''s makings it came; see vote_token_counts.';
COMMENT ON COLUMN {schema}.vote_tokens.revoked IS
    'Whether it was revoked by itself. Those that were revoked with all others are not written.';

COMMENT ON TABLE {schema}.vote_token_counts IS
    'How many tokens were made for a poll, and which of them were revoked all together. Polls without tokens have none.';
COMMENT ON COLUMN {schema}.vote_token_counts.made IS 'Ever made.';
COMMENT ON COLUMN {schema}.vote_token_counts.makings IS
    'How often some were made; each making has its number, from 1.';
COMMENT ON COLUMN {schema}.vote_token_counts.revoked_makings IS 'All tokens up to this making are revoked.';
COMMENT ON COLUMN {schema}.vote_token_counts.revoked_made IS 'How many those are.';
