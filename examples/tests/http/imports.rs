//! Bulk import of users.

use std::fmt::Write;

use http::Method;
use polling_core::users::{Email, ImportFormat};
use polling_core::{Actor, Settings};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::answer::Answer;
use crate::store::Store;
use crate::support::{Ask, Server, Start, soon};

on_every_store! {
    every_row_is_answered_in_order
    lines_of_json_are_imported_too
    running_it_again_changes_nothing
    imports_are_for_administrators
    an_import_whose_client_leaves_can_be_sent_again
    one_import_runs_at_a_time_and_its_progress_is_read
    twenty_thousand_rows_are_imported
}

pub(crate) const IMPORT: &str = "/api/v1/users/import";
const ID: &str = "018f3c6e-0000-7000-8000-000000000001";

pub(crate) fn with_root(start: Start) -> Start {
    let root = Email::parse("root@example.org").unwrap();
    Start {
        with: Some(Box::new(|builder| builder.administrator(root))),
        ..start
    }
}

/// A server, and the access token of its administrator.
pub(crate) async fn started(start: Start) -> (Server, String) {
    let server = with_root(start).run().await;
    let (_, root) = server.user("root").await;
    (server, root)
}

pub(crate) fn csv(server: &Server, token: &str, body: impl Into<String>) -> Ask {
    let ask = server.request(Method::POST, IMPORT).bearer(token);
    ask.header("content-type", "text/csv; charset=utf-8")
        .body(body.into())
}

/// The lines of the rows, and the last one.
pub(crate) fn lines(answer: &Answer) -> (Vec<Value>, Value) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    let read = |line: &str| serde_json::from_str(line).unwrap();
    let mut lines: Vec<Value> = answer.text().lines().map(read).collect();
    let end = lines.pop().unwrap();
    let rows = lines.iter().map(|line| line["row"].as_u64().unwrap());
    assert!(rows.eq(1..=lines.len() as u64));
    (lines, end)
}

pub(crate) fn statuses(rows: &[Value]) -> Vec<u64> {
    rows.iter()
        .map(|row| row["status"].as_u64().unwrap())
        .collect()
}

pub(crate) fn sums(end: &Value) -> [u64; 4] {
    let import = &end["import"];
    ["rows", "created", "existing", "invalid"].map(|name| import[name].as_u64().unwrap())
}

async fn every_row_is_answered_in_order(store: Store) {
    let mut core = Settings::default();
    // So that there are several batches.
    core.imports.batch_rows = 2;
    let (server, root) = started(Start {
        core,
        ..Start::on(store)
    })
    .await;
    let (ada, _) = server.user("ada").await;
    let body = "email,name,password\r\n\
        bob@example.org,\"Bob \"\"B\"\" Builder\",\r\n\
        ADA@example.org,Somebody else,correct horse\r\n\
        no address,,short\r\n\
        Bob@Example.org,Bob again,\r\n\
        eve@example.org,Eve,correct horse\r\n\
        fay@example.org,Fay,password\r\n\
        too,many,fields,here";
    let answer = csv(&server, &root, body).await;
    let (rows, end) = lines(&answer);
    assert_eq!(statuses(&rows), [201, 200, 422, 200, 201, 422, 422]);
    assert_eq!(rows[1]["id"], ada);
    assert_eq!(rows[3]["id"], rows[0]["id"]);
    let pointers = |row: &Value| {
        let errors = row["errors"].as_array().unwrap().iter();
        let pointer = |error: &Value| error["pointer"].as_str().unwrap().to_owned();
        errors.map(pointer).collect::<Vec<_>>()
    };
    assert_eq!(rows[2]["code"], "invalid");
    assert_eq!(pointers(&rows[2]), ["/name", "/email", "/password"]);
    assert_eq!(rows[5]["errors"][0]["code"], "password_weak");
    assert_eq!(pointers(&rows[6]), [""]);
    assert_eq!(sums(&end), [7, 2, 2, 3]);
    assert_eq!(end["import"]["state"], "done");
    assert_eq!(end.get("problem"), None);
    let progress = server.get(answer.header("location")).bearer(&root).await;
    assert_eq!(progress.json(), end["import"]);

    let path = format!("/api/v1/users/{}", rows[0]["id"].as_str().unwrap());
    let bob = server.get(path).bearer(&root).await.json();
    assert_eq!(bob["name"], "Bob \"B\" Builder");
    assert_eq!(bob["email"], "bob@example.org");
    assert_eq!(bob["is_admin"], false);
    // Who has no password signs in with none; and ada has hers still.
    for (name, status) in [("ada", 200), ("eve", 200), ("bob", 401)] {
        let email = format!("{name}@example.org");
        let credentials = json!({"email": email, "password": "correct horse"});
        let login = server.post("/api/v1/auth/login", &credentials).await;
        assert_eq!(login.status, status, "{name}: {}", login.text());
    }
}

