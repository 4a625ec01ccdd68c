-- Sign-ins that are refreshed, one-time links, administrators, and accounts that are deleted.

-- NULL while the account has no password: nobody can sign in.
ALTER TABLE users ALTER COLUMN password_hash DROP NOT NULL;

-- Whether they administer the whole site.
ALTER TABLE users ADD COLUMN is_admin INTEGER NOT NULL DEFAULT 0
    CONSTRAINT users_is_admin_is_flag CHECK (is_admin IN (0, 1));

-- Where it is set the account is gone, for everybody: its name, address and password are wiped. The row goes when its
-- ballots are detached.
ALTER TABLE users ADD COLUMN deleted_at INTEGER;

-- The last poll that was looked through for ballots of the deleted user; 0 where none was.
ALTER TABLE users ADD COLUMN detached_to INTEGER NOT NULL DEFAULT 0;

-- A deleted account has no address.
ALTER TABLE users ALTER COLUMN email DROP NOT NULL;
ALTER TABLE users ALTER COLUMN email_key DROP NOT NULL;
ALTER TABLE users ADD CONSTRAINT users_email_until_deleted
    CHECK ((email IS NULL) = (deleted_at IS NOT NULL) AND (email_key IS NULL) = (deleted_at IS NOT NULL));

-- Whose ballots are to be detached.
CREATE INDEX users_to_detach ON users (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE sessions (
    -- The sign-ins, a row for each: a family of refresh tokens, of which one at a time is good.
    id         BLOB    NOT NULL CONSTRAINT sessions_id_is_uuid CHECK (length(id) = 16),
    user_id    BLOB    NOT NULL CONSTRAINT sessions_user REFERENCES users (id) ON DELETE CASCADE,
    -- The SHA-256 of the refresh token that is good, and of the one that was spent for it.
    token      BLOB    NOT NULL CONSTRAINT sessions_token_is_hash CHECK (length(token) = 32),
    spent      BLOB    CONSTRAINT sessions_spent_is_hash CHECK (length(spent) = 32),
    renewed_at INTEGER NOT NULL,
    -- When the token ends, if nobody uses it before, and when the sign-in does.
    expires_at INTEGER NOT NULL,
    ends_at    INTEGER NOT NULL,
    CONSTRAINT sessions_key PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_to_sweep ON sessions (expires_at);

CREATE TABLE one_time_links (
    -- The links that set a password: each account has one at most, the newest.
    user_id    BLOB    NOT NULL CONSTRAINT one_time_links_user REFERENCES users (id) ON DELETE CASCADE,
    -- The SHA-256 of its token.
    token      BLOB    NOT NULL CONSTRAINT one_time_links_token_unique UNIQUE
                       CONSTRAINT one_time_links_token_is_hash CHECK (length(token) = 32),
    made_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    CONSTRAINT one_time_links_key PRIMARY KEY (user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX one_time_links_to_sweep ON one_time_links (expires_at);
