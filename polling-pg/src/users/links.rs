//! The statements of the one-time links. A link is good while its account has the address that it was sent to, and the
//! epoch under which it was made.

use crate::sql::statements;

statements! {
    /// The statements of the one-time links.
    LinkStatements {
        keep = "\
-- links.keep
WITH person AS (
    SELECT id, epoch, email_key FROM {schema}.users WHERE id = $1 AND email_key = $2 FOR SHARE
)
INSERT INTO {schema}.one_time_links AS l (user_id, epoch, email_key, token, made_at, expires_at)
SELECT p.id, p.epoch, p.email_key, $3, $4, $5 FROM person p
ON CONFLICT (user_id) DO UPDATE
SET epoch = excluded.epoch, email_key = excluded.email_key, token = excluded.token, made_at = excluded.made_at,
    expires_at = excluded.expires_at
WHERE $6::timestamptz IS NULL OR l.made_at <= $6
RETURNING l.user_id";

        find = "\
-- links.find
SELECT u.id, u.name, u.email, u.is_admin, u.created_at
FROM {schema}.one_time_links l
JOIN {schema}.users u ON u.id = l.user_id AND u.epoch = l.epoch AND u.email_key = l.email_key
WHERE l.token = $1 AND $2 < l.expires_at";

        redeem = "\
-- links.redeem
WITH taken AS (
    DELETE FROM {schema}.one_time_links WHERE token = $1 AND $2 < expires_at
    RETURNING user_id, epoch, email_key
), changed AS (
    UPDATE {schema}.users u SET password_hash = $3, epoch = u.epoch + 1
    FROM taken t
    WHERE u.id = t.user_id AND u.epoch = t.epoch AND u.email_key = t.email_key
    RETURNING u.id
), ended AS (
    DELETE FROM {schema}.sessions s USING changed c WHERE s.user_id = c.id
)
SELECT id FROM changed";

        sweep = "\
-- links.sweep
WITH over AS (
    DELETE FROM {schema}.one_time_links
    WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM {schema}.one_time_links WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2
        FOR UPDATE SKIP LOCKED))
    RETURNING 1
)
SELECT count(*) FROM over";
    }
}
