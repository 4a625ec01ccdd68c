//! What it was measured on.

use std::fs::{self, File};
use std::io::Write;

use polling_core::{Clock, SystemClock};
use serde::Serialize;

use crate::Outcome;
use crate::bed::Bed;
use crate::measure::{now, processors};
use crate::rounds::median;

/// The machine, and the time.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    date: String,
    processor: String,
    processors: f64,
    memory_gib: f64,
    kernel: String,
    postgres: String,
    /// How long it takes to get 8 KiB to the disk that the database is on, in microseconds; the median of many.
    fdatasync_micros: f64,
}

impl Machine {
    pub(crate) fn look(bed: &Bed) -> Outcome<Self> {
        let field = |file: &str, name: &str| {
            let text = fs::read_to_string(file).unwrap_or_default();
            let mut lines = text.lines().filter_map(|line| line.split_once(':'));
            let found = lines.find(|(field, _)| field.trim() == name);
            found.map_or_else(String::new, |(_, value)| value.trim().to_owned())
        };
        let memory = field("/proc/meminfo", "MemTotal");
        let kibibytes: f64 = memory.trim_end_matches(" kB").parse().unwrap_or(0.0);
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Ok(Self {
            date: SystemClock.now().to_string(),
            processor: field("/proc/cpuinfo", "model name"),
            processors: processors(),
            memory_gib: (kibibytes / 1024.0 / 102.4).round() / 10.0,
            kernel: kernel.trim().to_owned(),
            postgres: bed.version()?,
            fdatasync_micros: fdatasync_micros()?,
        })
    }

    /// One line.
    pub(crate) fn line(&self) -> String {
        let Self {
            date,
            processor,
            processors,
            memory_gib,
            kernel,
            postgres,
            fdatasync_micros,
        } = self;
        format!(
            "{date}: {processors} x {processor}, {memory_gib} GiB, Linux {kernel}, PostgreSQL {postgres} with \
             synchronous_commit = on, fdatasync {fdatasync_micros:.0} µs; the database, the engine and the load share the machine."
        )
    }
}

fn fdatasync_micros() -> Outcome<f64> {
    let mut file: File = tempfile::tempfile()?;
    let mut micros = Vec::new();
    for _ in 0..200 {
        file.write_all(&[7; 8192])?;
        let start = now();
        file.sync_data()?;
        micros.push(start.elapsed().as_secs_f64() * 1e6);
    }
    Ok(median(micros).unwrap_or(0.0))
}
