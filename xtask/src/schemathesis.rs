//! Schemathesis, which tries the API by what it says of itself. It comes as a Python package.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Outcome, tools};

/// Where `examples/tests/e2e/schemathesis.rs` looks for it, below `target/tools`.
const PLACE: &str = "schemathesis";

/// Its version and those of all that it needs, so that it tries the same everywhere.
const PINS: &str = include_str!("schemathesis.txt");

/// What is in its folder once it is whole: the versions that were asked for.
const MARK: &str = "pins.txt";

/// Makes sure that it is there, unpacking it if that is `wanted`.
pub(crate) fn meet(install_wanted: bool) -> Outcome<()> {
    let tools = tools::folder();
    if is_unpacked_in(&tools.join(PLACE)) {
        return Ok(());
    }
    if !install_wanted {
        return Err(
            "the tests need Schemathesis in target/tools, which is not there: \
                    `cargo xtask test --install` unpacks it"
                .into(),
        );
    }
    println!("unpacking Schemathesis into target/tools");
    fs::create_dir_all(&tools)?;
    tools::unpack(&tools, PLACE, download)
}

/// Another version's is as good as none.
fn is_unpacked_in(place: &Path) -> bool {
    fs::read_to_string(place.join(MARK)).is_ok_and(|pins| pins == PINS)
}

/// Into a folder of its own, and no virtual environment: such a one cannot be moved to its place.
fn download(directory: &Path) -> Outcome<()> {
    let mut pip = Command::new("pip3");
    pip.args("install --quiet --no-deps --only-binary :all:".split(' '));
    pip.args("--disable-pip-version-check --root-user-action ignore --target".split(' '));
    let status = pip.arg(directory).arg("-r").arg(pins()).status()?;
    if !status.success() {
        return Err(format!("pip3 install schemathesis failed: {status}").into());
    }
    fs::write(directory.join(MARK), PINS)?;
    Ok(())
}

fn pins() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/schemathesis.txt")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::remove;
    use crate::tools::tests::scratch;

    #[test]
    fn every_version_is_pinned() {
        assert!(PINS.lines().any(|pin| pin.starts_with("schemathesis==")));
        let versions = PINS.lines().filter(|line| !line.starts_with('#'));
        for pin in versions {
            assert!(pin.contains("=="), "{pin}");
        }
    }

    #[test]
    fn other_versions_are_as_good_as_none() {
        let place = scratch("pins");
        assert!(!is_unpacked_in(&place));
        fs::write(place.join(MARK), PINS).unwrap();
        assert!(is_unpacked_in(&place));
        fs::write(place.join(MARK), "schemathesis==1\n").unwrap();
        assert!(!is_unpacked_in(&place));
        remove(&place).unwrap();
    }

    #[test]
    fn it_is_looked_for_where_it_is_put() {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let twin = package.join("../examples/tests/e2e/schemathesis.rs");
        let twin = fs::read_to_string(twin).unwrap();
        assert!(twin.contains(&format!("\"tools/{PLACE}\"")));
    }
}
