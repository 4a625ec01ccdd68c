//! How large jobs are cut.

/// What writes many rows: making and revoking vote tokens, importing users, and what is removed in the background.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BulkSettings {
    /// Vote tokens that are inserted or revoked in one transaction.
    pub step_rows: usize,
    /// Steps of all such jobs that the store is asked for at the same time. The others wait for their turn, first come, first
    /// served.
    pub steps_at_once: usize,
    /// Makings of more vote tokens than one step that go on at the same time, and hold their tokens in memory: about 10 MB for
    /// 100,000. The others wait before they make any.
    pub large_at_once: usize,
    /// Makings and revocations of vote tokens that may go on or wait at the same time; one more is refused as `overloaded`.
    pub jobs: usize,
}

impl Default for BulkSettings {
    fn default() -> Self {
        Self {
            step_rows: 1_000,
            steps_at_once: 1,
            large_at_once: 4,
            jobs: 64,
        }
    }
}

impl BulkSettings {
    /// Whether each bound is at least 1.
    pub(crate) fn is_valid(&self) -> bool {
        let Self {
            step_rows,
            steps_at_once,
            large_at_once,
            jobs,
        } = *self;
        ![step_rows, steps_at_once, large_at_once, jobs].contains(&0)
    }
}
