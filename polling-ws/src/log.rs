//! What is logged, in one place. Never what a frame holds.

use std::fmt;

use polling_core::results::ResultsError;
use polling_core::{Code, Fault, PollId, log_each_second};
use tracing::{Span, debug, error_span};

use crate::close::Close;
use crate::pump::End;

/// By what lines of the same connection are known: a number that counts handshakes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectionId(pub(crate) u64);

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a connection does, it does in this span. It is no part of the handshake's own, which ends long before it.
pub(crate) fn span(connection: ConnectionId) -> Span {
    // Of the level of the gravest line in it, or a filter that lets that through would lose the connection.
    let span = error_span!(parent: None, "connection", %connection);
    span.follows_from(Span::current());
    span
}

/// A handshake fails through a fault of ours.
pub(crate) fn handshake_failed(connection: ConnectionId, fault: &(dyn Fault + 'static)) {
    log_each_second!(
        error,
        "a handshake could not be answered",
        error = fault as &(dyn std::error::Error + 'static),
        %connection
    );
}

/// A frame fails through a fault of ours.
pub(crate) fn failed(
    connection: ConnectionId,
    poll: Option<PollId>,
    fault: &(dyn Fault + 'static),
) {
    log_each_second!(
        error,
        "a frame could not be answered",
        error = fault as &(dyn std::error::Error + 'static),
        %connection,
        poll = poll.map(tracing::field::display)
    );
}

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
pub(crate) fn not_renewed(connection: ConnectionId, poll: PollId, failure: &ResultsError) {
    if failure.code() == Code::Internal {
        log_each_second!(
            error,
            "a subscription could not be renewed",
            error = failure as &(dyn std::error::Error + 'static),
            %connection,
            %poll
        );
    } else {
        debug!(error = %failure, %connection, %poll, "a subscription could not be renewed");
    }
}
