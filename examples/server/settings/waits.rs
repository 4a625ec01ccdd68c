//! How long votes wait, and for what.

use std::fmt;
use std::time::Duration;

use clap::Args;

// In milliseconds. A doc comment here would take the place of what --help says of the whole server.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Waits {
    /// For how many milliseconds a vote waits for its answer, while the database does not answer or somebody else holds the
    /// row of its poll, before it is answered 503.
    #[arg(long, env = "POLLING_VOTE_WAIT", default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=600_000))]
    vote_wait: u32,

    /// For how many milliseconds votes wait for a row that somebody else holds, before those of that poll are set aside, in
    /// a PostgreSQL.
    #[arg(long, env = "POLLING_DATABASE_LOCK_WAIT", default_value_t = 250, value_parser = clap::value_parser!(u32).range(1..=600_000))]
    database_lock_wait: u32,

    /// For how many milliseconds another server may hold votes that it has begun to write without going on, before its session
    /// is ended, in a PostgreSQL.
    #[arg(long, env = "POLLING_DATABASE_FROZEN_WAIT", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=600_000))]
    database_frozen_wait: u32,
}

impl Waits {
    pub(crate) fn of_votes(self) -> Duration {
        Duration::from_millis(self.vote_wait.into())
    }

    pub(crate) fn for_locks(self) -> Duration {
        Duration::from_millis(self.database_lock_wait.into())
    }

    pub(crate) fn for_frozen(self) -> Duration {
        Duration::from_millis(self.database_frozen_wait.into())
    }
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            vote_wait,
            database_lock_wait,
            database_frozen_wait,
        } = self;
        write!(
            f,
            "vote-wait={vote_wait}ms database-lock-wait={database_lock_wait}ms database-frozen-wait={database_frozen_wait}ms"
        )
    }
}
