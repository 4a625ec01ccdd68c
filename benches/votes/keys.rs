//! The figures that have goals: ratios of what was measured side by side.

use crate::bed::Polls;
use crate::cases::Kind;
use crate::measure::number;
use crate::rounds::{Measured, is_quiet, median};

/// A figure and its goals.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    /// What is divided by what, with the names of the cases that were chosen.
    pub(crate) what: String,
    /// `None` where a case that it takes was not run.
    pub(crate) figure: Option<f64>,
    /// To ship, the target, the moonshot.
    pub(crate) goals: [f64; 3],
    /// Whether less is better.
    is_cost: bool,
}

impl Key {
    /// How many of the goals are reached.
    pub(crate) fn reached(&self) -> usize {
        let reaches = |goal: &&f64| match self.figure {
            Some(figure) if self.is_cost => figure <= **goal,
            Some(figure) => figure >= **goal,
            None => false,
        };
        self.goals.iter().filter(reaches).count()
    }
}

/// All of them. The three about viewers (deliveries a core, bytes a viewer, staleness) belong at the end of this list,
/// once there are cases that have viewers.
pub(crate) fn of(measured: &[Measured]) -> Vec<Key> {
    let chosen = Chosen::of(measured);
    let ratio = |name, case: Option<&Measured>, base: Option<&Measured>, goals| Key {
        name,
        what: format!("{} ÷ {}", name_of(case), name_of(base)),
        figure: case
            .zip(base)
            .and_then(|(case, base)| side_by_side(case, base)),
        goals,
        is_cost: false,
    };
    let Chosen {
        engine,
        pgbench,
        http,
        ..
    } = chosen;
    vec![
        ratio(
            "engine_vs_pgbench_best",
            engine,
            pgbench,
            [40.0, 60.0, 100.0],
        ),
        ratio(
            "engine_vs_pgbench_96",
            engine,
            chosen.pgbench_96,
            [95.0, 130.0, 180.0],
        ),
        ratio("engine_vs_copy", engine, chosen.copy, [0.75, 0.9, 1.0]),
        ratio("http_vs_pgbench_best", http, pgbench, [8.0, 14.0, 20.0]),
        ratio("http_vs_noop", http, chosen.noop, [0.35, 0.5, 0.65]),
        ratio(
            "ws_vs_pgbench_best",
            chosen.many_at_once,
            pgbench,
            [40.0, 60.0, 90.0],
        ),
        ratio(
            "spread_vs_pgbench_spread",
            chosen.engine_spread,
            chosen.pgbench_spread,
            [10.0, 16.0, 25.0],
        ),
        ratio(
            "duplicate_storm",
            chosen.repeated,
            chosen.conflicts,
            [1.0, 1.3, 1.6],
        ),
        Key {
            name: "ack_p99",
            what: format!("ms, {}", name_of(chosen.half)),
            figure: chosen.half.and_then(p99),
            goals: [25.0, 10.0, 5.0],
            is_cost: true,
        },
        Key {
            name: "lost_or_doubled",
            what: "votes, in all runs".to_owned(),
            figure: Some(number(
                measured.iter().map(Measured::lost_or_doubled).sum::<u64>(),
            )),
            goals: [0.0; 3],
            is_cost: true,
        },
    ]
}

/// The cases that stand for what the keys speak of; of several the fastest.
struct Chosen<'a> {
    pgbench: Option<&'a Measured>,
    pgbench_96: Option<&'a Measured>,
    pgbench_spread: Option<&'a Measured>,
    engine: Option<&'a Measured>,
    engine_spread: Option<&'a Measured>,
    copy: Option<&'a Measured>,
    http: Option<&'a Measured>,
    noop: Option<&'a Measured>,
    many_at_once: Option<&'a Measured>,
    repeated: Option<&'a Measured>,
    conflicts: Option<&'a Measured>,
    half: Option<&'a Measured>,
}

impl<'a> Chosen<'a> {
    fn of(measured: &'a [Measured]) -> Self {
        let best = |is_meant: &dyn Fn(Kind) -> bool| {
            let meant = measured
                .iter()
                .filter(|case| is_meant(case.kind) && !case.runs.is_empty());
            meant.max_by(|a, b| a.typical().pace().total_cmp(&b.typical().pace()))
        };
        let engine = best(&|kind| kind == Kind::Engine(Polls::One));
        let http = best(&|kind| matches!(kind, Kind::Http(_)));
        let connections = http.map(|http| http.kind);
        let repeated = best(&|kind| matches!(kind, Kind::Repeated(_)));
        Self {
            pgbench: best(&|kind| matches!(kind, Kind::Pgbench(Polls::One, _))),
            pgbench_96: best(&|kind| kind == Kind::Pgbench(Polls::One, 96)),
            pgbench_spread: best(&|kind| matches!(kind, Kind::Pgbench(Polls::Many, _))),
            engine,
            engine_spread: best(&|kind| kind == Kind::Engine(Polls::Many)),
            copy: engine.and_then(|engine| like(measured, engine)),
            http,
            noop: best(&|kind| match (connections, kind) {
                (Some(Kind::Http(connections)), Kind::Noop(same)) => same == connections,
                _ => false,
            }),
            many_at_once: best(&|kind| kind == Kind::ManyAtOnce),
            repeated,
            conflicts: best(
                &|kind| match (repeated.map(|repeated| repeated.kind), kind) {
                    (Some(Kind::Repeated(load)), Kind::Conflicts(same)) => same == load,
                    _ => false,
                },
            ),
            half: best(&|kind| kind == Kind::HttpAtHalf),
        }
    }
}

/// The COPY whose batches are nearest to the engine's, and not smaller; the one with the largest where all are.
fn like<'a>(measured: &'a [Measured], engine: &Measured) -> Option<&'a Measured> {
    let wanted = engine.typical().batch?;
    // First those that are not smaller, the nearest first; then the others, the largest first.
    let distance = |case: &Measured| {
        let batch = case.typical().batch.unwrap_or(f64::INFINITY);
        let beyond = batch - wanted;
        (beyond < 0.0, beyond.abs())
    };
    let copies = measured
        .iter()
        .filter(|case| case.kind == Kind::Copy && !case.runs.is_empty());
    copies.min_by(|a, b| {
        let ((a_is_smaller, a), (b_is_smaller, b)) = (distance(a), distance(b));
        a_is_smaller.cmp(&b_is_smaller).then(a.total_cmp(&b))
    })
}

fn name_of(case: Option<&Measured>) -> &str {
    case.map_or("(not run)", |case| &*case.name)
}

/// The median of the ratios of each round, of the undisturbed ones; where there are none, best by best.
fn side_by_side(case: &Measured, base: &Measured) -> Option<f64> {
    let rounds = case.runs.iter().zip(&base.runs);
    let quiet = rounds.filter(|(case, base)| is_quiet(case) && is_quiet(base));
    let ratios = quiet.map(|(case, base)| case.pace() / base.pace());
    median(ratios.collect()).or_else(|| Some(case.best()? / base.best()?))
}

/// In milliseconds.
fn p99(case: &Measured) -> Option<f64> {
    let p99 = |quiet_only: bool| {
        let runs = case.runs.iter().filter(|run| !quiet_only || is_quiet(run));
        let latencies = runs.filter_map(|run| run.latency.as_ref());
        let p99 = latencies.map(|latency| number(latency.value_at_quantile(0.99)) / 1000.0);
        p99.collect::<Vec<f64>>()
    };
    median(p99(true)).or_else(|| p99(false).into_iter().min_by(f64::total_cmp))
}