async fn lines_of_json_are_imported_too(store: Store) {
    let (server, root) = started(Start::on(store)).await;
    let body = "{\"name\":\"Ada\",\"email\":\"ada@example.org\"}\n\n\
        {\"name\":\"Bob\"}\nnonsense\n\
        {\"name\":\"Eve\",\"email\":\"eve@example.org\",\"password\":null,\"more\":1}\n\
        {\"name\":\"Fay\",\"email\":\"fay@example.org\",\"password\":\"correct horse\"}";
    let ask = server.request(Method::POST, IMPORT).bearer(&root);
    let ask = ask.header("content-type", "application/x-ndjson");
    let (rows, end) = lines(&ask.header("idempotency-key", ID).body(body).await);
    assert_eq!(statuses(&rows), [201, 422, 422, 422, 201]);
    assert_eq!(rows[1]["errors"][0]["pointer"], "/email");
    assert_eq!(rows[3]["errors"][0]["pointer"], "/more");
    assert_eq!(sums(&end), [5, 2, 0, 3]);
    assert_eq!(end["import"]["id"], ID);
    let ask = server.request(Method::POST, IMPORT).bearer(&root);
    let ask = ask.header("content-type", "application/x-ndjson");
    let (rows, end) = lines(&ask.await);
    assert!(rows.is_empty() && end["import"]["state"] == "done");
}

async fn running_it_again_changes_nothing(store: Store) {
    let (server, root) = started(Start::on(store)).await;
    let body = "name,email\nAda,ada@example.org\nBob,bob@example.org\n";
    let (first, _) = lines(&csv(&server, &root, body).await);
    let again = body.to_uppercase().replace("ADA,", "Countess,");
    let (second, end) = lines(&csv(&server, &root, again).await);
    assert_eq!(statuses(&second), [200, 200]);
    assert_eq!(sums(&end), [2, 0, 2, 0]);
    for (first, second) in first.iter().zip(&second) {
        assert_eq!(first["id"], second["id"]);
    }
    let path = format!("/api/v1/users/{}", first[0]["id"].as_str().unwrap());
    assert_eq!(server.get(path).await.json()["name"], "Ada");
}

async fn imports_are_for_administrators(store: Store) {
    let (server, root) = started(Start::on(store)).await;
    let (_, ada) = server.user("ada").await;
    let body = "name,email\nBob,bob@example.org\n";
    let path = format!("{IMPORT}/{ID}");
    let nobody = server.request(Method::POST, IMPORT);
    let nobody = nobody.header("content-type", "text/csv").body(body);
    nobody.await.refuses(401, "unauthorized");
    let refused = csv(&server, &ada, body).await;
    refused.refuses(403, "forbidden");
    server.get(&*path).await.refuses(401, "unauthorized");
    let refused = server.get(&*path).bearer(&ada).await;
    refused.refuses(403, "forbidden");
    for path in [&*path, "/api/v1/users/import/x"] {
        let unknown = server.get(path).bearer(&root).await;
        unknown.refuses(404, "import_not_found");
    }
    server.user("bob").await;

    let mut core = Settings::default();
    core.features.import = false;
    let start = Start {
        core,
        ..Start::on(store)
    };
    let (server, root) = started(start).await;
    let refused = csv(&server, &root, body).await;
    refused.refuses(403, "feature_off");
    // The application itself still may.
    let users = server.engine.users().unwrap();
    let mut import = users
        .import(&Actor::System, ImportFormat::Csv, None)
        .await
        .unwrap();
    let mut outcomes = Vec::new();
    import.feed(body.into(), &mut outcomes).await.unwrap();
    import.finish(&mut outcomes).await.unwrap();
    assert_eq!(outcomes.len(), 1);
}

