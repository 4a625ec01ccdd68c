-- Sign-ins that are refreshed, one-time links, administrators, and accounts that are deleted.

-- password_hash is NULL while the account has no password: nobody can sign in. name is wiped, and email, email_key and
-- password_hash are NULL, once it is deleted.
ALTER TABLE {schema}.users
    ALTER COLUMN password_hash DROP NOT NULL,
    ALTER COLUMN email DROP NOT NULL,
    ALTER COLUMN email_key DROP NOT NULL,
    ADD COLUMN is_admin boolean NOT NULL DEFAULT false,
    ADD COLUMN epoch integer NOT NULL DEFAULT 0,
    ADD COLUMN deleted_at timestamptz,
    ADD COLUMN detached_to uuid,
    ADD CONSTRAINT users_email_until_deleted
        CHECK ((email IS NULL) = (deleted_at IS NOT NULL) AND (email_key IS NULL) = (deleted_at IS NOT NULL));

-- Whose ballots are to be detached.
CREATE INDEX users_to_detach ON {schema}.users (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE {schema}.sessions (
    id         uuid        CONSTRAINT sessions_key PRIMARY KEY,
    user_id    uuid        NOT NULL CONSTRAINT sessions_user REFERENCES {schema}.users (id) ON DELETE CASCADE,
    epoch      integer     NOT NULL,
    token      bytea       NOT NULL CONSTRAINT sessions_token_is_hash CHECK (octet_length(token) = 32),
    spent      bytea       CONSTRAINT sessions_spent_is_hash CHECK (octet_length(spent) = 32),
    renewed_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ends_at    timestamptz NOT NULL
);

CREATE INDEX sessions_by_user ON {schema}.sessions (user_id);
CREATE INDEX sessions_to_sweep ON {schema}.sessions (expires_at);

CREATE TABLE {schema}.one_time_links (
    user_id    uuid        CONSTRAINT one_time_links_key PRIMARY KEY
                           CONSTRAINT one_time_links_user REFERENCES {schema}.users (id) ON DELETE CASCADE,
    epoch      integer     NOT NULL,
    email_key  text        NOT NULL,
    token      bytea       NOT NULL CONSTRAINT one_time_links_token_unique UNIQUE
                           CONSTRAINT one_time_links_token_is_hash CHECK (octet_length(token) = 32),
    made_at    timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE INDEX one_time_links_to_sweep ON {schema}.one_time_links (expires_at);

COMMENT ON COLUMN {schema}.users.is_admin IS 'Whether they administer the whole site.';
COMMENT ON COLUMN {schema}.users.epoch IS
    'One more whenever all sign-ins end: one that began at the same moment, and that the statement which ended them could not see, is told by its number.';
COMMENT ON COLUMN {schema}.users.deleted_at IS
    'Where it is set the account is gone, for everybody: its name, address and password are wiped. The row goes when its ballots are detached. An account without a password_hash has none yet.';
COMMENT ON COLUMN {schema}.users.detached_to IS
    'The last poll that was looked through for ballots of the deleted user; NULL where none was.';

COMMENT ON TABLE {schema}.sessions IS
    'The sign-ins, a row for each: a family of refresh tokens, of which one at a time is good.';
COMMENT ON COLUMN {schema}.sessions.user_id IS 'Who signed in.';
COMMENT ON COLUMN {schema}.sessions.epoch IS 'The user''s when it began; under another one it is over.';
COMMENT ON COLUMN {schema}.sessions.token IS 'The SHA-256 of the refresh token that is good.';
COMMENT ON COLUMN {schema}.sessions.spent IS
    'The SHA-256 of the one that was spent for it. All others of the family are known by its id.';
COMMENT ON COLUMN {schema}.sessions.renewed_at IS 'When that was, or when it began.';
COMMENT ON COLUMN {schema}.sessions.expires_at IS 'When the token ends, if nobody uses it before.';
COMMENT ON COLUMN {schema}.sessions.ends_at IS 'When the sign-in ends, however often it is renewed.';

COMMENT ON TABLE {schema}.one_time_links IS 'The links that set a password: each account has one at most, the newest.';
COMMENT ON COLUMN {schema}.one_time_links.user_id IS 'Whose password it sets.';
COMMENT ON COLUMN {schema}.one_time_links.epoch IS 'The user''s when it was made; under another one it is no good.';
COMMENT ON COLUMN {schema}.one_time_links.email_key IS
    'The address that it was sent to, in lower case; where the account has another one it is no good.';
COMMENT ON COLUMN {schema}.one_time_links.token IS 'The SHA-256 of its token.';
COMMENT ON COLUMN {schema}.one_time_links.made_at IS 'When it was made, so that not too many are sent.';
COMMENT ON COLUMN {schema}.one_time_links.expires_at IS 'From when on it is no good.';
