//! The same figures for programs: `target/bench/results.json`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::Outcome;
use crate::keys::Key;
use crate::machine::Machine;
use crate::measure::{Run, number};
use crate::rounds::{Measured, is_quiet};

#[derive(Serialize)]
struct Results<'a> {
    keys: BTreeMap<&'static str, f64>,
    /// What each key divides by what.
    made_of: BTreeMap<&'static str, &'a str>,
    is_quick: bool,
    machine: &'a Machine,
    rounds: Vec<Round<'a>>,
}

/// One case in one round.
#[derive(Serialize)]
struct Round<'a> {
    round: usize,
    case: &'a str,
    votes_per_second: f64,
    processor_micros_per_vote: f64,
    /// What others used of the machine meanwhile, from 0 to 1.
    host_load: f64,
    is_quiet: bool,
    seconds: f64,
    answered: u64,
    drops: u64,
    lost_or_doubled: u64,
    ballots_per_commit: Option<f64>,
    latency_ms: Option<Latency>,
}

#[derive(Serialize)]
struct Latency {
    p50: f64,
    p99: f64,
    #[serde(rename = "p99.9")]
    p999: f64,
    max: f64,
}

/// Writes the file, and says where it is.
pub(crate) fn write(
    measured: &[Measured],
    keys: &[Key],
    machine: &Machine,
    is_quick: bool,
) -> Outcome<PathBuf> {
    let mut rounds: Vec<Round<'_>> = measured
        .iter()
        .flat_map(|case| {
            (1..)
                .zip(&case.runs)
                .map(|(number, run)| round(number, case, run))
        })
        .collect();
    rounds.sort_by_key(|round| round.round);
    let results = Results {
        keys: keys
            .iter()
            .filter_map(|key| Some((key.name, key.figure?)))
            .collect(),
        made_of: keys.iter().map(|key| (key.name, &*key.what)).collect(),
        is_quick,
        machine,
        rounds,
    };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench");
    fs::create_dir_all(&folder)?;
    let path = folder.join("results.json");
    fs::write(&path, serde_json::to_string_pretty(&results)?)?;
    Ok(path)
}

fn round<'a>(round: usize, case: &'a Measured, run: &Run) -> Round<'a> {
    Round {
        round,
        case: &case.name,
        votes_per_second: run.pace(),
        processor_micros_per_vote: run.cost(),
        host_load: run.spent.foreign,
        is_quiet: is_quiet(run),
        seconds: run.spent.took.as_secs_f64(),
        answered: run.answered,
        drops: run.drops,
        lost_or_doubled: run.lost_or_doubled,
        ballots_per_commit: run.batch,
        latency_ms: run.latency.as_ref().map(|latency| {
            let at = |quantile| number(latency.value_at_quantile(quantile)) / 1000.0;
            Latency {
                p50: at(0.5),
                p99: at(0.99),
                p999: at(0.999),
                max: at(1.0),
            }
        }),
    }
}
