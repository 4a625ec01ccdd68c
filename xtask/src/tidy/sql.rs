//! How the stores name their SQL, so that a slow statement in a database's log leads to its line.

use super::Violation;
use super::repository::{Repository, TextFile};
use super::rust_text::{RustText, first_word};

/// The packages that speak SQL.
const STORES: &[&str] = &["polling-sqlite/", "polling-pg/"];

/// How a statement begins. `WITH` opens one that has more than one part.
const STATEMENTS: &[&str] = &["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"];

pub(super) fn check_migration_names(repository: &Repository) -> Vec<Violation> {
    let paths = repository.paths.iter().map(String::as_str);
    paths.filter_map(wrong_migration_name).collect()
}

fn wrong_migration_name(path: &str) -> Option<Violation> {
    let (folder, name) = path.rsplit_once('/')?;
    let stem = name.strip_suffix(".sql")?;
    if !folder.ends_with("/migrations") || is_migration_name(stem) {
        return None;
    }
    let message = "is no name of a migration: call it V<number>__<words>.sql";
    Some(Violation::in_file(path, message))
}

fn is_migration_name(stem: &str) -> bool {
    let parts = stem
        .strip_prefix('V')
        .and_then(|rest| rest.split_once("__"));
    parts.is_some_and(|(number, words)| number.parse::<u32>().is_ok() && is_snake_case(words))
}

fn is_snake_case(words: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    !words.is_empty() && words.chars().all(is_plain)
}

pub(super) fn check_statement_names(repository: &Repository) -> Vec<Violation> {
    let files = repository.files.iter();
    let stores = files.filter(|file| STORES.iter().any(|store| file.path.starts_with(store)));
    let found = stores.flat_map(|file| {
        if file.path.ends_with(".sql") {
            nameless_file(file).into_iter().collect()
        } else if is_product(&file.path) {
            nameless_literals(file)
        } else {
            Vec::new()
        }
    });
    found.collect()
}

/// Rust that a store is made of: not what only its tests are.
fn is_product(path: &str) -> bool {
    let is_test = path.contains("/tests/") || path.ends_with("/tests.rs");
    path.ends_with(".rs") && path.contains("/src/") && !is_test
}

const NAMELESS: &str = "holds SQL without a name: make its first line `-- room.verb`";

fn nameless_file(file: &TextFile) -> Option<Violation> {
    let is_migration = file.path.contains("/migrations/");
    let wrong = !is_migration && !is_named(&file.text);
    wrong.then(|| Violation::in_file(&file.path, NAMELESS))
}

fn nameless_literals(file: &TextFile) -> Vec<Violation> {
    let text = RustText::of(&file.text);
    let test_only = text.test_only();
    let literals = text.literals.iter().filter(|literal| {
        let in_test = test_only.iter().any(|range| range.contains(&literal.start));
        let sql = without_escapes(&literal.text);
        !in_test && is_statement(&sql) && !is_named(&sql)
    });
    literals
        .map(|found| Violation::at_line(&file.path, text.line(found.start), NAMELESS))
        .collect()
}

/// The text as SQL reads it: a backslash at the end of a line joins it with the next.
fn without_escapes(literal: &str) -> String {
    let mut parts = literal.split("\\\n");
    let first = parts.next().unwrap_or_default().to_owned();
    let joined = parts.fold(first, |text, part| text + part.trim_start());
    joined.replace("\\n", "\n")
}

/// Whether the first line that is no comment begins a statement. Keywords are written large, which
/// tells them from a sentence that begins with the same word.
fn is_statement(sql: &str) -> bool {
    let mut lines = sql.lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with("--"));
    first.is_some_and(|line| STATEMENTS.contains(&first_word(line)))
}

fn is_named(sql: &str) -> bool {
    let name = sql
        .trim_start()
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("-- "));
    let parts = name.and_then(|name| name.trim().split_once('.'));
    parts.is_some_and(|(room, verb)| is_snake_case(room) && is_snake_case(verb))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::places;

    fn check(path: &str, text: &str) -> Vec<Violation> {
        let file = TextFile {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        let repository = Repository {
            files: vec![file],
            ..Repository::default()
        };
        check_statement_names(&repository)
    }

    #[test]
    fn a_migration_says_its_number_and_what_it_does() {
        let wrong = |name: &str| wrong_migration_name(&format!("a/migrations/{name}")).is_some();
        assert!(!wrong("V1__polls.sql"));
        assert!(!wrong("V12__workspaces_and_projects.sql"));
        assert!(!wrong("README.md"));
        for name in [
            "polls.sql",
            "V1_polls.sql",
            "Va__polls.sql",
            "V1__.sql",
            "V1__Polls 2.sql",
        ] {
            assert!(wrong(name), "{name}");
        }
    }

    #[test]
    fn a_statement_in_a_literal_has_a_name() {
        let source = "const A: &str = \"SELECT 1\";\nconst B: &str = \"\n  -- why\n  UPDATE b\";\n\
                      const C: &str = \"\\\n  -- c.find\n  SELECT c\";\nlet d = \"WITH d AS (\";\n\
                      const E: &str = \"-- e.find\\n SELECT e\";\nlet f = \"Deleted, UPDATE f\";";
        let found = check("polling-sqlite/src/polls.rs", source);
        assert_eq!(
            places(&found),
            [
                "polling-sqlite/src/polls.rs:1",
                "polling-sqlite/src/polls.rs:2",
                "polling-sqlite/src/polls.rs:8"
            ]
        );
    }

    #[test]
    fn a_statement_in_a_file_has_a_name() {
        assert_eq!(check("polling-pg/src/polls/find.sql", "SELECT 1;").len(), 1);
        assert_eq!(
            check("polling-pg/src/polls/find.sql", "-- polls.find\nSELECT 1;").len(),
            0
        );
        assert_eq!(
            check("polling-pg/migrations/V1__polls.sql", "CREATE TABLE a").len(),
            0
        );
    }

    #[test]
    fn tests_and_other_packages_may_ask_as_they_like() {
        let source = "#[cfg(test)] mod tests { fn a() { b(\"SELECT 1\") } }";
        assert_eq!(check("polling-sqlite/src/polls.rs", source).len(), 0);
        assert_eq!(
            check("polling-sqlite/tests/live.rs", "a(\"SELECT 1\")").len(),
            0
        );
        assert_eq!(check("examples/src/a.rs", "a(\"SELECT 1\")").len(), 0);
        for module in ["tests.rs", "tests/gate.rs"] {
            let path = format!("polling-pg/src/{module}");
            assert_eq!(check(&path, "a(\"SELECT 1\")").len(), 0);
        }
    }
}
