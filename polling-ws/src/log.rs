//! What is logged, in one place. Never what a frame holds.

use polling_core::results::ResultsError;
use polling_core::{Code, PollId};
use tracing::{debug, error};

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

/// A subscription does not know the vote of the user who signed in meanwhile. Nobody asked, so nobody is told.
pub(crate) fn not_renewed(poll: PollId, failure: &ResultsError) {
    if failure.code() == Code::Internal {
        error!(
            error = failure as &(dyn std::error::Error + 'static),
            %poll,
            "a subscription could not be renewed"
        );
    } else {
        debug!(error = %failure, %poll, "a subscription could not be renewed");
    }
}
