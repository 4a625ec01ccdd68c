//! How many bytes the server holds for its clients.

use std::fmt;

use clap::{Args, value_parser};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

#[derive(Args)]
pub(super) struct MemoryFlags {
    /// Bytes of the request bodies that are held at the same time, at most; beside them small ones are taken.
    #[arg(long, env = "POLLING_HELD_BODY_BYTES", default_value_t = 64 * MIB, value_parser = value_parser!(u64).range(MIB..))]
    held_body_bytes: u64,

    /// Bytes in one page of a listing, at most.
    #[arg(long, env = "POLLING_PAGE_BYTES", default_value_t = MIB, value_parser = value_parser!(u64).range(KIB..))]
    page_bytes: u64,

    /// Bytes of the published polls that are kept in memory, at most.
    #[arg(long, env = "POLLING_CACHED_POLL_BYTES", default_value_t = 64 * MIB, value_parser = value_parser!(u64).range(MIB..))]
    cached_poll_bytes: u64,
}

/// Bytes that the server holds, at most.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    pub(crate) held_body_bytes: usize,
    pub(crate) page_bytes: usize,
    pub(crate) cached_poll_bytes: usize,
}

impl Memory {
    pub(super) fn of(flags: &MemoryFlags) -> Self {
        let bytes = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        Self {
            held_body_bytes: bytes(flags.held_body_bytes),
            page_bytes: bytes(flags.page_bytes),
            cached_poll_bytes: bytes(flags.cached_poll_bytes),
        }
    }
}

/// As the flags would say it.
impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            held_body_bytes,
            page_bytes,
            cached_poll_bytes,
        } = self;
        write!(
            f,
            "held-body-bytes={held_body_bytes} page-bytes={page_bytes} cached-poll-bytes={cached_poll_bytes}"
        )
    }
}
