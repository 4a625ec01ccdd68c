//! A contract test that is not in the list runs nowhere.

use std::fs;
use std::path::Path;

/// The names of the public async functions of a file: its contract tests.
fn tests_of(source: &str) -> impl Iterator<Item = &str> {
    source
        .lines()
        .filter_map(|line| line.strip_prefix("pub async fn "))
        .filter_map(|rest| rest.split('(').next())
}

#[test]
fn every_contract_test_is_in_the_list() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let list = fs::read_to_string(src.join("suite.rs")).unwrap();
    let listed: Vec<&str> = list.split_whitespace().collect();
    let mut found = 0;
    for folder in [src.join("ports"), src.join("engine"), src] {
        for file in fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let source = fs::read_to_string(&path).unwrap();
            for test in tests_of(&source) {
                assert!(
                    listed.contains(&test),
                    "{test} of {} is not in the list",
                    path.display()
                );
                found += 1;
            }
        }
    }
    assert!(found > 100, "only {found} tests were found");
}
