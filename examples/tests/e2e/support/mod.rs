//! What the end-to-end tests share.

use std::panic::Location;
use std::time::Duration;

pub(crate) mod bed;
pub(crate) mod client;
pub(crate) mod events;
pub(crate) mod liar;
pub(crate) mod process;
pub(crate) mod storm;
pub(crate) mod voter;
pub(crate) mod witness;

/// More than anything takes, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What comes of `future`; a panic where nothing comes, which says where that was.
#[track_caller]
pub(crate) fn soon<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let place = Location::caller();
    async move {
        match tokio::time::timeout(PATIENCE, future).await {
            Ok(came) => came,
            Err(_) => panic!("within a minute nothing came, at {place}"),
        }
    }
}
