//! The one-time vote tokens.

use async_trait::async_trait;
use polling_core::vote_tokens::{
    Making, NewMaking, TokensInStore, VoteTokenRepository, WhichTokens,
};
use polling_core::{PollId, StoreError, TokenHash};
use tracing::debug_span;

use crate::PgStore;
use crate::columns::{self, each, first, poll_id, signed, unsigned};
use crate::sql::statements;

statements! {
    /// The statements of the vote tokens. Whoever makes tokens of a poll, or revokes them, locks its row in
    /// `vote_token_counts`; single tokens are locked after it, in their order.
    VoteTokenStatements {
        // The poll is locked, so that none is counted for one that is being deleted.
        begin = "\
-- vote_tokens.begin
WITH poll AS MATERIALIZED (
    SELECT id FROM {schema}.polls WHERE id = $1 AND deleted_at IS NULL FOR SHARE
), counted AS (
    INSERT INTO {schema}.vote_token_counts AS c (poll, made, makings)
    SELECT id, $2::bigint, 1 FROM poll WHERE $2 <= $3::bigint
    ON CONFLICT (poll) DO UPDATE SET made = c.made + excluded.made, makings = c.makings + 1
    WHERE c.made + excluded.made <= $3
    RETURNING makings
)
SELECT EXISTS (SELECT 1 FROM poll), (SELECT makings FROM counted)";

        // The poll is locked, so that none is kept for one that is being deleted.
        insert = "\
-- vote_tokens.insert
WITH poll AS MATERIALIZED (
    SELECT id FROM {schema}.polls WHERE id = $1 AND deleted_at IS NULL FOR SHARE
), kept AS (
    INSERT INTO {schema}.vote_tokens (token, poll, making)
    SELECT token, poll.id, $3::integer FROM poll CROSS JOIN unnest($2::bytea[]) AS token
)
SELECT EXISTS (SELECT 1 FROM poll)";

        // Where all tokens were revoked meanwhile, those that are taken back count among the revoked ones. A poll of which no
        // token is left has no counts. The row of the counts is locked first, so that both steps see the same numbers.
        take_back = "\
-- vote_tokens.take_back
WITH counts AS MATERIALIZED (
    SELECT c.poll, c.made, c.revoked_makings FROM {schema}.vote_token_counts c
    JOIN {schema}.polls p ON p.id = c.poll AND p.deleted_at IS NULL
    WHERE c.poll = $1 FOR UPDATE OF c
), removed AS (
    DELETE FROM {schema}.vote_tokens t USING counts
    WHERE t.token = ANY ($2::bytea[]) AND t.poll = counts.poll AND t.making = $3::integer
), fewer AS (
    UPDATE {schema}.vote_token_counts c
    SET made = c.made - $4::bigint,
        revoked_made = c.revoked_made - CASE WHEN $3 <= c.revoked_makings THEN $4 ELSE 0 END
    FROM counts WHERE c.poll = counts.poll AND counts.made > $4
)
DELETE FROM {schema}.vote_token_counts c USING counts WHERE c.poll = counts.poll AND counts.made <= $4";

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
    async fn begin(&self, poll: PollId, tokens: u64, most: u64) -> Result<NewMaking, StoreError> {
        let poll = columns::poll(poll);
        let (new, most) = (signed(tokens), signed(most));
        let rows = self
            .database()
            .write(
                debug_span!("db.vote_tokens.begin"),
                &self.sql().vote_tokens.begin,
                &[&poll, &new, &most],
            )
            .await?;
        let found = first(&rows, |row| {
            let making: Option<i32> = row.try_get(1)?;
            Ok((row.try_get(0)?, making))
        })?;
        Ok(match found {
            Some((true, Some(making))) => NewMaking::Begun(Making::new(making.unsigned_abs())),
            Some((true, None)) => NewMaking::TooMany,
            Some((false, _)) | None => NewMaking::Missing,
        })
    }

    async fn insert(
        &self,
        poll: PollId,
        making: Making,
        tokens: &[TokenHash],
    ) -> Result<bool, StoreError> {
        let (poll, hashes, making) = (columns::poll(poll), bytes(tokens), number(making));
        let rows = self
            .database()
            .write(
                debug_span!("db.vote_tokens.insert"),
                &self.sql().vote_tokens.insert,
                &[&poll, &hashes, &making],
            )
            .await?;
        Ok(first(&rows, |row| Ok(row.try_get(0)?))?.unwrap_or(false))
    }

    async fn take_back(
        &self,
        poll: PollId,
        making: Making,
        tokens: &[TokenHash],
    ) -> Result<(), StoreError> {
        let (poll, hashes, making) = (columns::poll(poll), bytes(tokens), number(making));
        let count = signed(tokens.len() as u64);
        self.database()
            .write(
                debug_span!("db.vote_tokens.take_back"),
                &self.sql().vote_tokens.take_back,
                &[&poll, &hashes, &making, &count],
            )
            .await?;
        Ok(())
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

fn number(making: Making) -> i32 {
    i32::try_from(making.number()).unwrap_or(i32::MAX)
}

fn bytes(tokens: &[TokenHash]) -> Vec<&[u8]> {
    tokens
        .iter()
        .map(|token| token.as_bytes().as_slice())
        .collect()
}
