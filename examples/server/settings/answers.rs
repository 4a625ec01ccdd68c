//! What clients may leave untaken of their answers.

use std::fmt;
use std::time::Duration;

use clap::Args;
use polling_http::server::ServerSettings;

#[derive(Args)]
pub(super) struct AnswerFlags {
    /// For how many seconds a client may take nothing of an answer, before its stream or its connection is ended.
    #[arg(long, env = "POLLING_WRITE_TIMEOUT", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    write_timeout: u64,

    /// How many bytes of answers may wait for the client of one connection.
    #[arg(long, env = "POLLING_CONNECTION_ANSWER_BYTES", default_value_t = 4 * 1024 * 1024, value_parser = clap::value_parser!(u64).range(65_536..))]
    connection_answer_bytes: u64,

    /// How many bytes of answers may wait for all clients together.
    #[arg(long, env = "POLLING_ANSWER_BYTES", default_value_t = 128 * 1024 * 1024, value_parser = clap::value_parser!(u64).range(1_048_576..))]
    answer_bytes: u64,
}

/// What clients may leave untaken of their answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answers {
    write_timeout: Duration,
    connection_bytes: usize,
    bytes: usize,
}

impl Answers {
    pub(super) fn of(flags: &AnswerFlags) -> Self {
        // More than there is memory bounds nothing.
        let bytes = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        Self {
            write_timeout: Duration::from_secs(flags.write_timeout),
            connection_bytes: bytes(flags.connection_answer_bytes),
            bytes: bytes(flags.answer_bytes),
        }
    }

    /// Makes them the bounds of a server.
    pub(crate) fn apply(self, server: &mut ServerSettings) {
        server.write_timeout = self.write_timeout;
        server.connection_answer_bytes = self.connection_bytes;
        server.answer_bytes = self.bytes;
    }
}

/// As the flags would say it.
impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            write_timeout,
            connection_bytes,
            bytes,
        } = self;
        let seconds = write_timeout.as_secs();
        write!(
            f,
            "write-timeout={seconds}s connection-answer-bytes={connection_bytes} answer-bytes={bytes}"
        )
    }
}
