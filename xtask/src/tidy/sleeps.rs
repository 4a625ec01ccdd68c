//! Tests never sleep: a sleep is too short on a busy machine and too long on any other. They wait
//! for the event itself, on a clock they move, or under `tokio::time::timeout`.

use super::Violation;
use super::repository::{Repository, TextFile};
use super::rust_text::RustText;

pub(super) fn check(repository: &Repository) -> Vec<Violation> {
    repository.rust_files().flat_map(sleeps).collect()
}

fn sleeps(file: &TextFile) -> Vec<Violation> {
    let text = RustText::of(&file.text);
    let test_only = text.test_only();
    let is_test =
        |at: &usize| is_test_file(&file.path) || test_only.iter().any(|range| range.contains(at));
    let found = ["sleep", "sleep_until"].into_iter().flat_map(|word| {
        let text = &text;
        text.words(word)
            .filter(move |at| is_free_function(&text.code, *at))
    });
    let message = "sleeps in a test: wait for the event itself, or move the test's own clock";
    let found = found.filter(is_test);
    found
        .map(|at| Violation::at_line(&file.path, text.line(at), message))
        .collect()
}

/// Files of which every line is a test's; the conformance suite is nothing but tests.
fn is_test_file(path: &str) -> bool {
    path.contains("/tests/")
        || path.ends_with("/tests.rs")
        || path.starts_with("polling-conformance/")
}

/// Whether the name at `at` is that of a free function, called or imported. A method (a clock's
/// `sleep_until`, say) is the business of whoever made it, and so is a definition.
fn is_free_function(code: &str, at: usize) -> bool {
    let before = code[..at].trim_end();
    let is_method = before.ends_with('.');
    let is_definition = before.ends_with("fn");
    let after = code[at..].trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
    let is_called = after.trim_start().starts_with('(');
    let is_imported = before.ends_with("::") || before.ends_with(['{', ',']);
    !is_method && !is_definition && (is_called || is_imported)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, source: &str) -> usize {
        let file = TextFile {
            path: path.to_owned(),
            text: source.to_owned(),
        };
        sleeps(&file).len()
    }

    #[test]
    fn sleeping_is_found_called_and_imported() {
        let count = |source| count("examples/tests/vote.rs", source);
        assert_eq!(count("std::thread::sleep(a);"), 1);
        assert_eq!(count("tokio::time::sleep(a).await;"), 1);
        assert_eq!(
            count("use tokio::time::{sleep, timeout}; sleep(a).await;"),
            2
        );
        assert_eq!(count("tokio::time::sleep_until(a).await;"), 1);
    }

    #[test]
    fn waiting_with_a_limit_and_moving_a_clock_are_not_sleeping() {
        let count = |source| count("examples/tests/vote.rs", source);
        assert_eq!(count("tokio::time::timeout(a, b).await;"), 0);
        assert_eq!(count("clock.sleep_until(a).await;"), 0);
        assert_eq!(count("async fn sleep_until(&self, at: Timestamp) {}"), 0);
        assert_eq!(
            count("// sleep(a)\nlet a = \"sleep(a)\"; let sleep = 1;"),
            0
        );
    }

    #[test]
    fn only_tests_are_looked_at() {
        let source = "sleep(a);\n#[cfg(test)]\nmod tests { fn b() { sleep(c) } }\nsleep(d);";
        assert_eq!(count("polling-core/src/clock.rs", source), 1);
        assert_eq!(count("polling-core/src/votes/tests.rs", source), 3);
        assert_eq!(count("polling-sqlite/tests/conformance.rs", source), 3);
        assert_eq!(count("polling-conformance/src/votes.rs", source), 3);
    }
}
