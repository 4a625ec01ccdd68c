//! `cargo xtask tidy`: the laws of the project that no compiler knows.
//!
//! Every check is a pure function of a [`Repository`]: it reads nothing by itself, so its tests
//! show it failing on a few made-up lines. A new check is one function and one row in [`CHECKS`].

mod addresses;
mod arrows;
mod bench_targets;
mod core_purity;
mod lexeme;
mod links;
mod repository;
mod rust_text;
mod sleeps;
mod sources;
mod sql;

use crate::Outcome;
use repository::Repository;

/// A place where a law is broken.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Violation {
    path: String,
    /// Counted from one, where it is a line that breaks the law.
    line: Option<usize>,
    /// What is wrong, and how to mend it.
    message: String,
}

impl Violation {
    fn in_file(path: &str, message: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line: None,
            message: message.into(),
        }
    }

    fn at_line(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            line: Some(line),
            ..Self::in_file(path, message)
        }
    }

    /// What a terminal makes a link of.
    fn place(&self) -> String {
        let line = self.line.map(|line| format!(":{line}"));
        self.path.clone() + &line.unwrap_or_default()
    }
}

type Check = fn(&Repository) -> Vec<Violation>;

/// Each law in a few words, and the check that holds the tree against it.
const CHECKS: &[(&str, Check)] = &[
    (
        "arrows point to the core, adapters never know each other",
        arrows::check,
    ),
    ("the core compiles no I/O", core_purity::check_dependencies),
    ("the core names no I/O", core_purity::check_sources),
    (
        "cargo bench finds nothing but benchmarks",
        bench_targets::check,
    ),
    ("files are short", sources::check_lengths),
    (
        "lints are expected with a reason, never allowed",
        sources::check_allows,
    ),
    ("no test is skipped", sources::check_ignores),
    ("tests never sleep", sleeps::check),
    (
        "migrations are numbered and named",
        sql::check_migration_names,
    ),
    ("SQL says which step it is", sql::check_statement_names),
    (
        "no paths of somebody's machine",
        addresses::check_machine_paths,
    ),
    (
        "no addresses of package registries",
        addresses::check_registries,
    ),
    ("links between documents lead somewhere", links::check),
];

/// Runs every check, prints what each found, and fails if there was anything.
pub(crate) fn run() -> Outcome<()> {
    let repository = Repository::read()?;
    let mut broken_laws = 0;
    let mut violations = 0;
    for (law, check) in CHECKS {
        let mut found = check(&repository);
        found.sort();
        found.dedup();
        let verdict = if found.is_empty() { "  ok" } else { "FAIL" };
        println!("{verdict}  {law}");
        for violation in &found {
            println!("{}: {}", violation.place(), violation.message);
        }
        broken_laws += usize::from(!found.is_empty());
        violations += found.len();
    }
    let laws = CHECKS.len();
    let files = repository.files.len();
    if violations == 0 {
        println!("tidy: {laws} laws hold in {files} files");
        Ok(())
    } else {
        println!("tidy: {violations} violations of {broken_laws} of {laws} laws in {files} files");
        Err("the tree is not tidy".into())
    }
}

/// Where a check found something, for tests to look at.
#[cfg(test)]
fn places(violations: &[Violation]) -> Vec<String> {
    violations.iter().map(Violation::place).collect()
}
