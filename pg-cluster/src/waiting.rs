//! Waiting for another process, which has no way to wake this one.

use std::time::Duration;

/// How long a server may take to start or to stop. A machine that is busy building can take its
/// time; what takes longer is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

const PAUSE: Duration = Duration::from_millis(5);

/// Asks again and again until there is an answer. `None` after about `limit`.
pub(crate) fn poll<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let times = limit.as_millis() / PAUSE.as_millis();
    for _ in 0..times {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        pause();
    }
    ask()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a server that starts, or ends, tells nobody: it has to be asked again"
)]
fn pause() {
    std::thread::sleep(PAUSE);
}
