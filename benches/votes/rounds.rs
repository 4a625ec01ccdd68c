//! The order of it all: round after round, every case once.

use std::collections::HashMap;

use crate::Outcome;
use crate::bed::Bed;
use crate::cases::{Bench, Case, Kind};
use crate::measure::Run;
use crate::options::Options;

/// Where others used more of the machine than this, a run is called disturbed.
pub(crate) const DISTURBED: f64 = 0.05;

/// A case, and what it came to in each round.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) runs: Vec<Run>,
}

impl Measured {
    /// Of all runs.
    pub(crate) fn lost_or_doubled(&self) -> u64 {
        self.runs.iter().map(|run| run.lost_or_doubled).sum()
    }

    /// The best pace of all runs.
    pub(crate) fn best(&self) -> Option<f64> {
        self.runs.iter().map(Run::pace).max_by(f64::total_cmp)
    }

    /// The run that stands for the case: by pace the middle one of the undisturbed ones, or the best where all were
    /// disturbed.
    pub(crate) fn typical(&self) -> &Run {
        let mut quiet: Vec<&Run> = self.runs.iter().filter(|run| is_quiet(run)).collect();
        let by_pace = |a: &&Run, b: &&Run| a.pace().total_cmp(&b.pace());
        if quiet.is_empty() {
            let best = self.runs.iter().max_by(by_pace);
            return best.expect("a case that is shown was run");
        }
        quiet.sort_by(by_pace);
        quiet[(quiet.len() - 1) / 2]
    }
}

pub(crate) fn is_quiet(run: &Run) -> bool {
    run.spent.foreign <= DISTURBED
}

/// The value in the middle, or between the two there.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = values.get(values.len() / 2)?;
    let lower = values.get((values.len() - 1) / 2)?;
    Some(f64::midpoint(*lower, *upper))
}

/// Runs every case in every round. Progress goes to the standard error output.
pub(crate) fn run(cases: &[Box<dyn Case>], options: &Options, bed: &Bed) -> Outcome<Vec<Measured>> {
    let named = |case: &dyn Case| Measured {
        name: case.name(),
        kind: case.kind(),
        runs: Vec::new(),
    };
    let mut measured: Vec<Measured> = cases.iter().map(|case| named(&**case)).collect();
    let mut paces = HashMap::new();
    let rounds = options.rounds();
    for round in 1..=rounds {
        for (case, measured) in cases.iter().zip(&mut measured) {
            let bench = Bench {
                bed,
                length: options.run_length(),
                threads: options.threads(),
                paces: &paces,
            };
            let name = &measured.name;
            let run = case.run(&bench);
            let run = run.map_err(|error| format!("{name}: {error}"))?;
            eprintln!(
                "round {round}/{rounds}  {name:<55} {:>9.0}/s {:>7.1} µs  others {:>4.1} %",
                run.pace(),
                run.cost(),
                run.spent.foreign * 100.0
            );
            measured.runs.push(run);
            paces.insert(measured.name.clone(), measured.typical().pace());
        }
    }
    Ok(measured)
}
