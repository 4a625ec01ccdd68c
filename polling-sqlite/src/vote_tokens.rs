//! The one-time vote tokens.

use async_trait::async_trait;
use polling_core::vote_tokens::{
    Making, NewMaking, TokensInStore, VoteTokenRepository, WhichTokens,
};
use polling_core::{PollId, StoreError, TokenHash};
use rusqlite::{OptionalExtension, Row, Transaction, params};
use tracing::debug_span;

use crate::SqliteStore;
use crate::columns::{signed, unsigned};

const POLL: &str = "\
-- vote_tokens.poll
SELECT p.key, ifnull(c.made, 0), ifnull(c.revoked_makings, 0)
FROM polls p LEFT JOIN vote_token_counts c ON c.poll = p.key
WHERE p.id = ?1 AND p.deleted_at IS NULL";

const COUNT_UP: &str = "\
-- vote_tokens.count_up
INSERT INTO vote_token_counts (poll, made, makings) VALUES (?1, ?2, 1)
ON CONFLICT (poll) DO UPDATE SET made = made + excluded.made, makings = makings + 1
RETURNING makings";

const INSERT: &str = "\
-- vote_tokens.insert
INSERT INTO vote_tokens (token, poll, making) VALUES (?1, ?2, ?3)";

const REMOVE: &str = "\
-- vote_tokens.remove
DELETE FROM vote_tokens WHERE token = ?1 AND poll = ?2 AND making = ?3";

/// Where all tokens were revoked meanwhile, those that are taken back count among the revoked ones.
const COUNT_DOWN: &str = "\
-- vote_tokens.count_down
UPDATE vote_token_counts
SET made = made - ?2, revoked_made = revoked_made - iif(?3 <= revoked_makings, ?2, 0)
WHERE poll = ?1";

/// No token of the poll is left.
const FORGET_COUNTS: &str = "\
-- vote_tokens.forget_counts
DELETE FROM vote_token_counts WHERE poll = ?1";

const POLL_OF: &str = "\
-- vote_tokens.poll_of
SELECT p.id
FROM vote_tokens t
JOIN vote_token_counts c ON c.poll = t.poll
JOIN polls p ON p.key = t.poll AND p.deleted_at IS NULL
WHERE t.token = ?1 AND t.revoked = 0 AND t.making > c.revoked_makings";

const IS_GOOD: &str = "\
-- vote_tokens.good_for
SELECT EXISTS (SELECT 1 FROM vote_tokens WHERE token = ?1 AND poll = ?2 AND revoked = 0 AND making > ?3)";

const COUNT: &str = "\
-- vote_tokens.count
SELECT c.made, c.revoked_made
    + (SELECT count(*) FROM vote_tokens t WHERE t.poll = c.poll AND t.revoked = 1 AND t.making > c.revoked_makings)
FROM vote_token_counts c
JOIN polls p ON p.key = c.poll AND p.deleted_at IS NULL
WHERE p.id = ?1";

const REVOKE: &str = "\
-- vote_tokens.revoke
UPDATE vote_tokens SET revoked = 1
WHERE token = ?1 AND poll = ?2 AND making > ?3 AND revoked = 0";

const REVOKE_ALL: &str = "\
-- vote_tokens.revoke_all
UPDATE vote_token_counts SET revoked_made = made, revoked_makings = makings
WHERE poll = (SELECT key FROM polls WHERE id = ?1 AND deleted_at IS NULL)";

#[async_trait]
impl VoteTokenRepository for SqliteStore {
    async fn begin(&self, poll: PollId, tokens: u64, most: u64) -> Result<NewMaking, StoreError> {
        let begin = move |tx: &Transaction<'_>| begin(tx, poll, tokens, most);
        let span = debug_span!("db.vote_tokens.begin");
        Ok(self.write(span, begin).await?)
    }

    async fn insert(
        &self,
        poll: PollId,
        making: Making,
        tokens: &[TokenHash],
    ) -> Result<bool, StoreError> {
        let tokens = tokens.to_vec();
        let insert = move |tx: &Transaction<'_>| insert(tx, poll, making, &tokens);
        let span = debug_span!("db.vote_tokens.insert");
        Ok(self.write(span, insert).await?)
    }

    async fn take_back(
        &self,
        poll: PollId,
        making: Making,
        tokens: &[TokenHash],
    ) -> Result<(), StoreError> {
        let tokens = tokens.to_vec();
        let take_back = move |tx: &Transaction<'_>| take_back(tx, poll, making, &tokens);
        let span = debug_span!("db.vote_tokens.take_back");
        Ok(self.write(span, take_back).await?)
    }

