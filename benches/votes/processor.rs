//! Processor time, from `/proc`: this process's, the cluster's, and all there is.

use std::fs;
use std::time::Duration;

/// What `/proc` counts in: a hundred a second on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// Processor time up to now.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Processor {
    /// Of this process, its ended children (pgbench, say) included.
    pub(crate) own: Duration,
    /// Of the PostgreSQL cluster: the postmaster with its children, living and ended.
    pub(crate) cluster: Duration,
    /// Of everything on this machine, and what its host took away.
    pub(crate) all: Duration,
}

impl Processor {
    /// With that of the cluster of this postmaster.
    pub(crate) fn now(postmaster: Option<u32>) -> Self {
        let own = stat("self").map_or(Duration::ZERO, |process| process.with_children);
        Self {
            own,
            cluster: postmaster.map_or(Duration::ZERO, of_cluster),
            all: of_machine(),
        }
    }
}

/// What one process has used.
struct Process {
    parent: u32,
    alone: Duration,
    /// With the children that it has waited for.
    with_children: Duration,
}

/// Read again where a child has ended meanwhile, which would be missing in both parts of the sum.
fn of_cluster(postmaster: u32) -> Duration {
    let with_ended = || stat(&postmaster.to_string()).map(|process| process.with_children);
    let mut ended = with_ended();
    loop {
        let living: Duration = children(postmaster).sum();
        let after = with_ended();
        if after == ended {
            return living + ended.unwrap_or_default();
        }
        ended = after;
    }
}

fn children(parent: u32) -> impl Iterator<Item = Duration> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.filter_map(move |entry| {
        let name = entry.file_name();
        let name = name.to_str()?;
        let is_process = name.starts_with(|first: char| first.is_ascii_digit());
        let process = is_process.then(|| stat(name))??;
        (process.parent == parent).then_some(process.alone)
    })
}

/// proc(5): after the name in brackets, which may hold anything, come the state, the parent, and from the twelfth on
/// the times in user and in kernel mode, and those of the children.
fn stat(process: &str) -> Option<Process> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u32>().ok();
    let alone = TICK * (ticks(11)? + ticks(12)?);
    Some(Process {
        parent: ticks(1)?,
        alone,
        with_children: alone + TICK * (ticks(13)? + ticks(14)?),
    })
}

/// User, nice, system and stolen time. Interrupts are left out: much of them is our own traffic, in nobody's account.
fn of_machine() -> Duration {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let first = text.lines().next().unwrap_or_default();
    let ticks: Vec<u64> = first
        .split_whitespace()
        .skip(1)
        .filter_map(|ticks| ticks.parse().ok())
        .collect();
    let counted = [0, 1, 2, 7].into_iter().filter_map(|at| ticks.get(at));
    Duration::from_millis(counted.sum::<u64>() * 10)
}
