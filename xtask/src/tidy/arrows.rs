//! Who may depend on whom. Arrows point to the core, and adapters never know each other: that is
//! what lets a user take one store and one transport and leave the rest.

use std::collections::BTreeSet;

use super::Violation;
use super::repository::Repository;
use crate::packages::Package;

/// The part that a package of ours plays.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Core,
    Conformance,
    /// A store, a transport, a notifier: every `polling-` package that is nothing else.
    Adapter,
    /// Where everything is put together.
    Composition,
    /// A server to test against, which knows nothing of ours.
    TestServer,
    /// Our own commands.
    Tooling,
}

fn role(package: &str) -> Role {
    match package {
        "polling-core" => Role::Core,
        "polling-conformance" => Role::Conformance,
        "polling-examples" | "polling-benches" => Role::Composition,
        "pg-cluster" => Role::TestServer,
        name if name.starts_with("polling-") => Role::Adapter,
        _ => Role::Tooling,
    }
}

pub(super) fn check(repository: &Repository) -> Vec<Violation> {
    let packages = &repository.packages;
    let ours: BTreeSet<_> = packages.iter().map(|package| &*package.name).collect();
    let arrows = packages
        .iter()
        .flat_map(|package| wrong_arrows(package, &ours));
    let pairs = packages.iter().filter_map(acquainted_adapters);
    arrows.chain(pairs).collect()
}

fn wrong_arrows(package: &Package, ours: &BTreeSet<&str>) -> Vec<Violation> {
    let ours_needed = package
        .dependencies
        .iter()
        .filter(|needed| ours.contains(&*needed.name));
    let wrong = ours_needed.filter_map(|needed| {
        let law = law_against(
            role(&package.name),
            role(&needed.name),
            needed.is_for_tests_only,
        )?;
        let message = format!("{} depends on {}, but {law}", package.name, needed.name);
        Some(Violation::in_file(&package.manifest_path, message))
    });
    wrong.collect()
}

/// The law that a dependency breaks, with the way out.
fn law_against(from: Role, to: Role, is_for_tests_only: bool) -> Option<&'static str> {
    match (from, to) {
        (Role::Core, _) => Some(
            "the core depends on nothing of ours: describe what it needs as a port, \
             and move tests that need a store to the examples package",
        ),
        (Role::Tooling, _) => {
            Some("our commands must build while the engine does not: call cargo instead")
        }
        (Role::TestServer, _) => {
            Some("a server to test against knows nothing of ours: let the tests put them together")
        }
        (Role::Adapter, Role::TestServer) if !is_for_tests_only => {
            Some("a server to test against is for tests: make it a dev-dependency")
        }
        (Role::Conformance, Role::TestServer) => {
            Some("the contract knows ports, not servers: let the adapter start what it needs")
        }
        (_, Role::Composition | Role::Tooling) => {
            Some("nothing depends on what puts everything together: move the shared code down")
        }
        (Role::Adapter, Role::Adapter) => Some(
            "adapters never know each other: put what they share into the core, \
             and tests of both into the examples package",
        ),
        (Role::Adapter | Role::Conformance, Role::Conformance) if !is_for_tests_only => {
            Some("the conformance suite is for tests: make it a dev-dependency")
        }
        (Role::Conformance, Role::Adapter) if !is_for_tests_only => {
            Some("the contract knows ports, not adapters: let the adapter call the suite")
        }
        _ => None,
    }
}

