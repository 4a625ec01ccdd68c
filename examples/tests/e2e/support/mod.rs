//! What the end-to-end tests share.

use std::time::Duration;

pub(crate) mod bed;
pub(crate) mod client;
pub(crate) mod events;
pub(crate) mod faulty;
pub(crate) mod process;
pub(crate) mod storm;
pub(crate) mod voter;
pub(crate) mod witness;

/// More than anything takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What comes of `future`; a panic where nothing comes.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("it happens within a minute")
}
