//! The core has no I/O, no SQL, no HTTP, no environment and no clock of its own: only so can every
//! rule be tested without waiting, and every adapter be replaced.

use super::Violation;
use super::repository::Repository;
use super::rust_text::RustText;
use crate::packages::Package;

const CORE: &str = "polling-core";
const MANIFEST: &str = "polling-core/Cargo.toml";

/// What talks to the world outside. `mio` and `socket2` are how tokio does: they betray its I/O
/// features wherever in the tree those are switched on.
const IO_CRATES: &[&str] = &[
    "axum",
    "http",
    "hyper",
    "mio",
    "reqwest",
    "rusqlite",
    "socket2",
    "tokio-postgres",
    "tokio-tungstenite",
];

/// What only the feature `accounts` may compile: they are big, and not everybody has accounts.
const ACCOUNT_CRATES: &[&str] = &["argon2", "jsonwebtoken", "zxcvbn"];

const TOKIO_IO_FEATURES: &[&str] = &["fs", "full", "io-std", "net", "process", "signal"];

/// Modules whose very name in the core is a mistake.
const IO_MODULES: &[(&str, &str)] = &[
    ("std", "env"),
    ("std", "fs"),
    ("std", "net"),
    ("std", "process"),
    ("tokio", "fs"),
    ("tokio", "net"),
    ("tokio", "process"),
    ("tokio", "signal"),
];

const TRANSPORT_CRATES: &[&str] = &["http", "hyper"];

const SQL_TEXTS: &[&str] = &["SELECT ", "INSERT INTO "];

/// The one file that may look at the system's clock: it defines the port, and its default.
const CLOCK: &str = "polling-core/src/clock.rs";

pub(super) fn check_dependencies(repository: &Repository) -> Vec<Violation> {
    let bare = crates_in_tree(&repository.core_tree_bare, ACCOUNT_CRATES);
    let bare = bare.map(|name| {
        format!("compiles {name} without the feature accounts: make it optional there")
    });
    let full = crates_in_tree(&repository.core_tree_full, IO_CRATES);
    let full = full.map(|name| format!("compiles {name}, which is I/O: it belongs in an adapter"));
    let core = repository
        .packages
        .iter()
        .find(|package| package.name == CORE);
    let tokio = core.into_iter().flat_map(tokio_io_features).map(|feature| {
        format!("switches on tokio's feature {feature}, which is I/O: it belongs in an adapter")
    });
    let found = bare.chain(full).chain(tokio);
    found
        .map(|message| Violation::in_file(MANIFEST, message))
        .collect()
}

/// Which of `banned` a listing of `cargo tree --prefix none` holds.
fn crates_in_tree<'a>(tree: &str, banned: &'a [&str]) -> impl Iterator<Item = &'a str> {
    let listed: Vec<_> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    banned
        .iter()
        .copied()
        .filter(move |name| listed.contains(name))
}

/// What the manifest asks of tokio, by itself or in a feature of the core. Tests may have more.
fn tokio_io_features(core: &Package) -> Vec<&str> {
    let tokio = core.dependencies.iter();
    let tokio = tokio.filter(|needed| needed.name == "tokio" && !needed.is_for_tests_only);
    let asked = tokio.flat_map(|tokio| tokio.features.iter().map(String::as_str));
    let passed_on = core.features.iter().flat_map(|(_, switched)| switched);
    let passed_on = passed_on.filter_map(|switched| {
        switched
            .strip_prefix("tokio/")
            .or(switched.strip_prefix("tokio?/"))
    });
    let all = asked.chain(passed_on);
    all.filter(|feature| TOKIO_IO_FEATURES.contains(feature))
        .collect()
}

pub(super) fn check_sources(repository: &Repository) -> Vec<Violation> {
    let sources = repository.rust_files();
    let sources = sources.filter(|file| file.path.starts_with("polling-core/src/"));
    sources
        .flat_map(|file| impurities(&file.path, &file.text))
        .collect()
}

