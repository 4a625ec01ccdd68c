//! Schemathesis reads the API's own description, and tries what it promises: thousands of requests that fit it and
//! that break it, in sequences that follow from it, with and without an account.

use std::path::PathBuf;
use std::process::Output;

use http::Method;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::client::Client;
use crate::support::process::{ServerProcess, Starting, program};

/// What it looks at. Left out is `ignored_auth`, which wants 401 or 403 for all that needs a credential: a draft is answered
/// 404 to strangers, who may not know of it.
const LEFT_OUT: &str = "ignored_auth";

/// An event stream never ends, and so no answer to it is ever whole.
const OUT_OF_REACH: &str = "/events$";

/// How lines of JSON are written, which it does not know: they are a text already.
const LINES: &str = r#"
import schemathesis


@schemathesis.serializer("application/x-ndjson")
def lines(context, value):
    return value if isinstance(value, bytes) else str(value).encode()
"#;

/// The name of the file with them.
const HOOKS: &str = "lines_of_json";

/// After this nothing would be tried with an account any more.
const LAST: &str = "deleteOwnAccount";

/// Of who has an account, an administrator's: others do not get far with an import.
const EMAIL: &str = "ada@example.org";

/// Thousands of requests are meant; what is limited, and how that is answered, is tested where the clock stands still.
const NO_LIMITS: &str = "create_poll=off,manage=off,invite=off,login=off,password_reset=off";

/// Beyond what is usual: rules that no schema can say (an end that lies in the future, options of which none says the same)
/// refuse data that fits it, and a GET of the WebSocket is told to upgrade. Rows that an import refuses are refused in its
/// answer, one by one. Who has no account does not sign up by itself.
const SETTINGS: &str = r#"
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "304", "401", "403", "404", "409", "413", "422", "426"]

[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "409", "413", "415", "422", "426"]

[auth]
auto-signup = false

[[operations]]
include-path = "/api/v1/users/import"
checks.negative_data_rejection.expected-statuses = ["200", "400", "401", "403", "404", "409", "413", "415", "422"]
"#;

#[tokio::test]
async fn schemathesis_finds_nothing_without_an_account() {
    let server = server().await;
    finds_nothing(&server, None).await;
}

#[tokio::test]
async fn schemathesis_finds_nothing_with_an_account() {
    let server = server().await;
    let token = sign_up(&server).await;
    finds_nothing(&server, Some(&token)).await;
}

async fn server() -> ServerProcess {
    let starting = Starting::new(
        "sqlite::memory:",
        &["--limits", NO_LIMITS, "--admin-email", EMAIL],
    );
    starting.greets().await
}

async fn sign_up(server: &ServerProcess) -> String {
    let mut client = Client::connect(server.address).await.unwrap();
    let credentials = json!({"email": EMAIL, "password": "correct horse"});
    let mut new = credentials.clone();
    new["name"] = "Ada".into();
    let mut post = async |path: &str, body: &Value| {
        let (status, answer) = client.send(Method::POST, path, Some(body)).await.unwrap();
        assert!(status.is_success(), "{path}: {status} {answer}");
        answer
    };
    post("/users", &new).await;
    let token = post("/auth/login", &credentials).await;
    token["access_token"].as_str().unwrap().to_owned()
}

async fn finds_nothing(server: &ServerProcess, token: Option<&str>) {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("schemathesis.toml");
    std::fs::write(&settings, SETTINGS).unwrap();
    let hooks = folder.path().join(HOOKS).with_extension("py");
    std::fs::write(hooks, LINES).unwrap();
    let tool = tool();
    let modules = std::env::join_paths([&*tool, folder.path()]).unwrap();
    let mut run = Command::new("python3");
    run.arg(tool.join("bin/schemathesis"))
        .env("PYTHONPATH", modules)
        .env("SCHEMATHESIS_HOOKS", HOOKS)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(folder.path())
        .kill_on_drop(true)
        .arg("--config-file")
        .arg(&settings)
        .arg("run")
        .arg(format!("http://{}/api/openapi.json", server.address))
        .args(["--checks", "all", "--exclude-checks", LEFT_OUT])
        .args(["--exclude-path-regex", OUT_OF_REACH])
        .args(["--max-examples", "10", "--seed", "7"])
        .arg("--generation-deterministic")
        .args([
            "--request-timeout",
            "20",
            "--max-failures",
            "5",
            "--no-color",
        ]);
    if let Some(token) = token {
        run.args(["--header", &format!("Authorization: Bearer {token}")])
            .args(["--exclude-operation-id", LAST]);
    }
    let output = run.output().await.expect("python3 is there");
    let told = told(&output);
    assert!(output.status.success(), "{told}");
    // It would also be content with a document that describes nothing.
    assert!(
        told.contains("test cases") || told.contains("generated"),
        "{told}"
    );
}

fn told(output: &Output) -> String {
    let (out, error) = (&output.stdout, &output.stderr);
    String::from_utf8_lossy(out).into_owned() + &String::from_utf8_lossy(error)
}

/// Where `cargo xtask test --install` puts it.
fn tool() -> PathBuf {
    let program = program();
    let target = program.ancestors().nth(3).expect("target/PROFILE/examples");
    target.join("tools/schemathesis")
}
