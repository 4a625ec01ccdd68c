//! The tools that are unpacked below `target/tools`, because Debian does not have them.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

use crate::Outcome;

/// A program that comes as a Python package.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    /// Where those who use it look for it, below `target/tools`.
    pub(crate) place: &'static str,
    /// Whether a folder has it whole, in the version that is wanted: another one is as good as none.
    pub(crate) is_whole: fn(&Path) -> bool,
    /// Puts it into a folder.
    pub(crate) download: fn(&Path) -> Outcome<()>,
}

impl Tool {
    /// Makes sure that it is there, unpacking it if that is `wanted`.
    pub(crate) fn meet(&self, install_wanted: bool) -> Outcome<()> {
        let tools = folder();
        if (self.is_whole)(&tools.join(self.place)) {
            return Ok(());
        }
        let name = self.name;
        if !install_wanted {
            let missing = format!("the tests need {name} in target/tools, which is not there");
            let remedy = "`cargo xtask test --install` unpacks it";
            return Err(format!("{missing}: {remedy}").into());
        }
        println!("unpacking {name} into target/tools");
        fs::create_dir_all(&tools)?;
        unpack(&tools, self.place, self.download)
    }
}

/// Puts what `wanted` says, as `pip` takes it, into a folder of its own, and no virtual environment: such a one cannot be
/// moved to its place. `pip` and no mere unzipping: it makes programs executable.
pub(crate) fn pip_install<'a>(
    directory: &Path,
    wanted: impl IntoIterator<Item = &'a str>,
) -> Outcome<()> {
    let mut pip = Command::new("pip3");
    pip.args("install --quiet --no-deps --no-compile --only-binary :all:".split(' '));
    pip.args("--disable-pip-version-check --root-user-action ignore --target".split(' '));
    let status = pip.arg(directory).args(wanted).status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{pip:?} failed: {status}").into())
    }
}

/// Where they are. `pg-cluster/src/programs.rs` and the tests that run them have the same.
pub(crate) fn folder() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).join("target").join("tools")
}

/// Brings a tool to its `place` in the folder `tools`, over an older one.
///
/// It gets its name only when it is whole, so that an interrupted run leaves nothing to stumble on;
/// and what such a run had until then is removed.
pub(crate) fn unpack(
    tools: &Path,
    place: &str,
    download: impl Fn(&Path) -> Outcome<()>,
) -> Outcome<()> {
    let drafts = format!(".{place}-");
    for entry in fs::read_dir(tools)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&drafts) {
            remove(&entry.path())?;
        }
    }
    let place = tools.join(place);
    let draft = tools.join(format!("{drafts}{}", process::id()));
    let downloaded = download(&draft);
    if downloaded.is_err() {
        remove(&draft)?;
        return downloaded;
    }
    remove(&place)?;
    fs::rename(draft, place)?;
    Ok(())
}

pub(crate) fn remove(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const PLACE: &str = "hammer-1";

    /// A directory of this test's own, below the one that tests may write to.
    pub(crate) fn scratch(test: &str) -> PathBuf {
        let directory = env::temp_dir().join(format!("xtask-{test}-{}", process::id()));
        remove(&directory).unwrap();
        fs::create_dir_all(&directory).unwrap();
        directory
    }

    pub(crate) fn entries(directory: &Path) -> usize {
        fs::read_dir(directory).unwrap().count()
    }

    fn pretend(directory: &Path) -> Outcome<()> {
        fs::create_dir_all(directory.join("mark"))?;
        Ok(())
    }

    #[test]
    fn a_download_that_failed_leaves_nothing() {
        let tools = scratch("fail");
        let failing = |directory: &Path| {
            pretend(directory)?;
            Err("no network".into())
        };
        assert!(unpack(&tools, PLACE, failing).is_err());
        assert_eq!(entries(&tools), 0);
        remove(&tools).unwrap();
    }

    #[test]
    fn an_interrupted_download_goes_with_the_next() {
        let tools = scratch("sweep");
        for left in [format!(".{PLACE}-0"), "other".to_owned()] {
            fs::create_dir_all(tools.join(left).join("half")).unwrap();
        }
        unpack(&tools, PLACE, pretend).unwrap();
        assert!(tools.join(PLACE).join("mark").is_dir());
        assert!(tools.join("other").is_dir());
        assert_eq!(entries(&tools), 2);
        remove(&tools).unwrap();
    }
}
