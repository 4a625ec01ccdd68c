//! The packages of the workspace, as far as these commands look at them.

use cargo_metadata::{DependencyKind, MetadataCommand};

use crate::Outcome;

/// A package of ours.
pub(crate) struct Package {
    pub(crate) name: String,
    /// Relative to the root of the repository, with `/` between its parts.
    pub(crate) manifest_path: String,
    pub(crate) dependencies: Vec<Dependency>,
    /// The features a user can choose from, each with what it switches on; in order of their names.
    pub(crate) features: Vec<(String, Vec<String>)>,
    pub(crate) targets: Vec<Target>,
}

/// A package that one of ours depends on, itself ours or not.
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) is_for_tests_only: bool,
    pub(crate) features: Vec<String>,
}

/// Something that cargo builds from a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) kind: TargetKind,
    pub(crate) name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TargetKind {
    Lib,
    Bin,
    Example,
    Bench,
    /// Tests and build scripts, which `cargo bench` does not run.
    Other,
}

/// Asks cargo for the packages of the workspace; only the lock file's own answers count.
pub(crate) fn of_the_workspace() -> Outcome<Vec<Package>> {
    let metadata = MetadataCommand::new()
        .no_deps()
        .other_options(["--locked".to_owned()])
        .exec()?;
    let root = &metadata.workspace_root;
    let packages = metadata.packages.iter().map(|package| {
        let manifest = &package.manifest_path;
        Package {
            name: package.name.to_string(),
            manifest_path: manifest.strip_prefix(root).unwrap_or(manifest).to_string(),
            dependencies: package.dependencies.iter().map(dependency).collect(),
            features: package.features.clone().into_iter().collect(),
            targets: package.targets.iter().map(target).collect(),
        }
    });
    Ok(packages.collect())
}

fn dependency(found: &cargo_metadata::Dependency) -> Dependency {
    Dependency {
        name: found.name.clone(),
        is_for_tests_only: found.kind == DependencyKind::Development,
        features: found.features.clone(),
    }
}

fn target(found: &cargo_metadata::Target) -> Target {
    let kind = if found.is_bin() {
        TargetKind::Bin
    } else if found.is_example() {
        TargetKind::Example
    } else if found.is_bench() {
        TargetKind::Bench
    } else if found.is_test() || found.is_custom_build() {
        TargetKind::Other
    } else {
        TargetKind::Lib
    };
    Target {
        kind,
        name: found.name.clone(),
    }
}
