//! What the tests need from the system, beside what cargo brings.
//!
//! **A test that needs one more tool gets one more row in [`NEEDS`]**, and nothing else: the row
//! makes `cargo xtask test` ask for the tool, and `--install` bring it. A test never skips itself
//! because something is missing: a run that says "passed" has run everything.

use std::env;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Outcome, postgres};

/// A tool that some test cannot do without.
struct Need {
    /// The program, as it is called on the `PATH`, or in [`BESIDE_THE_PATH`].
    tool: &'static str,
    /// The oldest release that will do, where not any does.
    oldest: Option<u32>,
    /// What it is for, so that nobody has to guess whether it may go.
    why: &'static str,
    /// The Debian packages that bring it.
    packages: &'static [&'static str],
}

/// The oldest PostgreSQL that the store works on.
const OLDEST_SERVER: u32 = 15;

/// Every tool the tests need. New rows go here.
const NEEDS: &[Need] = &[
    Need {
        tool: "cc",
        oldest: None,
        why: "SQLite and the cryptography behind access tokens are compiled from C",
        packages: &["gcc", "libc6-dev"],
    },
    Need {
        tool: "sqlite3",
        oldest: None,
        why: "a test reads the database file with it while the engine holds it open",
        packages: &["sqlite3"],
    },
    Need {
        tool: "curl",
        oldest: None,
        why: "a test runs the lines that the server prints",
        packages: &["curl"],
    },
    Need {
        tool: "postgres",
        oldest: Some(OLDEST_SERVER),
        why: "the PostgreSQL store is tested on servers of its own",
        packages: &["postgresql"],
    },
    Need {
        tool: "pgbouncer",
        oldest: None,
        why: "the PostgreSQL store is tested behind it, too",
        packages: &["pgbouncer"],
    },
    Need {
        tool: "prlimit",
        oldest: None,
        why: "it lets no file of a server grow, as on a full disk",
        packages: &["util-linux"],
    },
    Need {
        tool: "pip3",
        oldest: None,
        why: "it brings PostgreSQL 18 and Schemathesis, which Debian does not have",
        packages: &["python3-pip"],
    },
];

/// Where servers are that Debian does not put on everybody's `PATH`. A star stands for any folder.
/// `pg-cluster/src/programs.rs` looks in the same places, for what it then runs.
const BESIDE_THE_PATH: &[&str] = &["/usr/sbin", "/usr/local/sbin", "/usr/lib/postgresql/*/bin"];

/// Makes sure that everything needed is there, installing it if that is `wanted` and possible.
pub(crate) fn meet(install_wanted: bool) -> Outcome<()> {
    if install_wanted {
        postgres::forget_what_the_system_was_told();
    }
    let absent = missing(NEEDS, is_met);
    if absent.is_empty() {
        return Ok(());
    }
    let can_install = is_there("apt-get") && is_root();
    if !(install_wanted && can_install) {
        return Err(what_to_install(&absent, install_wanted).into());
    }
    install(&absent)?;
    let still_absent = missing(NEEDS, is_met);
    if still_absent.is_empty() {
        Ok(())
    } else {
        Err(what_to_install(&still_absent, false).into())
    }
}

fn missing(needs: &[Need], is_met: impl Fn(&Need) -> bool) -> Vec<&Need> {
    needs.iter().filter(|need| !is_met(need)).collect()
}

/// The packages of `needs`, each once, in the order of the table.
fn packages_of(needs: &[&Need]) -> Vec<&'static str> {
    let mut packages = Vec::new();
    for package in needs.iter().flat_map(|need| need.packages) {
        if !packages.contains(package) {
            packages.push(*package);
        }
    }
    packages
}

fn what_to_install(absent: &[&Need], install_wanted: bool) -> String {
    let mut said = String::from("the tests need what this system does not have:\n");
    for need in absent {
        let oldest = need.oldest.map(|oldest| format!(" {oldest} or newer"));
        let (tool, oldest) = (need.tool, oldest.unwrap_or_default());
        said += &format!("  {tool}{oldest}: {}\n", need.why);
    }
    let packages = packages_of(absent).join(" ");
    if install_wanted {
        said += "installing takes root on Debian; ";
    }
    said += "install it with\n  ";
    said += &format!("apt-get update && apt-get install -y --no-install-recommends {packages}");
    said
}

fn install(absent: &[&Need]) -> Outcome<()> {
    let packages = packages_of(absent);
    println!("installing {}", packages.join(" "));
    apt_get(&["update"])?;
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    let has_servers = packages.contains(&"postgresql");
    arguments.extend(packages);
    if has_servers {
        postgres::without_main_cluster(|| apt_get(&arguments))
    } else {
        apt_get(&arguments)
    }
}

fn apt_get(arguments: &[&str]) -> Outcome<()> {
    let status = Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("apt-get {} failed: {status}", arguments.join(" ")).into())
    }
}

