//! What most systems do: one vote is one transaction. A single statement, prepared, which inserts the vote and counts it.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::{Bench, Case, Kind, polls_name};
use crate::Outcome;
use crate::bed::{Counters, OPTIONS, Poll, Polls};
use crate::measure::{Run, Stopwatch, histogram, number};

pub(super) struct Pgbench {
    pub(super) clients: u32,
    pub(super) polls: Polls,
    pub(super) counters: Counters,
}

impl Case for Pgbench {
    fn name(&self) -> String {
        let counters = match self.counters {
            Counters::Tallies => "a tally row",
            Counters::Options => "a row an option",
        };
        let (polls, clients) = (polls_name(self.polls), self.clients);
        format!("pgbench, {polls}, {clients} clients, {counters}")
    }

    fn kind(&self) -> Kind {
        Kind::Pgbench(self.polls, self.clients)
    }

    fn run(&self, bench: &Bench<'_>) -> Outcome<Run> {
        let bed = bench.bed;
        bed.reset()?;
        let folder = tempfile::tempdir()?;
        let script = folder.path().join("vote.sql");
        fs::write(&script, self.script(&bed.polls(self.polls)))?;
        let program = bed.cluster().program("pgbench")?;
        let mut pgbench = Command::new(program);
        pgbench
            .args([
                "--no-vacuum",
                "--protocol=prepared",
                "--log",
                "--sampling-rate=0.1",
            ])
            .args(["--host", "127.0.0.1", "--username", bed.cluster().user()])
            .arg(format!("--port={}", bed.cluster().port()))
            .arg(format!("--client={}", self.clients))
            .arg(format!("--jobs={}", self.clients.min(2)))
            .arg(format!("--time={}", bench.length.as_secs()))
            .arg("--file")
            .arg(&script)
            .arg(bed.database())
            .current_dir(folder.path());
        let watch = Stopwatch::start(bed.cluster().pid());
        let output = pgbench.output()?;
        let mut spent = watch.stop();
        let said = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            let error = String::from_utf8_lossy(&output.stderr);
            return Err(format!("pgbench failed: {error}").into());
        }
        let answered: u64 = figure(&said, "number of transactions actually processed: ")?;
        let pace: f64 = figure(&said, "tps = ")?;
        // Its connections are made before its clock starts.
        if pace > 0.0 {
            spent.took = Duration::from_secs_f64(number(answered) / pace);
        }
        let found = bed.found(self.counters)?;
        Ok(Run {
            answered,
            spent,
            latency: Some(histogram(latencies(folder.path())?)),
            drops: figure(&said, "number of failed transactions: ")?,
            lost_or_doubled: found.lost_or_doubled(answered),
            batch: None,
        })
    }
}

impl Pgbench {
    fn script(&self, polls: &[Poll]) -> String {
        let poll = if let [only] = polls {
            format!("'{}'", only.id)
        } else {
            // A constant of the prepared statement: to look a poll up costs nothing.
            let mut list = String::new();
            for poll in polls.iter() {
                let comma = if list.is_empty() { "" } else { "," };
                let _ = write!(list, "{comma}{}", poll.id);
            }
            format!("('{{{list}}}'::uuid[])[:number]")
        };
        let count = match self.counters {
            Counters::Tallies => {
                "UPDATE polling.poll_tallies t
SET revision = t.revision + 1, ballots = t.ballots + 1, counts[:option + 1] = t.counts[:option + 1] + 1
FROM written w WHERE t.poll = w.poll AND t.status = 'open'"
            }
            Counters::Options => {
                "UPDATE bench.option_counts c SET votes = c.votes + 1
FROM written w WHERE c.poll = w.poll AND c.position = :option"
            }
        };
        let (last, polls) = (OPTIONS - 1, polls.len());
        format!(
            "\\set option random(0, {last})
\\set number random(1, {polls})
WITH written AS (
    INSERT INTO polling.votes (poll, voter, ballot, cast_at, content)
    VALUES ({poll}, gen_random_uuid(), gen_random_uuid(), now(), set_byte('\\x00', 0, :option))
    ON CONFLICT (poll, voter) DO NOTHING
    RETURNING poll
)
{count};
"
        )
    }
}

/// The figure that comes after `words` in what pgbench said.
fn figure<T: std::str::FromStr>(said: &str, words: &str) -> Outcome<T> {
    let (_, rest) = said
        .split_once(words)
        .ok_or_else(|| format!("pgbench did not say \"{words}\" but:\n{said}"))?;
    let figure = rest.split([' ', '\n', '(']).next().unwrap_or_default();
    let parsed = figure.parse();
    parsed.map_err(|_| format!("pgbench said \"{words}{figure}\"").into())
}

/// From its log, a file for each of its threads: the third word of a line is how long a transaction took.
fn latencies(folder: &Path) -> Outcome<Vec<u64>> {
    let mut latencies = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("pgbench_log") {
            let text = fs::read_to_string(&path)?;
            let lines = text.lines();
            latencies.extend(lines.filter_map(|line| line.split(' ').nth(2)?.parse::<u64>().ok()));
        }
    }
    Ok(latencies)
}
