//! Schemathesis, which tries the API by what it says of itself. It comes as a Python package.

use std::fs;
use std::path::Path;

use crate::Outcome;
use crate::tools::{Tool, pip_install};

/// `examples/tests/e2e/schemathesis.rs` runs it.
pub(crate) const TOOL: Tool = Tool {
    name: "Schemathesis",
    place: "schemathesis",
    is_whole: is_unpacked_in,
    download,
};

/// Its version and those of all that it needs, so that it tries the same everywhere.
const PINS: &str = include_str!("schemathesis.txt");

/// What is in its folder once it is whole: the versions that were asked for.
const MARK: &str = "pins.txt";

fn is_unpacked_in(place: &Path) -> bool {
    fs::read_to_string(place.join(MARK)).is_ok_and(|pins| pins == PINS)
}

fn download(directory: &Path) -> Outcome<()> {
    let pins = concat!(env!("CARGO_MANIFEST_DIR"), "/src/schemathesis.txt");
    pip_install(directory, ["-r", pins])?;
    fs::write(directory.join(MARK), PINS)?;
    Ok(())
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
        assert!(twin.contains(&format!("\"tools/{}\"", TOOL.place)));
    }
}
