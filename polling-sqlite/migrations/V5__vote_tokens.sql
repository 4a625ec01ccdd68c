-- One-time vote tokens: each is good for one ballot in one poll.

CREATE TABLE vote_tokens (
    -- The tokens, as no more than their hashes. A vote does not say which token cast it: its voter is made of the token
    -- itself, and so is this hash, and neither of the two leads to the other. No foreign key, as with votes: a poll is
    -- proved when tokens are kept for it, and its tokens go with it.
    token   BLOB    NOT NULL CONSTRAINT vote_tokens_token_is_hash CHECK (length(token) = 32),
    poll    INTEGER NOT NULL,
    -- With which of its poll's makings it came; see vote_token_counts.
    making  INTEGER NOT NULL CONSTRAINT vote_tokens_making_counts CHECK (making >= 1),
    -- Whether it was revoked by itself. Those that were revoked with all others are not written.
    revoked INTEGER NOT NULL DEFAULT 0 CONSTRAINT vote_tokens_revoked_is_flag CHECK (revoked IN (0, 1)),
    CONSTRAINT vote_tokens_key PRIMARY KEY (token)
) STRICT, WITHOUT ROWID;

-- What is still to be purged.
CREATE INDEX vote_tokens_by_poll ON vote_tokens (poll);
-- What is counted as revoked.
CREATE INDEX vote_tokens_revoked ON vote_tokens (poll, making) WHERE revoked = 1;

CREATE TABLE vote_token_counts (
    -- How many tokens were made for a poll, and which of them were revoked all together. Polls without tokens have none.
    poll            INTEGER PRIMARY KEY CONSTRAINT vote_token_counts_poll REFERENCES polls (key),
    -- Ever made.
    made            INTEGER NOT NULL CONSTRAINT vote_token_counts_made_counts CHECK (made >= 1),
    -- How often some were made; each making has its number, from 1.
    makings         INTEGER NOT NULL CONSTRAINT vote_token_counts_makings_count CHECK (makings >= 1),
    -- All tokens up to this making are revoked, and how many they are.
    revoked_makings INTEGER NOT NULL DEFAULT 0
                    CONSTRAINT vote_token_counts_revoked_makings_fit CHECK (revoked_makings BETWEEN 0 AND makings),
    revoked_made    INTEGER NOT NULL DEFAULT 0
                    CONSTRAINT vote_token_counts_revoked_made_fits CHECK (revoked_made BETWEEN 0 AND made)
) STRICT;
