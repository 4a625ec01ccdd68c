//! What is printed at the end.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::book::Count;
use crate::chart::{a_second, bars, grouped, quantiles};
use crate::proof::{self, Case};
use crate::viewer::Sight;

/// Polls that are named; there may be thousands.
const NAMED: usize = 3;

/// A share of one processor from which on the generator itself may be what was measured.
const BUSY_PERCENT: u64 = 90;

/// A run, from its end.
#[derive(Debug)]
pub(crate) struct Summary {
    /// What was done, in words.
    pub(crate) task: String,
    pub(crate) took: Duration,
    pub(crate) decided: u64,
    pub(crate) answers: Vec<Count>,
    pub(crate) unanswered: u64,
    /// Duplicates that were given up.
    pub(crate) given_up: u64,
    pub(crate) latency: Histogram<u64>,
    /// How late the generator itself began, of an open loop.
    pub(crate) late: Histogram<u64>,
    /// Of the generator, while the votes came in.
    pub(crate) processor: Duration,
    pub(crate) sights: Vec<Sight>,
    pub(crate) staleness: Histogram<u64>,
    pub(crate) cases: Vec<Case>,
    /// Answers that must not have come.
    pub(crate) faults: u64,
    pub(crate) told: Vec<String>,
}

impl Summary {
    /// What speaks against it; nothing where the proof holds.
    pub(crate) fn doubts(&self) -> Vec<String> {
        let mut doubts: Vec<String> = self.cases.iter().flat_map(Case::doubts).collect();
        doubts.extend(proof::viewers(&self.sights, &self.cases));
        if self.faults > 0 {
            let faults = grouped(self.faults);
            doubts.push(format!("{faults} answers must not have come, among them:"));
            doubts.extend(self.told.iter().cloned());
        }
        if self.decided == 0 {
            doubts.push("no vote was answered".to_owned());
        }
        doubts
    }

    fn votes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (votes, seconds) = (grouped(self.decided), self.took.as_secs_f64());
        let pace = grouped(a_second(self.decided, self.took));
        writeln!(f, "votes      {votes} ballots in {seconds:.1} s: {pace}/s")?;
        let mut answers = self.answers.clone();
        answers.sort_by_key(|count| (count.status, count.code.clone()));
        for (row, count) in answers.iter().enumerate() {
            let head = if row == 0 { "answers" } else { "" };
            let status = count.status.map(|status| format!("{status} "));
            let answer = status.unwrap_or_default() + &count.code;
            let times = grouped(count.times);
            writeln!(f, "{head:10} {answer:20} {times:>12}")?;
        }
        for (times, what) in [
            (self.unanswered, "no answer, sent again"),
            (self.given_up, "duplicates given up"),
        ] {
            if times > 0 {
                writeln!(f, "{:10} {what:20} {:>12}", "", grouped(times))?;
            }
        }
        writeln!(f, "latency    {}", quantiles(&self.latency))?;
        for row in bars(&self.latency) {
            writeln!(f, "           {row}")?;
        }
        Ok(())
    }

    fn viewers(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.sights.is_empty() {
            return Ok(());
        }
        let (viewers, cases) = (self.sights.len(), &self.cases);
        let frames = self.sights.iter().map(|sight| sight.frames).sum();
        let pace = grouped(a_second(frames, self.took));
        let at_end = |sight: &&Sight| sight.end.as_ref() == Some(&cases[sight.poll].counted);
        let ended = self.sights.iter().filter(at_end).count();
        let last = self.sights.iter().filter_map(|sight| sight.revision).max();
        let last = last.map_or("none".into(), grouped);
        writeln!(
            f,
            "viewers    {viewers}: {} frames, {pace}/s; last revision {last}; {ended} of {viewers} ended on the final result",
            grouped(frames)
        )?;
        let again: u64 = self.sights.iter().map(|sight| sight.connections).sum();
        let again = again.saturating_sub(viewers as u64);
        if again > 0 {
            writeln!(f, "           came back {} times", grouped(again))?;
        }
        writeln!(
            f,
            "staleness  of the oldest vote in a frame: {}",
            quantiles(&self.staleness)
        )
    }

    fn generator(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.processor.as_nanos() / u128::from(self.decided.max(1));
        let share = self.processor.as_nanos() * 100 / self.took.as_nanos().max(1);
        let (micros, tenths) = (nanos / 1_000, nanos % 1_000 / 100);
        write!(
            f,
            "generator  {micros}.{tenths} µs of processor time a ballot, {share} % of one processor"
        )?;
        if share >= u128::from(BUSY_PERCENT) {
            write!(f, ": it may be the limit itself")?;
        }
        writeln!(f)?;
        if !self.late.is_empty() {
            writeln!(f, "           began late by {}", quantiles(&self.late))?;
        }
        Ok(())
    }

    fn proof(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cases = self.cases.iter();
        let sum = |of: fn(&Case) -> u64| grouped(cases.clone().map(of).sum());
        let answered = sum(|case| case.answered.iter().sum());
        let undecided = sum(|case| case.undecided.iter().sum());
        let counted = sum(|case| case.counted.ballots);
        let recounted = sum(|case| case.recounted.found.iter().sum());
        let open = match &*undecided {
            "0" => String::new(),
            some => format!(" (and {some} undecided)"),
        };
        let doubts = self.doubts();
        if doubts.is_empty() {
            let equals = if open.is_empty() { "=" } else { "and" };
            return writeln!(
                f,
                "proof      {answered} answered{open} {equals} {counted} counted = {recounted} recounted: it holds"
            );
        }
        writeln!(
            f,
            "proof      {answered} answered{open}, {counted} counted, {recounted} recounted: IT FAILS"
        )?;
        for doubt in doubts {
            writeln!(f, "           {doubt}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.task)?;
        let named: Vec<&str> = self.cases.iter().map(|case| &*case.poll).collect();
        let more = match named.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {} more", grouped(more as u64)),
        };
        let named = named[..named.len().min(NAMED)].join(" ");
        writeln!(f, "polls      {named}{more}")?;
        self.votes(f)?;
        self.viewers(f)?;
        self.generator(f)?;
        self.proof(f)
    }
}
