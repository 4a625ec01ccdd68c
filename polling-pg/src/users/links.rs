//! The statements of the one-time links. A link is good while its account has the address that it was sent to, and the
//! epoch under which it was made: so is told one that was kept at the same moment in which what ends links was done.
//!
//! Whatever writes both an account and its link locks the account's row first, so that nobody waits in a circle.

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
WHERE $6::timestamptz IS NULL OR l.made_at <= $6 OR l.epoch <> excluded.epoch OR l.email_key <> excluded.email_key
RETURNING l.user_id";

        drop = "\
-- links.drop
DELETE FROM {schema}.one_time_links WHERE token = $1";

        find = "\
-- links.find
SELECT u.id, u.name, u.email, u.is_admin, u.created_at
FROM {schema}.one_time_links l
JOIN {schema}.users u ON u.id = l.user_id AND u.epoch = l.epoch AND u.email_key = l.email_key
WHERE l.token = $1 AND $2 < l.expires_at";

        redeem = "\
-- links.redeem
WITH person AS (
    SELECT u.id FROM {schema}.one_time_links l
    JOIN {schema}.users u ON u.id = l.user_id AND u.epoch = l.epoch AND u.email_key = l.email_key
    WHERE l.token = $1 AND $2 < l.expires_at
    FOR UPDATE OF u
), taken AS (
    DELETE FROM {schema}.one_time_links l USING person p WHERE l.user_id = p.id AND l.token = $1
    RETURNING l.user_id
), changed AS (
    UPDATE {schema}.users u SET password_hash = $3, epoch = u.epoch + 1 FROM taken t WHERE u.id = t.user_id
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
