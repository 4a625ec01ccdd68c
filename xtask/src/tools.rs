//! The tools that are unpacked below `target/tools`, because Debian does not have them.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process;

use crate::Outcome;

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