/// An adapter in the dev-dependencies is a sample; two of them are a composition.
fn acquainted_adapters(package: &Package) -> Option<Violation> {
    let needed = package.dependencies.iter().map(|needed| &*needed.name);
    let adapters: BTreeSet<_> = needed.filter(|name| role(name) == Role::Adapter).collect();
    if role(&package.name) == Role::Composition || adapters.len() < 2 {
        return None;
    }
    let message = format!(
        "{} sees more than one adapter ({}): only examples and benches may, move it there",
        package.name,
        adapters.into_iter().collect::<Vec<_>>().join(", ")
    );
    Some(Violation::in_file(&package.manifest_path, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::Dependency;

    fn workspace(from: &str, normal: &[&str], dev: &[&str]) -> Repository {
        let package = |name: &str, dependencies| Package {
            name: name.to_owned(),
            manifest_path: format!("{name}/Cargo.toml"),
            dependencies,
            features: Vec::new(),
            targets: Vec::new(),
        };
        let dependency = |name: &str, is_for_tests_only| Dependency {
            name: name.to_owned(),
            is_for_tests_only,
            features: Vec::new(),
        };
        let normal = normal.iter().map(|name| dependency(name, false));
        let dev = dev.iter().map(|name| dependency(name, true));
        let mut packages = vec![package(from, normal.chain(dev).collect())];
        let others = "polling-core polling-conformance polling-sqlite polling-http polling-ws \
                      polling-examples polling-benches pg-cluster xtask";
        packages.extend(
            others
                .split_whitespace()
                .map(|name| package(name, Vec::new())),
        );
        Repository {
            packages,
            ..Repository::default()
        }
    }

    fn broken(from: &str, normal: &[&str], dev: &[&str]) -> usize {
        check(&workspace(from, normal, dev)).len()
    }

    #[test]
    fn what_the_design_draws_is_allowed() {
        assert_eq!(broken("polling-core", &["tokio"], &["tokio"]), 0);
        assert_eq!(
            broken(
                "polling-conformance",
                &["polling-core"],
                &["polling-sqlite"]
            ),
            0
        );
        assert_eq!(
            broken(
                "polling-pg",
                &["polling-core", "bytes"],
                &["polling-conformance"]
            ),
            0
        );
        let all = [
            "polling-core",
            "polling-http",
            "polling-sqlite",
            "polling-ws",
        ];
        assert_eq!(
            broken("polling-examples", &all, &["polling-conformance"]),
            0
        );
        assert_eq!(broken("polling-benches", &[], &all), 0);
        assert_eq!(broken("xtask", &["clap"], &[]), 0);
    }

    #[test]
    fn the_core_depends_on_nothing_of_ours_not_even_in_tests() {
        assert_eq!(broken("polling-core", &["polling-conformance"], &[]), 1);
        assert_eq!(broken("polling-core", &[], &["polling-sqlite"]), 1);
    }

    #[test]
    fn an_adapter_knows_no_other_not_even_in_tests() {
        assert_eq!(
            broken("polling-http", &["polling-core", "polling-ws"], &[]),
            1
        );
        assert_eq!(
            broken("polling-kafka", &["polling-core"], &["polling-sqlite"]),
            1
        );
    }

    #[test]
    fn the_conformance_suite_is_for_tests() {
        assert_eq!(broken("polling-sqlite", &["polling-conformance"], &[]), 1);
        assert_eq!(broken("polling-conformance", &["polling-sqlite"], &[]), 1);
    }

    #[test]
    fn a_server_to_test_against_is_for_tests_and_knows_nothing_of_ours() {
        assert_eq!(broken("polling-pg", &["polling-core"], &["pg-cluster"]), 0);
        assert_eq!(broken("polling-benches", &[], &["pg-cluster"]), 0);
        assert_eq!(broken("polling-examples", &["pg-cluster"], &[]), 0);
        assert_eq!(broken("pg-cluster", &["tokio"], &[]), 0);

        assert_eq!(broken("polling-pg", &["pg-cluster"], &[]), 1);
        assert_eq!(broken("polling-conformance", &[], &["pg-cluster"]), 1);
        assert_eq!(broken("polling-core", &[], &["pg-cluster"]), 1);
        assert_eq!(broken("pg-cluster", &["polling-core"], &[]), 1);
        assert_eq!(broken("pg-cluster", &[], &["polling-sqlite"]), 1);
    }

    #[test]
    fn only_a_composition_sees_two_adapters() {
        assert_eq!(
            broken(
                "polling-conformance",
                &[],
                &["polling-sqlite", "polling-ws"]
            ),
            1
        );
    }

    #[test]
    fn nobody_depends_on_a_composition_nor_our_commands_on_anything() {
        assert_eq!(broken("polling-ws", &["polling-examples"], &[]), 1);
        assert_eq!(broken("xtask", &["polling-core"], &[]), 1);
    }
}
