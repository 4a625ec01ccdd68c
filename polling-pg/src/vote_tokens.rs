//! The one-time vote tokens.

use async_trait::async_trait;
use polling_core::vote_tokens::{KeptTokens, TokensInStore, VoteTokenRepository, WhichTokens};
use polling_core::{PollId, StoreError, TokenHash};
use tracing::debug_span;

use crate::PgStore;
use crate::columns::{self, each, first, poll_id, signed, unsigned};
use crate::sql::statements;

statements! {
    /// The statements of the vote tokens. Whoever makes tokens of a poll, or revokes them, locks its row in
    /// `vote_token_counts`; single tokens are locked after it, in their order.
    VoteTokenStatements {
        // The poll is locked, so that none is kept for one that is being deleted.
        insert = "\
-- vote_tokens.insert
WITH poll AS MATERIALIZED (
    SELECT id FROM {schema}.polls WHERE id = $1 AND deleted_at IS NULL FOR SHARE
), counted AS (
    INSERT INTO {schema}.vote_token_counts AS c (poll, made, makings)
    SELECT id, $3::bigint, 1 FROM poll WHERE $3 <= $4::bigint
    ON CONFLICT (poll) DO UPDATE SET made = c.made + excluded.made, makings = c.makings + 1
    WHERE c.made + excluded.made <= $4
    RETURNING poll, makings
), kept AS (
    INSERT INTO {schema}.vote_tokens (token, poll, making)
    SELECT token, counted.poll, counted.makings FROM counted CROSS JOIN unnest($2::bytea[]) AS token
)
SELECT EXISTS (SELECT 1 FROM poll), EXISTS (SELECT 1 FROM counted)";

        poll_of = "\
-- vote_tokens.poll_of
SELECT t.poll
FROM {schema}.vote_tokens t
JOIN {schema}.vote_token_counts c ON c.poll = t.poll
JOIN {schema}.polls p ON p.id = t.poll AND p.deleted_at IS NULL
WHERE t.token = $1 AND NOT t.revoked AND t.making > c.revoked_makings";

        good_for = "\
-- vote_tokens.good_for
SELECT t.token
FROM {schema}.vote_token_counts c
JOIN {schema}.polls p ON p.id = c.poll AND p.deleted_at IS NULL
CROSS JOIN unnest($2::bytea[]) AS asked (token)
CROSS JOIN LATERAL (
    SELECT token FROM {schema}.vote_tokens
    WHERE token = asked.token AND poll = c.poll AND NOT revoked AND making > c.revoked_makings
    LIMIT 1
) AS t
WHERE c.poll = $1";

        count = "\
-- vote_tokens.count
SELECT c.made, c.revoked_made
    + (SELECT count(*) FROM {schema}.vote_tokens t WHERE t.poll = c.poll AND t.revoked AND t.making > c.revoked_makings)
FROM {schema}.vote_token_counts c
JOIN {schema}.polls p ON p.id = c.poll AND p.deleted_at IS NULL
WHERE c.poll = $1";

        revoke = "\
-- vote_tokens.revoke
WITH counts AS MATERIALIZED (
    SELECT c.revoked_makings FROM {schema}.vote_token_counts c
    JOIN {schema}.polls p ON p.id = c.poll AND p.deleted_at IS NULL
    WHERE c.poll = $1 FOR SHARE OF c
), good AS MATERIALIZED (
    SELECT t.token FROM {schema}.vote_tokens t
    WHERE t.token = ANY ($2) AND t.poll = $1 AND NOT t.revoked AND t.making > (SELECT revoked_makings FROM counts)
    ORDER BY t.token FOR UPDATE
), gone AS (
    UPDATE {schema}.vote_tokens t SET revoked = true FROM good WHERE t.token = good.token RETURNING 1
)
SELECT count(*) FROM gone";

        // Tokens that somebody else revokes singly at this moment may be counted here too.
        revoke_all = "\
-- vote_tokens.revoke_all
WITH counts AS MATERIALIZED (
    SELECT c.* FROM {schema}.vote_token_counts c
    JOIN {schema}.polls p ON p.id = c.poll AND p.deleted_at IS NULL
    WHERE c.poll = $1 FOR UPDATE OF c
), gone AS (
    UPDATE {schema}.vote_token_counts c SET revoked_made = counts.made, revoked_makings = counts.makings
    FROM counts
    WHERE c.poll = counts.poll
)
SELECT counts.made - counts.revoked_made
    - (SELECT count(*) FROM {schema}.vote_tokens t WHERE t.poll = $1 AND t.revoked AND t.making > counts.revoked_makings)
FROM counts";
    }
}