    async fn poll_of(&self, token: TokenHash) -> Result<Option<PollId>, StoreError> {
        let find = move |tx: &Transaction<'_>| {
            let id = |row: &Row<'_>| row.get(0).map(PollId::from_bytes);
            tx.prepare_cached(POLL_OF)?
                .query_row([token.as_bytes()], id)
                .optional()
        };
        self.read(debug_span!("db.vote_tokens.poll_of"), find).await
    }

    async fn good_for(
        &self,
        poll: PollId,
        tokens: &[TokenHash],
    ) -> Result<Vec<TokenHash>, StoreError> {
        let span = debug_span!("db.vote_tokens.good_for", tokens = tokens.len());
        let tokens = tokens.to_vec();
        let ask = move |tx: &Transaction<'_>| good_for(tx, poll, tokens);
        self.read(span, ask).await
    }

    async fn count(&self, poll: PollId) -> Result<TokensInStore, StoreError> {
        let count = move |tx: &Transaction<'_>| in_store(tx, poll);
        self.read(debug_span!("db.vote_tokens.count"), count).await
    }

    async fn revoke(&self, poll: PollId, which: WhichTokens<'_>) -> Result<u64, StoreError> {
        let these = match which {
            WhichTokens::These(tokens) => Some(tokens.to_vec()),
            WhichTokens::All => None,
        };
        let revoke = move |tx: &Transaction<'_>| match &these {
            Some(tokens) => revoke(tx, poll, tokens),
            None => {
                let TokensInStore { made, revoked } = in_store(tx, poll)?;
                tx.prepare_cached(REVOKE_ALL)?.execute([poll.as_bytes()])?;
                Ok(made - revoked)
            }
        };
        let span = debug_span!("db.vote_tokens.revoke");
        Ok(self.write(span, revoke).await?)
    }
}

fn begin(
    tx: &Transaction<'_>,
    poll: PollId,
    tokens: u64,
    most: u64,
) -> rusqlite::Result<NewMaking> {
    let Some(poll) = found(tx, poll)? else {
        return Ok(NewMaking::Missing);
    };
    if poll.made.saturating_add(tokens) > most {
        return Ok(NewMaking::TooMany);
    }
    let values = params![poll.key, signed(tokens)];
    let making = tx
        .prepare_cached(COUNT_UP)?
        .query_row(values, |row| row.get(0))?;
    Ok(NewMaking::Begun(Making::new(making)))
}

fn insert(
    tx: &Transaction<'_>,
    poll: PollId,
    making: Making,
    tokens: &[TokenHash],
) -> rusqlite::Result<bool> {
    let Some(poll) = found(tx, poll)? else {
        return Ok(false);
    };
    let mut insert = tx.prepare_cached(INSERT)?;
    for token in tokens {
        insert.execute(params![token.as_bytes(), poll.key, making.number()])?;
    }
    Ok(true)
}

fn take_back(
    tx: &Transaction<'_>,
    poll: PollId,
    making: Making,
    tokens: &[TokenHash],
) -> rusqlite::Result<()> {
    let Some(poll) = found(tx, poll)? else {
        return Ok(());
    };
    let mut remove = tx.prepare_cached(REMOVE)?;
    for token in tokens {
        remove.execute(params![token.as_bytes(), poll.key, making.number()])?;
    }
    let count = signed(tokens.len() as u64);
    if poll.made > tokens.len() as u64 {
        let values = params![poll.key, count, making.number()];
        tx.prepare_cached(COUNT_DOWN)?.execute(values)?;
    } else {
        tx.prepare_cached(FORGET_COUNTS)?.execute([poll.key])?;
    }
    Ok(())
}

fn revoke(tx: &Transaction<'_>, poll: PollId, tokens: &[TokenHash]) -> rusqlite::Result<u64> {
    let Some(poll) = found(tx, poll)? else {
        return Ok(0);
    };
    let mut revoke = tx.prepare_cached(REVOKE)?;
    let mut revoked = 0;
    for token in tokens {
        let rows = revoke.execute(params![token.as_bytes(), poll.key, poll.revoked_makings])?;
        revoked += rows as u64;
    }
    Ok(revoked)
}

fn good_for(
    tx: &Transaction<'_>,
    poll: PollId,
    tokens: Vec<TokenHash>,
) -> rusqlite::Result<Vec<TokenHash>> {
    let Some(poll) = found(tx, poll)? else {
        return Ok(Vec::new());
    };
    let mut ask = tx.prepare_cached(IS_GOOD)?;
    let mut good = Vec::new();
    for token in tokens {
        let params = params![token.as_bytes(), poll.key, poll.revoked_makings];
        if ask.query_row(params, |row| row.get(0))? {
            good.push(token);
        }
    }
    Ok(good)
}

/// What there is to know of a poll before its tokens are touched.
struct Found {
    key: i64,
    made: u64,
    revoked_makings: i64,
}

fn found(tx: &Transaction<'_>, poll: PollId) -> rusqlite::Result<Option<Found>> {
    let read = |row: &Row<'_>| {
        Ok(Found {
            key: row.get(0)?,
            made: unsigned(row, 1)?,
            revoked_makings: row.get(2)?,
        })
    };
    tx.prepare_cached(POLL)?
        .query_row([poll.as_bytes()], read)
        .optional()
}

fn in_store(tx: &Transaction<'_>, poll: PollId) -> rusqlite::Result<TokensInStore> {
    let counts = |row: &Row<'_>| {
        Ok(TokensInStore {
            made: unsigned(row, 0)?,
            revoked: unsigned(row, 1)?,
        })
    };
    let found = tx
        .prepare_cached(COUNT)?
        .query_row([poll.as_bytes()], counts)
        .optional()?;
    Ok(found.unwrap_or_default())
}
