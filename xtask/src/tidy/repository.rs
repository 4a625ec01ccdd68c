//! Everything that the checks look at, read once.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Outcome;
use crate::packages::{self, Package};

/// The tree as it would be committed now: what git tracks, and new files that it does not ignore.
#[derive(Default)]
pub(super) struct Repository {
    /// Every file that is text.
    pub(super) files: Vec<TextFile>,
    /// Every path, whether text or not.
    pub(super) paths: BTreeSet<String>,
    pub(super) packages: Vec<Package>,
    /// What `cargo tree` lists for the core without any feature.
    pub(super) core_tree_bare: String,
    /// What `cargo tree` lists for the core with all features.
    pub(super) core_tree_full: String,
}

/// A file, its path relative to the root of the repository with `/` between its parts.
pub(super) struct TextFile {
    pub(super) path: String,
    pub(super) text: String,
}

impl Repository {
    pub(super) fn read() -> Outcome<Self> {
        let root = output("git", &["rev-parse", "--show-toplevel"])?;
        let root = Path::new(root.trim_end());
        let root_argument = root.to_string_lossy();
        let listed = output(
            "git",
            &[
                "-C",
                &root_argument,
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ],
        )?;
        let paths = listed.split_terminator('\0').map(str::to_owned);
        // What is deleted and not yet committed is still listed.
        let paths: BTreeSet<_> = paths.filter(|path| root.join(path).is_file()).collect();
        let mut files = Vec::new();
        for path in &paths {
            // What is not UTF-8 is no text of ours.
            if let Ok(text) = String::from_utf8(fs::read(root.join(path))?) {
                files.push(TextFile {
                    path: path.clone(),
                    text,
                });
            }
        }
        Ok(Self {
            files,
            paths,
            packages: packages::of_the_workspace()?,
            core_tree_bare: core_tree("--no-default-features")?,
            core_tree_full: core_tree("--all-features")?,
        })
    }

    pub(super) fn text_of(&self, path: &str) -> Option<&str> {
        let file = self.files.iter().find(|file| file.path == path)?;
        Some(&file.text)
    }

    pub(super) fn rust_files(&self) -> impl Iterator<Item = &TextFile> {
        let files = self.files.iter();
        files.filter(|file| file.path.ends_with(".rs"))
    }
}

fn core_tree(features: &str) -> Outcome<String> {
    let tree = "tree -p polling-core --locked -e normal --prefix none";
    let arguments: Vec<_> = tree.split(' ').chain([features]).collect();
    output("cargo", &arguments)
}

fn output(program: &str, arguments: &[&str]) -> Outcome<String> {
    let output = Command::new(program).args(arguments).output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{program} {} failed: {said}", arguments.join(" ")).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}
