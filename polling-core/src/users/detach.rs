//! What goes on in the background for the accounts: sign-ins and links that are over are removed, and the ballots of deleted
//! users are detached from them, so that they go on counting and are nobody's.

use std::sync::Arc;
use std::time::Duration;

use tracing::warn;

use crate::engine::Parts;
use crate::users::UserRepository;
use crate::votes::VoterKey;
use crate::{Clock, IdSource, StoreError};

/// The pause after a step, so that votes are not held up, and after one that failed.
const BETWEEN_STEPS: Duration = Duration::from_millis(10);
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// Other servers delete too, and time goes by.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Tidies up after the accounts for as long as the engine runs.
pub(crate) async fn run(parts: Parts) {
    let clock: &dyn Clock = &*parts.clock;
    loop {
        let pause = match parts.store.users() {
            None => return,
            Some(users) => match step(users, &parts).await {
                Ok(true) => BETWEEN_STEPS,
                Ok(false) => LOOK_AGAIN,
                Err(error) => {
                    warn!(error = %error, "what is over of the accounts cannot be removed");
                    AFTER_FAILURE
                }
            },
        };
        clock.pause(pause).await;
    }
}

/// Whether there is more to do at once.
async fn step(users: &dyn UserRepository, parts: &Parts) -> Result<bool, StoreError> {
    // What is removed is gone, whatever becomes of the clock.
    let (settings, Some(now)) = (&parts.settings, parts.clock.certain_now()) else {
        return Ok(false);
    };
    let swept = {
        let _turn = parts.bulk.turn().await;
        users.sessions().sweep(now, settings.purge_rows).await?
    };
    // Until then somebody may vote with an access token that they got before the account was deleted, and would vote twice
    // if the first ballot were not theirs any more.
    let over = settings
        .access_token_lifetime
        .saturating_add(settings.detach_after);
    let voters = nobodies(&*parts.ids, settings.detach_polls);
    let _turn = parts.bulk.turn().await;
    let detached = users.detach(now.before(over), &voters).await?;
    Ok(swept || detached)
}

/// Voters who are nobody: random, and so nobody's id and nobody's hash.
fn nobodies(ids: &dyn IdSource, count: usize) -> Arc<[VoterKey]> {
    let nobody = |_| {
        let mut key = [0; 16];
        ids.fill(&mut key);
        VoterKey::from_bytes(key)
    };
    (0..count).map(nobody).collect()
}
