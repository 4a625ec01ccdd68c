//! The lines of docs/PEOPLE.md can be pasted into a shell as they are, and answer what the document says.

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use crate::store::Store;
use crate::support::bed::Bed;
use crate::support::soon;

on_every_store! {
    the_lines_about_people_answer_what_stands_under_them
}

/// Where the document has its server.
const ADDRESS: &str = "127.0.0.1:8080";

/// Printed by the test after each block of lines.
const END: &str = "\u{1e}";

/// Lines to paste, and what they print.
struct Step {
    lines: String,
    answers: String,
}

/// The blocks of the document: `sh`, each with the `json` that follows it, if any does.
fn steps() -> Vec<Step> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/PEOPLE.md");
    let document = std::fs::read_to_string(file).unwrap();
    let mut steps: Vec<Step> = Vec::new();
    // What stands between two fences is every second part.
    for block in document.split("```").skip(1).step_by(2) {
        let (kind, text) = block.split_once('\n').unwrap();
        match kind {
            "sh" => steps.push(Step {
                lines: text.to_owned(),
                answers: String::new(),
            }),
            "json" => {
                let last = steps.last_mut().unwrap();
                assert!(last.answers.is_empty(), "two answers: {}", last.lines);
                text.clone_into(&mut last.answers);
            }
            // How the server is started: this test has its own.
            "console" => assert!(text.contains(ADDRESS), "{text}"),
            other => panic!("a block of a kind that nobody runs: {other}"),
        }
    }
    steps
}

async fn the_lines_about_people_answer_what_stands_under_them(store: Store) {
    let bed = Bed::on(store).await;
    let server = bed.start().await;
    let steps = steps();
    assert!(steps.len() > 8, "the document has steps");
    let mut script = String::from("set -eu\n");
    for step in &steps {
        // Several answers are told apart by their lines.
        script += &format!("{}printf '{END}'\n", step.lines);
    }
    let script = script
        .replace(ADDRESS, &server.address.to_string())
        .replace("curl -s ", "curl -sS -w '\\n' ");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).stdin(Stdio::null());
    let output = soon(shell.kill_on_drop(true).output()).await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}\n{said}");
    assert_eq!(error, "");
    let parts: Vec<&str> = said.split_terminator(END).collect();
    assert_eq!(parts.len(), steps.len());
    for (step, said) in steps.iter().zip(parts) {
        let lines = |text: &str| -> Vec<String> {
            let lines = text.lines().map(str::trim);
            let lines = lines.filter(|line| !line.is_empty());
            lines.map(str::to_owned).collect()
        };
        let (written, said) = (lines(&step.answers), lines(said));
        let lines = &step.lines;
        assert_eq!(written.len(), said.len(), "{lines}{said:#?}");
        for (written, said) in written.iter().zip(&said) {
            let fits = match (serde_json::from_str(written), serde_json::from_str(said)) {
                (Ok(written), Ok(said)) => fits(&written, &said),
                _ => written == said,
            };
            assert!(fits, "{lines}written: {written}\nsaid:    {said}");
        }
    }
    assert!(server.stop().await.success());
}

/// Whether an answer has exactly the fields that were written, with their values; `…` ends a text of which the rest is
/// another each time.
fn fits(written: &Value, said: &Value) -> bool {
    match (written, said) {
        (Value::Object(written), Value::Object(said)) => {
            let mut fields = written.iter();
            written.len() == said.len()
                && fields.all(|(name, value)| said.get(name).is_some_and(|said| fits(value, said)))
        }
        (Value::Array(written), Value::Array(said)) => {
            written.len() == said.len()
                && written
                    .iter()
                    .zip(said)
                    .all(|(written, said)| fits(written, said))
        }
        (Value::String(written), Value::String(said)) => match written.strip_suffix('…') {
            Some(begin) => said.starts_with(begin) && said.len() > begin.len(),
            None => written == said,
        },
        _ => written == said,
    }
}

#[test]
fn an_answer_of_another_shape_does_not_fit() {
    let fits = |written: &str, said: &str| {
        let [written, said] = [written, said].map(|text| serde_json::from_str(text).unwrap());
        fits(&written, &said)
    };
    assert!(fits(r#"{"a":"x…","b":[1]}"#, r#"{"b":[1],"a":"xyz"}"#));
    for other in [
        r#"{"a":"xyz"}"#,
        r#"{"a":"xyz","b":[1],"c":null}"#,
        r#"{"a":"yz","b":[1]}"#,
        r#"{"a":"xyz","b":[1,1]}"#,
        r#"{"a":"xyz","b":[2]}"#,
        r#"{"a":null,"b":[1]}"#,
    ] {
        assert!(!fits(r#"{"a":"x…","b":[1]}"#, other), "{other}");
    }
}
