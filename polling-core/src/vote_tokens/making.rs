//! One making of vote tokens: all of them or none, in steps between which votes are written.

use std::sync::Arc;
use std::time::Duration;

use super::VOTE_TOKEN_PREFIX;
use super::error::VoteTokenError;
use super::model::NewlyMadeTokens;
use super::repository::{Making, NewMaking};
use super::service::port;
use crate::engine::Parts;
use crate::id::opaque_token;
use crate::limits::{LimitError, Rule};
use crate::polls::PollError;
use crate::{Actor, PollId, StoreError, TokenHash, log_each_second};

/// Tokens that are made before others get their turn.
const AT_A_STRETCH: usize = 500;

/// The pause before a store that is away is asked again whether it is there, and how often that is done, before what was
/// inserted is left where it is.
const BETWEEN_QUESTIONS: Duration = Duration::from_secs(1);
const MOST_QUESTIONS: usize = 60;

/// What is asked for.
pub(super) struct Request {
    pub(super) poll: PollId,
    pub(super) count: usize,
    /// The poll has no more than this.
    pub(super) most: u64,
    /// Who is limited by what they make; `None` where nobody is.
    pub(super) limited: Option<Actor>,
}

/// Makes these tokens. First all of them are counted, so that the bound of the poll holds from then on; then they are
/// inserted step by step, each in its turn.
pub(super) async fn run(
    parts: &Parts,
    request: Request,
) -> Result<NewlyMadeTokens, VoteTokenError> {
    let limits = &parts.limits;
    let taken = match &request.limited {
        Some(actor) => {
            let wanted = u32::try_from(request.count).unwrap_or(u32::MAX);
            let taken = limits.take_all(Rule::AnonymousTokens, actor, wanted).await;
            taken.map_err(|error| match error {
                LimitError::Exceeded(limited) => PollError::RateLimited(limited),
                LimitError::Store(error) => error.into(),
            })?
        }
        None => None,
    };
    let made = make(parts, &request).await;
    if let (Err(_), Some(taken)) = (&made, taken) {
        limits.give_back(&taken).await;
    }
    made
}

async fn make(parts: &Parts, request: &Request) -> Result<NewlyMadeTokens, VoteTokenError> {
    // Before there is anything to hold.
    let _large = if request.count > parts.settings.bulk.step_rows {
        Some(parts.bulk.large().await)
    } else {
        None
    };
    let port = port(parts)?;
    let (poll, most) = (request.poll, request.most);
    let making = match port.begin(poll, request.count as u64, most).await? {
        NewMaking::Begun(making) => making,
        NewMaking::Missing => return Err(PollError::NotFound.into()),
        NewMaking::TooMany => {
            let detail = format!("the poll would have more than {most} tokens");
            return Err(VoteTokenError::invalid("/count", detail));
        }
    };
    let (tokens, hashes) = many(parts, request.count).await;
    match insert(parts, poll, making, &hashes).await {
        Ok(true) => Ok(NewlyMadeTokens { tokens }),
        // They went with the poll, or go when it is purged.
        Ok(false) => Err(PollError::NotFound.into()),
        Err(error) => {
            let undo = take_back(parts.clone(), poll, making, hashes);
            if parts.store.ping().await.is_ok() {
                undo.await;
            } else {
                // Nobody need wait for a store that is away.
                parts.tasks.spawn(undo);
            }
            Err(error.into())
        }
    }
}

/// Inserts the tokens of a making; `false` where the poll is gone.
async fn insert(
    parts: &Parts,
    poll: PollId,
    making: Making,
    hashes: &[TokenHash],
) -> Result<bool, StoreError> {
    let port = port(parts)?;
    for step in hashes.chunks(parts.settings.bulk.step_rows) {
        let _turn = parts.bulk.turn().await;
        if !port.insert(poll, making, step).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Takes back the tokens of a making that failed, in steps as they were inserted. A step whose answer is lost is not asked for
/// twice, because its tokens could be counted down twice: then they stay counted as made.
async fn take_back(parts: Parts, poll: PollId, making: Making, hashes: Arc<[TokenHash]>) {
    let Ok(port) = port(&parts) else {
        return;
    };
    let mut questions = 0;
    let mut left = 0;
    for step in hashes.chunks(parts.settings.bulk.step_rows) {
        while parts.store.ping().await.is_err() {
            questions += 1;
            if questions > MOST_QUESTIONS || parts.tasks.are_closed() {
                log_each_second!(
                    warn,
                    "vote tokens of a making that failed stay counted: the store is away",
                    poll = %poll
                );
                return;
            }
            parts.clock.pause(BETWEEN_QUESTIONS).await;
        }
        let _turn = parts.bulk.turn().await;
        if port.take_back(poll, making, step).await.is_err() {
            left += step.len();
        }
    }
    if left > 0 {
        log_each_second!(
            warn,
            "vote tokens of a making that failed may stay counted",
            poll = %poll,
            tokens = left
        );
    }
}

/// New tokens, and their hashes in the order of the hashes, which is not that of the tokens: so they are cheapest to keep,
/// and a table that keeps the order in which it was written tells nothing about whom a token was given to.
async fn many(parts: &Parts, count: usize) -> (Vec<String>, Arc<[TokenHash]>) {
    let mut tokens = Vec::with_capacity(count);
    // By their first byte, so that no sort takes long.
    let mut by_byte = vec![Vec::new(); 256];
    while tokens.len() < count {
        for _ in 0..AT_A_STRETCH.min(count - tokens.len()) {
            let token = opaque_token(VOTE_TOKEN_PREFIX, &*parts.ids);
            let hash = TokenHash::of(&token);
            by_byte[usize::from(hash.as_bytes()[0])].push(hash);
            tokens.push(token);
        }
        tokio::task::yield_now().await;
    }
    let mut hashes = Vec::with_capacity(count);
    for (byte, mut part) in by_byte.into_iter().enumerate() {
        part.sort_unstable_by_key(|hash: &TokenHash| *hash.as_bytes());
        hashes.append(&mut part);
        if byte % 16 == 0 {
            tokio::task::yield_now().await;
        }
    }
    (tokens, hashes.into())
}
