//! What every operation may be refused for, by what the document says that it takes: credentials that are none, and bodies
//! that are too large, of another type, or of another shape.

use super::case::{Case, NOTHING};
use super::world::{BODY_BYTES, World};
use crate::documented::{Documented, Operation};

/// Probes, which look at no credential.
const PROBES: [&str; 2] = ["/healthz", "/readyz"];

pub(super) fn cases<'a>(world: &'a World, documented: &Documented) -> Vec<Case<'a>> {
    let mut cases = Vec::new();
    for ((method, path), operation) in documented.operations() {
        let ids = vec![NOTHING; path.matches('{').count()];
        let ask = || world.at(&format!("{method} {path}"), &ids);
        if !PROBES.contains(&&**path) {
            cases.push(ask().bearer("pm_unknown").is(401, "unauthorized"));
        }
        cases.extend(bodies(operation, || ask().by(&world.root)));
    }
    cases
}

fn bodies<'a>(operation: &Operation, ask: impl Fn() -> Case<'a>) -> Vec<Case<'a>> {
    // Of an import that is the table.
    let Some(taken) = operation.takes.last() else {
        return Vec::new();
    };
    // What is JSON, and no object; and rows without the names of their columns.
    let another = if taken == "application/json" {
        "[]"
    } else {
        "Ada"
    };
    let long = " ".repeat(BODY_BYTES + 1);
    vec![
        ask().body(taken, &long).is(413, "too_large"),
        ask()
            .body("text/plain", "{}")
            .is(415, "unsupported_media_type"),
        ask().body(taken, another).is(422, "invalid"),
    ]
}
