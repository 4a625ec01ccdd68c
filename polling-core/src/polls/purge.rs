//! Removes the rows of deleted polls in the background, in bounded steps.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tracing::warn;

use crate::engine::Parts;

/// The pause after a step, so that votes are not held up, and after one that failed.
const BETWEEN_STEPS: Duration = Duration::from_millis(10);
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// Other servers delete too, and may end before they have purged.
const LOOK_AGAIN: Duration = Duration::from_secs(10 * 60);

/// Purges what earlier runs left, then whatever is deleted here, and now and then what other servers left.
pub(crate) async fn run(parts: Parts, deleted: Arc<Notify>) {
    let (clock, rows) = (&parts.clock, parts.settings.purge_rows);
    loop {
        let turn = parts.bulk.turn().await;
        let purged = parts.store.polls().purge(rows).await;
        drop(turn);
        let pause = match purged {
            Ok(false) => {
                tokio::select! {
                    () = deleted.notified() => {}
                    () = clock.pause(LOOK_AGAIN) => {}
                }
                continue;
            }
            Ok(true) => BETWEEN_STEPS,
            Err(error) => {
                warn!(error = %error, "the rows of deleted polls cannot be removed");
                AFTER_FAILURE
            }
        };
        clock.pause(pause).await;
    }
}
