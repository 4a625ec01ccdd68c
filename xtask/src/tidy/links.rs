//! Every relative link in a document leads to a file or a folder of the tree.

use std::collections::BTreeSet;

use super::Violation;
use super::repository::{Repository, TextFile};

pub(super) fn check(repository: &Repository) -> Vec<Violation> {
    let documents = repository
        .files
        .iter()
        .filter(|file| file.path.ends_with(".md"));
    documents
        .flat_map(|document| dead_links(document, &repository.paths))
        .collect()
}

fn dead_links(document: &TextFile, paths: &BTreeSet<String>) -> Vec<Violation> {
    let folder = document
        .path
        .rsplit_once('/')
        .map_or("", |(folder, _)| folder);
    let mut found = Vec::new();
    for (line, number) in prose(&document.text) {
        for target in targets(&line).filter(|target| is_relative(target)) {
            let file = target.split(['#', '?']).next().unwrap_or_default();
            if !resolve(folder, file).is_some_and(|path| exists(&path, paths)) {
                let message = format!("links to {target}, which is not there: mend the link");
                found.push(Violation::at_line(&document.path, number, message));
            }
        }
    }
    found
}

/// The lines outside code blocks, without their code spans, and the numbers of the lines.
fn prose(text: &str) -> impl Iterator<Item = (String, usize)> {
    let mut in_block = false;
    let lines = text.lines().zip(1..).filter(move |(line, _)| {
        let is_fence = line.trim_start().starts_with("```");
        in_block ^= is_fence;
        !in_block && !is_fence
    });
    lines.map(|(line, number)| (line.split('`').step_by(2).collect(), number))
}

/// Where the links of a line lead: `[text](target)`, `[name]: target`, `href="target"`.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    let up_to = |rest: &'static str| move |from: &str| from.find(|c| rest.contains(c));
    let inline = line.split("](").skip(1).map(move |rest| {
        let rest = rest.trim_start_matches('<');
        &rest[..up_to(" )>")(rest).unwrap_or(rest.len())]
    });
    let definition = line
        .trim_start()
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("]: "));
    let definition = definition.map(|(_, target)| target.split(' ').next().unwrap_or_default());
    let quoted = ["href=\"", "src=\""]
        .into_iter()
        .flat_map(move |attribute| {
            line.split(attribute)
                .skip(1)
                .map(|rest| rest.split('"').next().unwrap_or_default())
        });
    inline.chain(definition).chain(quoted)
}

fn is_relative(target: &str) -> bool {
    let has_scheme = target.contains("://") || target.starts_with("mailto:");
    !has_scheme && !target.starts_with('#')
}

/// The path that `target` names, seen from `folder`; none if it leads out of the tree.
fn resolve(folder: &str, target: &str) -> Option<String> {
    let from_root = target.strip_prefix('/');
    let mut parts: Vec<_> = match from_root {
        Some(_) => Vec::new(),
        None => folder.split('/').filter(|part| !part.is_empty()).collect(),
    };
    for part in from_root.unwrap_or(target).split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// Whether a file of the tree has this path, or lies in a folder that has it.
fn exists(path: &str, paths: &BTreeSet<String>) -> bool {
    let folder = format!("{path}/");
    let mut inside = paths.range(folder.clone()..);
    path.is_empty()
        || paths.contains(path)
        || inside
            .next()
            .is_some_and(|first| first.starts_with(&folder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::places;

    fn dead(path: &str, text: &str) -> Vec<String> {
        let paths = [
            "README.md",
            "docs/API.md",
            "docs/schema.svg",
            "examples/server/main.rs",
        ];
        let document = TextFile {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        places(&dead_links(&document, &paths.map(str::to_owned).into()))
    }

    #[test]
    fn links_to_files_folders_and_other_places_are_alive() {
        let text = "[a](docs/API.md#votes) [b](./examples/server/) [c](https://example.org/x)\n\
                    [d](#here) ![e](docs/schema.svg \"The schema\") <img src=\"docs/schema.svg\">\n\
                    [f]: docs/API.md\n[g](mailto:a@example.org) [h](/README.md)";
        assert!(dead("README.md", text).is_empty());
        assert!(dead("docs/API.md", "[a](../README.md) [b](schema.svg) [c](..)").is_empty());
    }

    #[test]
    fn a_link_to_nowhere_is_dead() {
        for text in [
            "[a](API.md)",
            "[a]: nowhere.md",
            "<a href=\"b.html\">",
            "[a](../out.md)",
        ] {
            assert_eq!(
                dead("README.md", &format!("\n{text}")),
                ["README.md:2"],
                "{text}"
            );
        }
        assert_eq!(dead("docs/API.md", "[a](docs/API.md) [b](API.md)").len(), 1);
    }

    #[test]
    fn code_holds_no_links() {
        assert!(dead("README.md", "```rust\na[b](c.md)\n```\n`[a](b.md)`").is_empty());
        assert_eq!(dead("README.md", "```\n```\n`a` [a](b.md) `c`").len(), 1);
    }
}
