//! `cargo bench -- --quick` passes its arguments on to whatever it runs, and the test harness does
//! not know them: so libraries, binaries and examples say `bench = false`, and benchmarks
//! `harness = false`. What cargo discovers by itself says neither, and has to be declared.

use toml::{Table, Value};

use super::Violation;
use super::repository::Repository;
use crate::packages::{Package, Target, TargetKind};

pub(super) fn check(repository: &Repository) -> Vec<Violation> {
    let mut found = Vec::new();
    for Package {
        manifest_path,
        targets,
        ..
    } in &repository.packages
    {
        let text = repository.text_of(manifest_path).unwrap_or_default();
        match text.parse::<Table>() {
            Ok(manifest) => found.extend(
                wrong_targets(&manifest, targets)
                    .map(|message| Violation::in_file(manifest_path, message)),
            ),
            Err(error) => {
                let message = format!("is no TOML, mend its grammar: {}", error.message());
                found.push(Violation::in_file(manifest_path, message));
            }
        }
    }
    found
}

fn wrong_targets(manifest: &Table, targets: &[Target]) -> impl Iterator<Item = String> {
    targets.iter().filter_map(|target| {
        let (section, wanted) = match target.kind {
            TargetKind::Lib => ("[lib]", "bench"),
            TargetKind::Bin => ("[[bin]]", "bench"),
            TargetKind::Example => ("[[example]]", "bench"),
            TargetKind::Bench => ("[[bench]]", "harness"),
            TargetKind::Other => return None,
        };
        let name = &target.name;
        match declaration(manifest, target) {
            None => Some(format!(
                "{name} is discovered: declare it, {section} {wanted} = false"
            )),
            Some(declared) if declared.get(wanted) != Some(&Value::Boolean(false)) => {
                Some(format!("{section} {name} lacks {wanted} = false: add it"))
            }
            Some(_) => None,
        }
    })
}

fn declaration<'a>(manifest: &'a Table, target: &Target) -> Option<&'a Table> {
    let section = match target.kind {
        TargetKind::Lib => return manifest.get("lib")?.as_table(),
        TargetKind::Bin => "bin",
        TargetKind::Example => "example",
        TargetKind::Bench => "bench",
        TargetKind::Other => return None,
    };
    let declared = manifest
        .get(section)?
        .as_array()?
        .iter()
        .filter_map(Value::as_table);
    let mut same =
        declared.filter(|table| table.get("name").and_then(Value::as_str) == Some(&target.name));
    same.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(manifest: &str, kind: TargetKind) -> Vec<String> {
        let manifest = manifest.parse().expect("a test writes good TOML");
        let name = "a".to_owned();
        wrong_targets(&manifest, &[Target { kind, name }]).collect()
    }

    #[test]
    fn a_target_that_is_not_to_be_benched_says_so() {
        assert!(wrong("[lib]\nbench = false", TargetKind::Lib).is_empty());
        assert!(wrong("[[bin]]\nname = \"a\"\nbench = false", TargetKind::Bin).is_empty());
        assert_eq!(wrong("[lib]\nbench = true", TargetKind::Lib).len(), 1);
        assert_eq!(wrong("[lib]\nname = \"a\"", TargetKind::Lib).len(), 1);
        assert_eq!(
            wrong("[[example]]\nname = \"a\"", TargetKind::Example).len(),
            1
        );
    }

    #[test]
    fn a_target_that_cargo_discovers_is_to_be_declared() {
        let other = "[[bin]]\nname = \"b\"\nbench = false";
        assert_eq!(
            wrong(other, TargetKind::Bin),
            ["a is discovered: declare it, [[bin]] bench = false"]
        );
        assert_eq!(wrong("", TargetKind::Lib).len(), 1);
        assert_eq!(wrong("", TargetKind::Bench).len(), 1);
    }

    #[test]
    fn a_benchmark_brings_its_own_harness() {
        let declared = "[[bench]]\nname = \"a\"\n";
        assert_eq!(wrong(declared, TargetKind::Bench).len(), 1);
        assert!(wrong(&format!("{declared}harness = false"), TargetKind::Bench).is_empty());
    }

    #[test]
    fn tests_are_left_alone() {
        assert!(wrong("", TargetKind::Other).is_empty());
    }
}
