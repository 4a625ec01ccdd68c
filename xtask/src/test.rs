//! `cargo xtask test`: every test there is, in one command.
//!
//! The whole workspace runs with all features, which is how the server is built. That proves
//! nothing about a user who switches some off, so the packages with features are then tried
//! without them, too.

use std::process::Command;

use crate::packages::{self, Package};
use crate::{Outcome, needs, postgres, schemathesis};

/// Runs every test, cheapest set-up first, and stops at the first step that fails.
pub(crate) fn run(install: bool) -> Outcome<()> {
    needs::meet(install)?;
    postgres::TOOL.meet(install)?;
    schemathesis::TOOL.meet(install)?;
    let mut steps = workspace_steps();
    steps.extend(packages::of_the_workspace()?.iter().flat_map(feature_steps));
    for step in &steps {
        println!("\n$ cargo {}", step.join(" "));
        let status = Command::new("cargo").args(step).status()?;
        if !status.success() {
            return Err(format!("cargo {} failed: {status}", step.join(" ")).into());
        }
    }
    println!("\ntest: {} steps, all passed", steps.len());
    Ok(())
}

/// The arguments of one call of cargo.
type Step = Vec<String>;

fn step(words: &str) -> Step {
    words.split(' ').map(str::to_owned).collect()
}

/// Both steps take all features, so that the second finds built what the first has built.
fn workspace_steps() -> Vec<Step> {
    vec![
        // The tests end to end start target/debug/examples/server.
        step("build --workspace --examples --all-features --locked"),
        step("test --workspace --all-features --no-fail-fast --locked"),
    ]
}

/// Features only ever add: the core, where they hold code of their own, is tested without any. With
/// each alone, and of the others without, it is enough to know that they build, which takes a tenth
/// of the time.
fn feature_steps(package: &Package) -> Vec<Step> {
    let name = &package.name;
    let chosen = || {
        let features = package.features.iter().map(|(feature, _)| feature);
        features.filter(|feature| *feature != "default")
    };
    if chosen().next().is_none() {
        return Vec::new();
    }
    if name != "polling-core" {
        return vec![step(&format!(
            "check -p {name} --no-default-features --locked"
        ))];
    }
    let bare = format!("-p {name} --no-default-features --locked");
    let tested = step(&format!("test {bare}"));
    let alone = |feature| step(&format!("check {bare} --all-targets --features {feature}"));
    [tested].into_iter().chain(chosen().map(alone)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, features: &[&str]) -> Package {
        let features = features.iter().map(|name| ((*name).to_owned(), Vec::new()));
        Package {
            name: name.to_owned(),
            manifest_path: format!("{name}/Cargo.toml"),
            dependencies: Vec::new(),
            features: features.collect(),
            targets: Vec::new(),
        }
    }

    fn lines(steps: &[Step]) -> Vec<String> {
        steps.iter().map(|step| step.join(" ")).collect()
    }

    #[test]
    fn the_server_is_built_before_the_tests_that_start_it() {
        let steps = lines(&workspace_steps());
        assert!(steps[0].starts_with("build --workspace --examples"));
        assert!(steps[1].starts_with("test --workspace"));
    }

    #[test]
    fn the_core_is_tested_without_features_and_built_with_each_alone() {
        let core = package("polling-core", &["accounts", "default", "openapi"]);
        assert_eq!(
            lines(&feature_steps(&core)),
            [
                "test -p polling-core --no-default-features --locked",
                "check -p polling-core --no-default-features --locked --all-targets --features accounts",
                "check -p polling-core --no-default-features --locked --all-targets --features openapi",
            ]
        );
    }

    #[test]
    fn an_adapter_with_features_is_built_without_them() {
        let http = package("polling-http", &["accounts", "default"]);
        assert_eq!(
            lines(&feature_steps(&http)),
            ["check -p polling-http --no-default-features --locked"]
        );
    }

    #[test]
    fn a_package_without_features_needs_no_step_of_its_own() {
        assert!(feature_steps(&package("polling-sqlite", &["default"])).is_empty());
    }
}
