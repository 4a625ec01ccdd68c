//! The table for people, in Markdown.

use std::fmt::Write;

use crate::bed::Polls;
use crate::cases::Kind;
use crate::keys::Key;
use crate::measure::{Run, number};
use crate::rounds::{DISTURBED, Measured};

/// A row for each case.
pub(crate) fn of_cases(measured: &[Measured]) -> String {
    let pgbench = measured
        .iter()
        .filter(|case| matches!(case.kind, Kind::Pgbench(Polls::One, _)));
    let best = pgbench
        .map(|case| case.typical().pace())
        .fold(0.0, f64::max);
    let mut table = String::from(
        "| what | votes/s | x best pgbench | CPU µs | p50 ms | p99 ms | p99.9 ms | max ms | drops | ballots a commit | exact | others |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- | ---: |\n",
    );
    for case in measured.iter().filter(|case| !case.runs.is_empty()) {
        let run = case.typical();
        let ratio = if best > 0.0 {
            format!("{:.1}", run.pace() / best)
        } else {
            String::new()
        };
        let batch = run
            .batch
            .map_or(String::new(), |batch| format!("{batch:.0}"));
        let exact = match case.lost_or_doubled() {
            0 => "yes".to_owned(),
            wrong => format!("**NO: {wrong}**"),
        };
        let flag = if run.spent.foreign > DISTURBED {
            " (!)"
        } else {
            ""
        };
        let _ = writeln!(
            table,
            "| {} | {:.0} | {ratio} | {:.1} | {} | {} | {batch} | {exact} | {:.0} %{flag} |",
            case.name,
            run.pace(),
            run.cost(),
            latencies(run),
            run.drops,
            run.spent.foreign * 100.0,
        );
    }
    table
}

/// Four columns.
fn latencies(run: &Run) -> String {
    let Some(latency) = &run.latency else {
        return " | | | ".to_owned();
    };
    let quantiles = [0.5, 0.99, 0.999, 1.0].map(|quantile| {
        let micros = latency.value_at_quantile(quantile);
        format!("{:.2}", number(micros) / 1000.0)
    });
    quantiles.join(" | ")
}

/// A row for each key, with its goals.
pub(crate) fn of_keys(keys: &[Key]) -> String {
    const REACHED: [&str; 4] = ["no", "ship", "target", "moonshot"];
    let mut table = String::from(
        "| key | figure | ship | target | moonshot | reached | made of |\n\
         | --- | ---: | ---: | ---: | ---: | --- | --- |\n",
    );
    for key in keys {
        let figure = key
            .figure
            .map_or("-".to_owned(), |figure| format!("{figure:.2}"));
        let [ship, target, moonshot] = key.goals;
        let reached = match key.figure {
            Some(_) => REACHED[key.reached()],
            None => "-",
        };
        let _ = writeln!(
            table,
            "| `{}` | {figure} | {ship} | {target} | {moonshot} | {reached} | {} |",
            key.name, key.what
        );
    }
    table
}