fn impurities(path: &str, source: &str) -> Vec<Violation> {
    let text = RustText::of(source);
    let mut found = Vec::new();
    let mut report = |offset, what: &str| {
        found.push(Violation::at_line(path, text.line(offset), what));
    };
    for (root, member) in IO_MODULES {
        for at in text.paths(root, member) {
            report(
                at,
                &format!("names {root}::{member}: take it in through a port or a setting"),
            );
        }
    }
    for name in TRANSPORT_CRATES {
        for at in text.words(name) {
            if text.code[at + name.len()..].trim_start().starts_with("::") {
                report(
                    at,
                    &format!("names {name}::, a transport's type: let the adapter map it"),
                );
            }
        }
    }
    for literal in &text.literals {
        if SQL_TEXTS.iter().any(|sql| literal.text.contains(sql)) {
            report(
                literal.start,
                "holds SQL: write it in the store, behind a port method",
            );
        }
    }
    if path != CLOCK {
        for at in text.words("SystemTime") {
            report(
                at,
                "names SystemTime: ask the Clock port, only clock.rs knows the system's",
            );
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::Dependency;
    use crate::tidy::places;

    fn core(tokio: &[&str], is_for_tests_only: bool, switched: &[&str]) -> Package {
        let strings = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Package {
            name: CORE.to_owned(),
            manifest_path: MANIFEST.to_owned(),
            dependencies: vec![Dependency {
                name: "tokio".to_owned(),
                is_for_tests_only,
                features: strings(tokio),
            }],
            features: vec![("accounts".to_owned(), strings(switched))],
            targets: Vec::new(),
        }
    }

    fn dependencies(bare: &str, full: &str, core: Package) -> usize {
        let repository = Repository {
            packages: vec![core],
            core_tree_bare: bare.to_owned(),
            core_tree_full: full.to_owned(),
            ..Repository::default()
        };
        check_dependencies(&repository).len()
    }

    #[test]
    fn accounts_are_compiled_only_where_wanted() {
        let tree = "polling-core v0.1.0\nargon2 v0.6.0\njsonwebtoken v11.0.0";
        assert_eq!(dependencies("bytes v1.0.0", tree, core(&[], false, &[])), 0);
        assert_eq!(dependencies(tree, tree, core(&[], false, &[])), 2);
    }

    #[test]
    fn no_feature_brings_io() {
        let tree = "httparse v1.0.0\nhyper v1.0.0\nrusqlite v0.41.0 (*)\nmio v1.0.0";
        assert_eq!(dependencies("", tree, core(&[], false, &[])), 3);
    }

    #[test]
    fn tokio_is_asked_for_no_io() {
        assert_eq!(dependencies("", "", core(&["rt", "net"], false, &[])), 1);
        assert_eq!(dependencies("", "", core(&["rt"], false, &["tokio/fs"])), 1);
        assert_eq!(
            dependencies("", "", core(&["rt", "net"], true, &["dep:argon2"])),
            0
        );
    }

    fn lines(path: &str, source: &str) -> Vec<String> {
        places(&impurities(path, source))
    }

    #[test]
    fn io_modules_are_found_by_line() {
        let source = "use std::sync::Arc;\nuse std::{fmt, net};\nlet a = std::env::var(b);\n\
                      use tokio::{sync, fs::File};";
        assert_eq!(lines("a.rs", source), ["a.rs:3", "a.rs:2", "a.rs:4"]);
    }

    #[test]
    fn transports_and_sql_are_found() {
        assert_eq!(lines("a.rs", "fn a() -> http::StatusCode;").len(), 1);
        assert_eq!(lines("a.rs", "use hyper::body;").len(), 1);
        assert_eq!(lines("a.rs", "let a = \"\n  SELECT 1\";").len(), 1);
        assert_eq!(lines("a.rs", "let a = r\"INSERT INTO b\";").len(), 1);
        assert_eq!(
            lines(
                "a.rs",
                "// SELECT from http::a\nlet http = polling_http::a;"
            )
            .len(),
            0
        );
    }

    #[test]
    fn only_the_clock_knows_the_time() {
        let source = "use std::time::{Duration, SystemTime};";
        assert_eq!(lines("polling-core/src/engine.rs", source).len(), 1);
        assert_eq!(lines(CLOCK, source).len(), 0);
    }
}
