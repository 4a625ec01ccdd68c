//! How many files the process may have open, and how many connections fit into that: each takes a descriptor.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::warn;

use crate::settings::{Connections, Database};

/// What the process has open beside its connections and its database: the standard streams, the listener, what the runtime
/// waits with, and room for what is opened now and then.
const OWN: usize = 64;
/// A SQLite file: itself and its log for each of a few readers and the writer, its lock, and files that SQLite makes for a
/// moment.
const SQLITE: usize = 32;
/// Beside the connections that are configured: one for each lane that records votes, one that listens, two more at the start,
/// and a few for what libpq's settings name.
const POSTGRES: usize = 8;
/// So many connections there are, however little room there is.
const LEAST: usize = 16;

/// Raises the bound of open files as far as the process may, and returns it; `None` where there is none.
pub(crate) fn raise_limit() -> Option<u64> {
    let found = getrlimit(Resource::Nofile);
    if found.current == found.maximum {
        return found.current;
    }
    let raised = Rlimit {
        current: found.maximum,
        maximum: found.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => found.maximum,
        Err(error) => {
            warn!(error = %error, soft = found.current, hard = found.maximum, "the limit of open files cannot be raised");
            found.current
        }
    }
}

/// As many of the configured connections as there can be, with descriptors left for everything else. Where these are fewer it
/// says so.
pub(crate) fn fit(
    configured: Connections,
    limit: Option<u64>,
    database: &Database,
    refusals: usize,
) -> Connections {
    let reserve = OWN + refusals + needed_by(database);
    let Some(limit) = limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX)) else {
        return configured;
    };
    let fitting = limit.saturating_sub(reserve).max(LEAST);
    if fitting >= configured.all {
        return configured;
    }
    warn!(
        open_files = limit,
        needed = configured.all.saturating_add(reserve),
        connections = fitting,
        configured = configured.all,
        "fewer connections are taken than configured, because the process may not open more files: raise the hard limit \
         (LimitNOFILE= of systemd, ulimit -Hn of a shell, --ulimit nofile= of Docker), or lower --connections"
    );
    configured.lowered_to(fitting)
}

fn needed_by(database: &Database) -> usize {
    match database {
        Database::Memory => 0,
        Database::File(_) => SQLITE,
        Database::Postgres(postgres) => usize::from(postgres.connections) + POSTGRES,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::DatabaseFile;

    const CONFIGURED: Connections = Connections {
        all: 50_000,
        per_address: Some(25_000),
    };

    fn fitting(limit: Option<u64>) -> Connections {
        let file = Database::File(DatabaseFile {
            path: "polls.db".into(),
            log: 1,
            log_limit: 1,
        });
        fit(CONFIGURED, limit, &file, 64)
    }

    #[test]
    fn all_connections_fit_where_there_are_descriptors_for_everything() {
        assert_eq!(fitting(None), CONFIGURED);
        assert_eq!(fitting(Some(50_160)), CONFIGURED);
    }

    #[test]
    fn where_they_do_not_the_rest_is_kept_in_reserve_and_an_address_has_its_share() {
        let fitting = |limit| fitting(Some(limit));
        let of = |all, per_address| Connections {
            all,
            per_address: Some(per_address),
        };
        assert_eq!(fitting(50_159), of(49_999, 24_999));
        assert_eq!(fitting(1_024), of(864, 432));
        assert_eq!(fitting(300), of(140, 70));
        assert_eq!(fitting(100), of(16, 8));
    }

    #[test]
    fn a_bound_that_is_off_stays_off() {
        let configured = Connections {
            per_address: None,
            ..CONFIGURED
        };
        assert_eq!(configured.lowered_to(100).per_address, None);
    }
}