fn is_met(need: &Need) -> bool {
    programs(need.tool).any(|program| {
        let is_new = |oldest| release(&program).is_some_and(|release| release >= oldest);
        need.oldest.is_none_or(is_new)
    })
}

fn is_there(tool: &str) -> bool {
    programs(tool).next().is_some()
}

/// Every program of this name, in the order in which they are found.
fn programs(tool: &str) -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let path: Vec<_> = env::split_paths(&path).collect();
    let beside = BESIDE_THE_PATH.iter().flat_map(|place| folders(place));
    let files = path.into_iter().chain(beside).map(move |at| at.join(tool));
    files.filter(|file| is_executable(file))
}

/// What a program says that it is, without its minor release.
fn release(program: &Path) -> Option<u32> {
    let asked = Command::new(program).arg("--version").output();
    release_in(&String::from_utf8(asked.ok()?.stdout).ok()?)
}

/// The first number in what is said: 15 in "postgres (PostgreSQL) 15.14 (Debian 15.14-0)".
fn release_in(said: &str) -> Option<u32> {
    let mut numbers = said.split(|c: char| !c.is_ascii_digit());
    numbers.find(|number| !number.is_empty())?.parse().ok()
}

/// The folders that `place` names, which has a star at most.
fn folders(place: &str) -> Vec<PathBuf> {
    let Some((above, below)) = place.split_once("/*/") else {
        return vec![place.into()];
    };
    let found = fs::read_dir(above).into_iter().flatten().flatten();
    let folders = found.map(|folder| folder.path().join(below));
    folders.filter(|folder| folder.is_dir()).collect()
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Whether this process runs as root; its own entry under `/proc` belongs to its user.
fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &[Need] = &[
        Need {
            tool: "left",
            oldest: None,
            why: "to turn left",
            packages: &["gears", "left-hand"],
        },
        Need {
            tool: "right",
            oldest: None,
            why: "to turn right",
            packages: &["gears"],
        },
    ];

    #[test]
    fn a_tool_that_is_there_is_not_missing() {
        let absent = missing(TWO, |need| need.tool == "left");
        assert_eq!(absent.len(), 1);
        assert_eq!(absent[0].tool, "right");
    }

    #[test]
    fn a_package_of_two_tools_is_named_once() {
        let absent = missing(TWO, |_| false);
        assert_eq!(packages_of(&absent), ["gears", "left-hand"]);
    }

    #[test]
    fn what_is_missing_is_said_with_its_reason_and_the_command() {
        let said = what_to_install(&missing(TWO, |need| need.tool == "left"), false);
        assert!(said.contains("right: to turn right"), "{said}");
        assert!(
            said.ends_with("apt-get install -y --no-install-recommends gears"),
            "{said}"
        );
        assert!(!said.contains("left"), "{said}");
    }

    #[test]
    fn a_release_that_is_too_old_is_as_good_as_none() {
        let cargo = |oldest| Need {
            tool: "cargo",
            oldest,
            why: "to build",
            packages: &["cargo"],
        };
        assert!(is_met(&cargo(None)));
        assert!(is_met(&cargo(Some(1))));
        let newer = [cargo(Some(999))];
        let said = what_to_install(&missing(&newer, is_met), false);
        assert!(said.contains("cargo 999 or newer: to build"), "{said}");
    }

    #[test]
    fn a_release_is_the_first_number_that_a_program_says() {
        assert_eq!(
            release_in("postgres (PostgreSQL) 15.14 (Debian 15.14-0)"),
            Some(15)
        );
        assert_eq!(release_in("postgres (PostgreSQL) 19devel"), Some(19));
        assert_eq!(release_in("no idea"), None);
    }

    #[test]
    fn servers_are_looked_for_where_they_are_started_from() {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let twin = fs::read_to_string(package.join("../pg-cluster/src/programs.rs")).unwrap();
        let places = BESIDE_THE_PATH.iter();
        let places = places.map(|place| place.split("/*/").next().unwrap());
        for place in places.chain(["target", "tools", postgres::TOOL.place]) {
            assert!(twin.contains(&format!("\"{place}\"")), "{place}");
        }
        let oldest = format!("const OLDEST: u32 = {OLDEST_SERVER};");
        assert!(twin.contains(&oldest), "{oldest}");
    }

    #[test]
    fn the_path_is_searched_for_programs() {
        assert!(is_there("cargo"));
        assert!(!is_there("a-program-that-nobody-wrote"));
    }

    #[test]
    fn a_star_stands_for_every_folder() {
        let package = env!("CARGO_MANIFEST_DIR");
        assert_eq!(folders("/usr/sbin"), [PathBuf::from("/usr/sbin")]);
        let found = folders(&format!("{package}/*/tidy"));
        assert_eq!(found, [PathBuf::from(package).join("src/tidy")]);
        assert!(folders("/nowhere/*/bin").is_empty());
    }
}
