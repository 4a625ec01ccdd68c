//! What is logged, in one place. Never what a frame holds.

use tracing::debug;

use crate::close::Close;
use crate::pump::End;

/// A connection ends.
pub(crate) fn ended(end: &End) {
    match end {
        End::Gone => debug!("the client is gone"),
        End::ByClient => debug!("the client closes"),
        End::ByServer(Close::Leaving | Close::Restarting) => debug!("the server closes"),
        End::ByServer(close) => debug!(
            code = u16::from(close.frame().code),
            "the server closes a connection for what its client does"
        ),
    }
}
