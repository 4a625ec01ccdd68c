//! Removes the rows of deleted polls in the background, in bounded steps.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tracing::warn;

use crate::{Clock, Repository};

/// The pause after a step, so that votes are not held up, and after one that failed.
const BETWEEN_STEPS: Duration = Duration::from_millis(10);
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// Purges what earlier runs left, and then whatever is deleted here.
pub(crate) async fn run(
    store: Arc<dyn Repository>,
    clock: Arc<dyn Clock>,
    deleted: Arc<Notify>,
    rows: usize,
) {
    loop {
        let pause = match store.polls().purge(rows).await {
            Ok(false) => {
                deleted.notified().await;
                continue;
            }
            Ok(true) => BETWEEN_STEPS,
            Err(error) => {
                warn!(error = %error, "the rows of deleted polls cannot be removed");
                AFTER_FAILURE
            }
        };
        clock.sleep_until(clock.now().after(pause)).await;
    }
}
