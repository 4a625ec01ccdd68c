//! How every Rust file reads: short, with its lints in force and all of its tests running.

use super::Violation;
use super::repository::{Repository, TextFile};
use super::rust_text::{RustText, first_word, words};

/// Most files stay under 300 lines; past this one, somebody has to scroll to understand.
const MAX_LINES: usize = 400;

pub(super) fn check_lengths(repository: &Repository) -> Vec<Violation> {
    repository.rust_files().filter_map(too_long).collect()
}

fn too_long(file: &TextFile) -> Option<Violation> {
    let lines = file.text.lines().count();
    let message = format!(
        "has {lines} lines: split it by what it talks about, \
         most files stay under 300 lines and none passes {MAX_LINES}"
    );
    (lines > MAX_LINES).then(|| Violation::in_file(&file.path, message))
}

pub(super) fn check_allows(repository: &Repository) -> Vec<Violation> {
    repository.rust_files().flat_map(allows).collect()
}

/// `expect` warns once it is no longer needed; `allow` stays for ever.
fn allows(file: &TextFile) -> Vec<Violation> {
    attributes_that(file, |attribute| {
        let called = words(attribute, "allow").any(|at| {
            attribute[at + "allow".len()..]
                .trim_start()
                .starts_with('(')
        });
        called.then_some("allows a lint: mend it, or use #[expect(lint, reason = \"…\")]")
    })
}

pub(super) fn check_ignores(repository: &Repository) -> Vec<Violation> {
    repository.rust_files().flat_map(ignores).collect()
}

fn ignores(file: &TextFile) -> Vec<Violation> {
    attributes_that(file, |attribute| {
        let ignored = match first_word(attribute) {
            "ignore" => true,
            "cfg_attr" => words(attribute, "ignore").next().is_some(),
            _ => false,
        };
        ignored.then_some(
            "skips a test quietly: run it, or delete it; what it needs goes into xtask/src/needs.rs",
        )
    })
}

fn attributes_that(
    file: &TextFile,
    is_wrong: impl Fn(&str) -> Option<&'static str>,
) -> Vec<Violation> {
    let text = RustText::of(&file.text);
    let found = text.attributes().filter_map(|attribute| {
        let message = is_wrong(&text.code[attribute.clone()])?;
        Some(Violation::at_line(
            &file.path,
            text.line(attribute.start),
            message,
        ))
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::places;

    fn file(text: &str) -> TextFile {
        TextFile {
            path: "a.rs".to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_file_over_the_limit_is_too_long() {
        assert!(too_long(&file(&"line\n".repeat(MAX_LINES))).is_none());
        assert!(too_long(&file(&"line\n".repeat(MAX_LINES + 1))).is_some());
    }

    #[test]
    fn lints_are_never_allowed() {
        let source = "#![allow(dead_code)]\n#[expect(dead_code)]\n#[ allow (unused)]\n\
                      #[cfg_attr(test, allow(unused))]\n// #[allow(unused)]\n\
                      const A: &str = \"#[allow(unused)]\";\n#[arg(allow_negative_numbers)]";
        assert_eq!(
            places(&allows(&file(source))),
            ["a.rs:1", "a.rs:3", "a.rs:4"]
        );
    }

    #[test]
    fn no_test_is_ignored() {
        let source = "#[test]\n#[ignore]\nfn a() {}\n#[ignore = \"slow\"]\n\
                      #[cfg_attr(unix, ignore)]\n#[serde(ignore)]\n// #[ignore]";
        assert_eq!(
            places(&ignores(&file(source))),
            ["a.rs:2", "a.rs:4", "a.rs:5"]
        );
    }
}