#[async_trait]
impl VoteTokenRepository for PgStore {
    async fn insert(
        &self,
        poll: PollId,
        tokens: &[TokenHash],
        most: u64,
    ) -> Result<KeptTokens, StoreError> {
        let (poll, hashes) = (columns::poll(poll), bytes(tokens));
        let (new, most) = (signed(tokens.len() as u64), signed(most));
        let rows = self
            .database()
            .write(
                debug_span!("db.vote_tokens.insert"),
                &self.sql().vote_tokens.insert,
                &[&poll, &hashes, &new, &most],
            )
            .await?;
        let found = first(&rows, |row| Ok((row.try_get(0)?, row.try_get(1)?)))?;
        Ok(match found {
            Some((true, true)) => KeptTokens::Done,
            Some((true, false)) => KeptTokens::TooMany,
            Some((false, _)) | None => KeptTokens::Missing,
        })
    }

    async fn poll_of(&self, token: TokenHash) -> Result<Option<PollId>, StoreError> {
        let sql = &self.sql().vote_tokens.poll_of;
        let span = debug_span!("db.vote_tokens.poll_of");
        let token = token.as_bytes().as_slice();
        let rows = self.database().read(span, sql, &[&token]).await?;
        Ok(first(&rows, |row| poll_id(row, 0))?)
    }

    async fn good_for(
        &self,
        poll: PollId,
        tokens: &[TokenHash],
    ) -> Result<Vec<TokenHash>, StoreError> {
        let sql = &self.sql().vote_tokens.good_for;
        let span = debug_span!("db.vote_tokens.good_for", tokens = tokens.len());
        let (poll, hashes) = (columns::poll(poll), bytes(tokens));
        let rows = self.database().read(span, sql, &[&poll, &hashes]).await?;
        Ok(each(&rows, |row| {
            columns::bytes(row, 0).map(TokenHash::from_bytes)
        })?)
    }

    async fn count(&self, poll: PollId) -> Result<TokensInStore, StoreError> {
        let sql = &self.sql().vote_tokens.count;
        let span = debug_span!("db.vote_tokens.count");
        let poll = columns::poll(poll);
        let rows = self.database().read(span, sql, &[&poll]).await?;
        let counts = first(&rows, |row| {
            Ok(TokensInStore {
                made: unsigned(row, 0)?,
                revoked: unsigned(row, 1)?,
            })
        })?;
        Ok(counts.unwrap_or_default())
    }

    async fn revoke(&self, poll: PollId, which: WhichTokens<'_>) -> Result<u64, StoreError> {
        let (poll, sql) = (columns::poll(poll), &self.sql().vote_tokens);
        let span = debug_span!("db.vote_tokens.revoke");
        let rows = match which {
            WhichTokens::These(tokens) => {
                let hashes = bytes(tokens);
                let params: &columns::Params<'_> = &[&poll, &hashes];
                self.database().write(span, &sql.revoke, params).await?
            }
            WhichTokens::All => {
                self.database()
                    .write(span, &sql.revoke_all, &[&poll])
                    .await?
            }
        };
        Ok(first(&rows, |row| unsigned(row, 0))?.unwrap_or(0))
    }
}

fn bytes(tokens: &[TokenHash]) -> Vec<&[u8]> {
    tokens
        .iter()
        .map(|token| token.as_bytes().as_slice())
        .collect()
}