/// Sends the head of an import whose body comes in chunks.
pub(crate) async fn begin(server: &Server, token: &str) -> tokio::net::TcpStream {
    let mut stream = server.connect().await;
    let head = format!(
        "POST {IMPORT} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\nidempotency-key: {ID}\r\n\
         content-type: text/csv\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

pub(crate) async fn send(stream: &mut tokio::net::TcpStream, text: &str) {
    let chunk = format!("{:x}\r\n{text}\r\n", text.len());
    stream.write_all(chunk.as_bytes()).await.unwrap();
}

/// What is left to be read, and the last line of it.
pub(crate) async fn read_end(stream: &mut tokio::net::TcpStream) -> (String, Value) {
    let mut text = String::new();
    soon(stream.read_to_string(&mut text)).await.unwrap();
    let line = text.lines().rfind(|line| line.starts_with("{\"import\""));
    let end = serde_json::from_str(line.unwrap_or_else(|| panic!("{text}"))).unwrap();
    (text, end)
}

/// How far the import has come, as soon as it has come so far.
pub(crate) async fn progress_until(
    server: &Server,
    token: &str,
    far: impl Fn(&Value) -> bool,
) -> Value {
    let path = format!("{IMPORT}/{ID}");
    let look = async {
        loop {
            let answer = server.get(&*path).bearer(token).await;
            if answer.status == 200 && far(&answer.json()) {
                return answer.json();
            }
        }
    };
    soon(look).await
}

pub(crate) fn in_twos() -> Settings {
    let mut core = Settings::default();
    core.imports.batch_rows = 2;
    core
}

async fn an_import_whose_client_leaves_can_be_sent_again(store: Store) {
    let start = Start {
        core: in_twos(),
        ..Start::on(store)
    };
    let (server, root) = started(start).await;
    let body = "name,email\nA,a@example.org\nB,b@example.org\nC,c@example.org\n";
    let mut stream = begin(&server, &root).await;
    send(&mut stream, body).await;
    progress_until(&server, &root, |progress| progress["rows"] == 2).await;
    drop(stream);
    let left = progress_until(&server, &root, |progress| progress["state"] == "stopped").await;
    assert_eq!((&left["rows"], &left["created"]), (&json!(2), &json!(2)));
    // The turn is given back a moment after the state is told.
    let again = async {
        loop {
            let answer = csv(&server, &root, body)
                .header("idempotency-key", ID)
                .await;
            if answer.status != 503 {
                return answer;
            }
        }
    };
    let (rows, end) = lines(&soon(again).await);
    assert_eq!(statuses(&rows), [200, 200, 201]);
    assert_eq!(end["import"]["state"], "done");
}

async fn one_import_runs_at_a_time_and_its_progress_is_read(store: Store) {
    let start = Start {
        core: in_twos(),
        ..Start::on(store)
    };
    let (server, root) = started(start).await;
    let mut stream = begin(&server, &root).await;
    send(
        &mut stream,
        "name,email\nA,a@example.org\nB,b@example.org\nC,",
    )
    .await;
    let running = progress_until(&server, &root, |progress| progress["rows"] == 2).await;
    assert_eq!(running["state"], "running");
    let second = csv(&server, &root, "name,email\n").await;
    second.refuses(503, "overloaded");
    send(&mut stream, "c@example.org").await;
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    let (_, end) = read_end(&mut stream).await;
    assert_eq!(sums(&end), [3, 3, 0, 0]);
    let done = progress_until(&server, &root, |progress| progress["state"] == "done").await;
    assert_eq!(done, end["import"]);
    let (rows, _) = lines(&csv(&server, &root, "name,email\n").await);
    assert!(rows.is_empty());
}

async fn twenty_thousand_rows_are_imported(store: Store) {
    let (server, root) = started(Start::on(store)).await;
    let count = 20_000;
    let body: String = (0..count).fold("name,email\n".into(), |mut body, n| {
        let _ = writeln!(body, "User {n},user{n}@example.org");
        body
    });
    for status in [201, 200] {
        let (rows, end) = lines(&csv(&server, &root, body.clone()).await);
        assert_eq!(rows.len(), count);
        assert!(rows.iter().all(|row| row["status"] == status));
        assert_eq!(end["import"]["state"], "done");
    }
}
