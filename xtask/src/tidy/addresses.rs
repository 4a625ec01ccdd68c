//! Nothing in the tree says where it was written: no folder of somebody's machine, and no address
//! that packages came from. Both work for one person, and for everybody else they are noise.

use super::Violation;
use super::repository::{Repository, TextFile};

/// Folders at the root of a machine in which people keep their work.
const PRIVATE_FOLDERS: &[&str] = &["work", "root", "home", "Users"];

/// Hosts that serve packages, with everything below them.
const REGISTRIES: &[&str] = &[
    "crates.io",
    "npmjs.org",
    "yarnpkg.com",
    "pypi.org",
    "pythonhosted.org",
    "proxy.golang.org",
    "deb.debian.org",
];

pub(super) fn check_machine_paths(repository: &Repository) -> Vec<Violation> {
    by_line(repository, |line| {
        let folder = PRIVATE_FOLDERS
            .iter()
            .find(|folder| names_folder(line, folder))?;
        Some(format!(
            "names a path under /{folder}: make it relative to the repository"
        ))
    })
}

/// Whether a path that begins at `folder`, at the root of a machine, stands in the line. After a
/// letter, a dot or the like the slash belongs to a longer path, or to an address.
fn names_folder(line: &str, folder: &str) -> bool {
    let path = format!("/{folder}/");
    let mut found = line.match_indices(&path).map(|(at, _)| &line[..at]);
    found.any(|before| !before.ends_with(|c: char| c.is_alphanumeric() || "._-~})*".contains(c)))
}

pub(super) fn check_registries(repository: &Repository) -> Vec<Violation> {
    by_line(repository, |line| {
        let host = hosts(line).find(|host| is_registry(host))?;
        Some(format!(
            "holds an address of the registry {host}: name the package alone"
        ))
    })
}

fn hosts(line: &str) -> impl Iterator<Item = &str> {
    line.split("://").skip(1).map(|rest| {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-._".contains(c)));
        &rest[..end.unwrap_or(rest.len())]
    })
}

fn is_registry(host: &str) -> bool {
    let mut registries = REGISTRIES.iter();
    registries.any(|registry| {
        host.strip_suffix(registry)
            .is_some_and(|sub| sub.is_empty() || sub.ends_with('.'))
    })
}

fn by_line(
    repository: &Repository,
    what_is_wrong: impl Fn(&str) -> Option<String>,
) -> Vec<Violation> {
    let lines = repository.files.iter().flat_map(|TextFile { path, text }| {
        text.lines()
            .zip(1..)
            .map(move |(line, number)| (path, number, line))
    });
    let found = lines.filter_map(|(path, number, line)| {
        Some(Violation::at_line(path, number, what_is_wrong(line)?))
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::places;

    fn repository(text: String) -> Repository {
        let path = "README.md".to_owned();
        Repository {
            files: vec![TextFile { path, text }],
            ..Repository::default()
        }
    }

    #[test]
    fn a_path_of_a_machine_is_found_by_line() {
        let [work, home] = ["work", "home"].map(|folder| format!("/{folder}/ada"));
        let text = format!("see\n{work}/a.rs or\nfile://{home}, `{home}` and \"{home}\"\n");
        let found = check_machine_paths(&repository(text));
        assert_eq!(places(&found), ["README.md:2", "README.md:3"]);
    }

    #[test]
    fn a_folder_inside_the_tree_and_a_page_are_no_paths_of_a_machine() {
        let tail = format!("/{}/ada", "home");
        let text = format!("examples{tail} ..{tail} https://example.org{tail} {{base}}{tail}");
        assert_eq!(check_machine_paths(&repository(text)), []);
    }

    #[test]
    fn an_address_of_a_registry_is_found() {
        for registry in REGISTRIES {
            for text in [
                format!("https://{registry}/a"),
                format!("a b://c.{registry}"),
            ] {
                assert_eq!(check_registries(&repository(text)).len(), 1, "{registry}");
            }
        }
    }

    #[test]
    fn a_registry_is_known_by_its_host_alone() {
        let text = "crates.io, https://github.com/rust-lang/crates.io-index, https://notpypi.org";
        assert_eq!(check_registries(&repository(text.to_owned())), []);
    }
}
