//! What the document of the API says of each operation: how it answers, and by which codes it refuses.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use http::Method;
use serde_json::Value;

use crate::answer::Answer;

/// Where the document is served.
pub(crate) const DOCUMENT: &str = "/api/openapi.json";

/// What other services answer: refusals of the one are in `ws/handshake.rs`, and the other one has none.
pub(crate) const BESIDE: [(&str, &str); 2] = [("GET", "/api/v1/ws"), ("GET", "/metrics")];

/// A method and a path, as the document has it.
pub(crate) type Name = (String, String);

/// All operations but those of other services.
pub(crate) struct Documented {
    operations: BTreeMap<Name, Operation>,
}

/// What is said of an operation.
pub(crate) struct Operation {
    /// Each status, with the codes of its problems.
    pub(crate) answers: BTreeMap<u16, BTreeSet<String>>,
    /// Whether nobody is answered but who shows a token.
    pub(crate) needs_token: bool,
    /// The types of its body; none where it reads none.
    pub(crate) takes: Vec<String>,
}

impl Documented {
    pub(crate) fn of(document: &Value) -> Self {
        let paths = document["paths"].as_object().unwrap().iter();
        let operations = paths.flat_map(|(path, item)| {
            let operations = item.as_object().unwrap().iter();
            operations.map(move |(method, said)| ((method.to_uppercase(), path.clone()), said))
        });
        let here = operations.filter(|((method, path), _)| !BESIDE.contains(&(method, path)));
        Self {
            operations: here
                .map(|(name, said)| (name, Operation::of(document, said)))
                .collect(),
        }
    }

    pub(crate) fn operations(&self) -> impl Iterator<Item = (&Name, &Operation)> {
        self.operations.iter()
    }

    /// The operation that answers this; of a path with a name and one with a parameter the former.
    fn find(&self, method: &str, path: &str) -> Option<&Operation> {
        let of_method = self.operations.iter().filter(|(name, _)| name.0 == method);
        let fitting = of_method.filter(|(name, _)| fits(&name.1, path));
        let found = fitting.min_by_key(|(name, _)| name.1.matches('{').count());
        found.map(|(_, operation)| operation)
    }
}

fn fits(template: &str, path: &str) -> bool {
    let (mut template, mut path) = (template.split('/'), path.split('/'));
    loop {
        match (template.next(), path.next()) {
            (None, None) => return true,
            (Some(is), Some(asked))
                if is == asked || (is.starts_with('{') && !asked.is_empty()) => {}
            _ => return false,
        }
    }
}

impl Operation {
    fn of(document: &Value, said: &Value) -> Self {
        let responses = said["responses"].as_object().unwrap().iter();
        let answers = responses.map(|(status, response)| {
            let codes = codes(resolved(document, response));
            (status.parse().unwrap(), codes)
        });
        let ways = said["security"].as_array();
        let ways = ways.expect("each operation says which credentials it takes");
        let bodies = said["requestBody"]["content"].as_object();
        Self {
            answers: answers.collect(),
            needs_token: ways.iter().all(|way| *way != json_nothing()),
            takes: bodies
                .into_iter()
                .flat_map(|types| types.keys().cloned())
                .collect(),
        }
    }

    /// Each status from 400 on with each of its codes.
    pub(crate) fn refusals(&self) -> impl Iterator<Item = (u16, &str)> {
        let refusals = self.answers.iter().filter(|(status, _)| **status >= 400);
        refusals.flat_map(|(status, codes)| codes.iter().map(|code| (*status, code.as_str())))
    }
}

/// How the document says that no credential is needed.
fn json_nothing() -> Value {
    Value::Object(serde_json::Map::new())
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(to) => document.pointer(to.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

fn codes(response: &Value) -> BTreeSet<String> {
    let schema = &response["content"]["application/problem+json"]["schema"];
    let codes = schema["allOf"][1]["properties"]["code"]["enum"].as_array();
    let codes = codes.into_iter().flatten();
    codes
        .map(|code| code.as_str().unwrap().to_owned())
        .collect()
}

/// Fails unless the document that is checked in says that such a request may be so answered. Every answer that a test of this
/// program awaits whole passes here: what nobody has thought of for a table is found by whichever test meets it.
pub(crate) fn check(method: &Method, path: &str, answer: &Answer) {
    static CHECKED_IN: LazyLock<Documented> = LazyLock::new(|| {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
        let text = std::fs::read_to_string(file).unwrap();
        Documented::of(&serde_json::from_str(&text).unwrap())
    });
    let path = path.split('?').next().unwrap_or_default();
    let asked = if *method == Method::HEAD {
        &Method::GET
    } else {
        method
    };
    let Some(operation) = CHECKED_IN.find(asked.as_str(), path) else {
        let describes_the_api = path == DOCUMENT || path.starts_with("/api/docs");
        assert!(
            !answer.status.is_success() || describes_the_api || *method == Method::OPTIONS,
            "{method} {path} is not in the document: {answer:?}"
        );
        return;
    };
    let status = answer.status.as_u16();
    let codes = operation.answers.get(&status);
    let codes = codes.unwrap_or_else(|| {
        panic!(
            "{method} {path} is answered {status}, of which the document says nothing: {answer:?}"
        )
    });
    if status >= 400 && !answer.body.is_empty() {
        let (_, code) = answer.problem();
        assert!(
            codes.contains(&code),
            "{method} {path}: {status} {code} is not in the document"
        );
    }
}
