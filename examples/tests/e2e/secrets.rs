//! The log of a whole run, at its most talkative: no secret that was used is in it, and no line that somebody smuggled in.

use std::fmt::Write as _;
use std::path::PathBuf;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::store::Store;
use crate::support::bed::Bed;
use crate::support::client::Client;
use crate::support::process::{ServerProcess, Starting};
use crate::support::soon;

on_every_store! {
    no_secret_is_in_the_log
    nobody_writes_lines_into_the_log
}

const JWT_SECRET: &str = "jwt-secret-jwt-secret-jwt-secret-jwt";
const DATABASE_PASSWORD: &str = "database-secret";
const ADMINISTRATOR: &str = "root@example.org";

/// What begins the lines with the one-time link and the invitation, which are there by design: see
/// `examples/server/links.rs`.
const LINK: &str = "one-time link (password reset)";
const INVITATION: &str = "invitation: POST";

/// A server that logs all that it can.
struct Talkative {
    server: ServerProcess,
    file: PathBuf,
    _folder: TempDir,
}

impl Talkative {
    async fn on(bed: &Bed) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("log");
        let keys = format!("first:{JWT_SECRET}");
        let flags = ["--jwt-keys", &keys, "--admin-email", ADMINISTRATOR];
        // The cluster asks for no password, and so takes every one.
        let url = bed
            .url()
            .replacen('@', &format!(":{DATABASE_PASSWORD}@"), 1);
        let into = format!("2>'{}'", file.display());
        let server = Starting::logging(&url, &flags, "trace", &into);
        Self {
            server: server.greets().await,
            file,
            _folder: folder,
        }
    }

    fn log(&self) -> String {
        let bytes = std::fs::read(&self.file).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    async fn client(&self) -> Client {
        Client::connect(self.server.address).await.unwrap()
    }

    /// Stops it, and returns all that it has logged.
    async fn ends(self) -> String {
        let Self {
            server,
            file,
            _folder,
        } = self;
        assert!(server.stop().await.success());
        String::from_utf8(std::fs::read(file).unwrap()).unwrap()
    }
}

/// All secrets that were sent, or came back.
#[derive(Default)]
struct Secrets(Vec<(String, String)>);

impl Secrets {
    fn note(&mut self, what: &str, secret: impl Into<String>) -> String {
        let secret = secret.into();
        assert!(secret.len() > 7, "{what} can be looked for");
        self.0.push((what.to_owned(), secret.clone()));
        secret
    }

    /// Both tokens of an answer to a sign-in: the access token first.
    fn signed_in(&mut self, answer: &Value) -> [String; 2] {
        ["access_token", "refresh_token"].map(|name| {
            let token = answer[name].as_str().unwrap();
            // Neither the whole, nor what alone would do for an attacker.
            let last = token.rsplit('.').next().unwrap();
            self.note(name, last);
            self.note(name, token)
        })
    }

    /// What is found of them in a log, and where.
    fn found_in(&self, log: &str) -> String {
        let mut found = String::new();
        for (what, secret) in &self.0 {
            for line in log.lines().filter(|line| line.contains(secret.as_str())) {
                writeln!(found, "{what}: {line}").unwrap();
            }
        }
        found
    }
}

/// A request that is done.
async fn done(client: &mut Client, method: Method, path: &str, body: Value) -> Value {
    let body = Some(&body).filter(|body| !body.is_null());
    let (status, answer) = client.send(method, path, body).await.unwrap();
    assert!(status.is_success(), "{path}: {status} {answer}");
    answer
}

/// Signing up, in, and on, with a wrong password too. Returns the password and an access token.
async fn sign_ins(talkative: &Talkative, secrets: &mut Secrets) -> [String; 2] {
    let mut client = talkative.client().await;
    let email = secrets.note("address", "ada.lovelace@example.org");
    let password = secrets.note("password", "first horse battery");
    let new = json!({"name": "Ada", "email": email, "password": password});
    done(&mut client, Method::POST, "/users", new.clone()).await;
    let (taken, _) = client.post("/users", &new).await;
    assert_eq!(taken, StatusCode::CONFLICT);
    let wrong = secrets.note("wrong password", "wrong horse battery");
    let wrong = json!({"email": email, "password": wrong});
    assert_eq!(
        client.post("/auth/login", &wrong).await.0,
        StatusCode::UNAUTHORIZED
    );
    let unknown = secrets.note("unknown address", "nobody.here@example.org");
    let unknown = json!({"email": unknown, "password": password});
    assert_eq!(
        client.post("/auth/login", &unknown).await.0,
        StatusCode::UNAUTHORIZED
    );
    let credentials = json!({"email": email, "password": password});
    let answer = done(&mut client, Method::POST, "/auth/login", credentials).await;
    let [_, spent] = secrets.signed_in(&answer);
    let refresh = json!({"refresh_token": spent});
    let answer = done(&mut client, Method::POST, "/auth/refresh", refresh.clone()).await;
    let [access, next] = secrets.signed_in(&answer);
    // One that comes back is warned of.
    done(
        &mut client,
        Method::POST,
        "/auth/refresh",
        json!({"refresh_token": next}),
    )
    .await;
    assert_eq!(
        client.post("/auth/refresh", &refresh).await.0,
        StatusCode::UNAUTHORIZED
    );
    [password, access]
}

/// A password that is changed, and one that is forgotten; signing out. Returns an access token.
async fn passwords(talkative: &Talkative, secrets: &mut Secrets) -> String {
    let [password, access] = sign_ins(talkative, secrets).await;
    let mut client = talkative.client().await;
    let mut ada = talkative.client().await.bearer(&access);
    let second = secrets.note("new password", "second horse battery");
    let change = json!({"current_password": password, "new_password": second});
    let answer = done(&mut ada, Method::POST, "/auth/password", change).await;
    secrets.signed_in(&answer);
    let moved = secrets.note("new address", "countess@example.org");
    let edit = json!({"email": moved, "current_password": second});
    done(&mut ada, Method::PATCH, "/users/me", edit).await;

    // A link, which the server prints into this very log.
    done(
        &mut client,
        Method::POST,
        "/auth/password-reset",
        json!({"email": moved}),
    )
    .await;
    let link = soon(async {
        loop {
            let log = talkative.log();
            let line = log.lines().find(|line| line.contains(LINK));
            if let Some((_, link)) = line.and_then(|line| line.split_once("token=\"")) {
                break link.split('"').next().unwrap().to_owned();
            }
            tokio::task::yield_now().await;
        }
    });
    let link = secrets.note("link", link.await);
    assert!(link.starts_with("pl_"), "{link}");
    let third = secrets.note("third password", "third horse battery");
    let set = json!({"token": link, "new_password": third});
    done(
        &mut client,
        Method::POST,
        "/auth/password-reset/confirm",
        set.clone(),
    )
    .await;
    let used = client.post("/auth/password-reset/confirm", &set).await.0;
    assert_eq!(used, StatusCode::UNPROCESSABLE_ENTITY);
    let credentials = json!({"email": moved, "password": third});
    let answer = done(&mut client, Method::POST, "/auth/login", credentials).await;
    let [access, refresh] = secrets.signed_in(&answer);
    let refresh = json!({"refresh_token": refresh});
    done(&mut client, Method::POST, "/auth/logout", refresh).await;
    access
}

/// Polls with all kinds of tokens, and votes.
async fn polls(talkative: &Talkative, secrets: &mut Secrets, access: &str) {
    let mut ada = talkative.client().await.bearer(access);
    let mut nobody = talkative.client().await;
    let new = json!({"question": "Q?", "options": ["A", "B"], "publish": true});
    let poll = done(&mut nobody, Method::POST, "/polls", new.clone()).await;
    let manage = secrets.note("manage token", poll["manage_token"].as_str().unwrap());
    let path = format!("/polls/{}", poll["id"].as_str().unwrap());
    let voter = secrets.note("voter", "a-voter-who-is-not-named");
    let vote = json!({"option_id": poll["options"][0]["id"], "voter": voter});
    done(&mut nobody, Method::POST, &format!("{path}/votes"), vote).await;
    done(
        &mut nobody,
        Method::GET,
        &format!("{path}/vote?voter={voter}"),
        Value::Null,
    )
    .await;
    let mut manager = talkative.client().await.bearer(&manage);
    done(
        &mut manager,
        Method::POST,
        &format!("{path}/close"),
        Value::Null,
    )
    .await;

    let mut for_tokens = new;
    for_tokens["voters"] = "tokens".into();
    let poll = done(&mut ada, Method::POST, "/polls", for_tokens).await;
    let path = format!("/polls/{}", poll["id"].as_str().unwrap());
    let made = json!({"count": 2, "link_template": "https://vote.example/#{token}"});
    let made = done(&mut ada, Method::POST, &format!("{path}/tokens"), made).await;
    let [used, revoked] = [0, 1].map(|at| made["tokens"][at].as_str().unwrap());
    let mut holder = talkative
        .client()
        .await
        .bearer(secrets.note("vote token", used));
    let vote = json!({"option_id": poll["options"][0]["id"]});
    done(
        &mut holder,
        Method::POST,
        &format!("{path}/votes"),
        vote.clone(),
    )
    .await;
    secrets.note("revoked vote token", revoked);
    let body = json!({"tokens": [revoked]});
    done(
        &mut ada,
        Method::POST,
        &format!("{path}/tokens/revoke"),
        body,
    )
    .await;
    let mut holder = talkative.client().await.bearer(revoked);
    let refused = holder.post(&format!("{path}/votes"), &vote).await.0;
    assert_eq!(refused, StatusCode::UNAUTHORIZED);
}

/// An invitation that is answered, and the end of an account.
async fn invitations(talkative: &Talkative, secrets: &mut Secrets, access: &str) {
    let mut ada = talkative.client().await.bearer(access);
    let workspace = json!({"name": "Kitchen"});
    let workspace = done(&mut ada, Method::POST, "/workspaces", workspace).await;
    let workspace = format!("/workspaces/{}", workspace["id"].as_str().unwrap());
    let path = format!("{workspace}/invitations");
    let grace = secrets.note("invited address", "grace.hopper@example.org");
    let invited = json!({"email": grace, "role": "viewer"});
    let invited = done(&mut ada, Method::POST, &path, invited).await;
    let id = secrets.note("invitation", invited["id"].as_str().unwrap());
    let path = format!("/invitations/{id}");
    assert_eq!(ada.get(&path).await.0, StatusCode::NOT_FOUND);

    let mut nobody = talkative.client().await;
    let new = json!({"name": "Grace", "email": grace, "password": "fourth horse battery"});
    done(&mut nobody, Method::POST, "/users", new).await;
    let credentials = json!({"email": grace, "password": "fourth horse battery"});
    let answer = done(&mut nobody, Method::POST, "/auth/login", credentials).await;
    let [access, _] = secrets.signed_in(&answer);
    let mut grace = talkative.client().await.bearer(&access);
    done(&mut grace, Method::GET, &path, Value::Null).await;
    let accept = format!("{path}/accept");
    done(&mut grace, Method::POST, &accept, Value::Null).await;
    let decline = format!("{path}/decline");
    let declined = grace.send(Method::POST, &decline, None).await.unwrap();
    assert_eq!(declined.0, StatusCode::NOT_FOUND);
    done(&mut ada, Method::DELETE, &workspace, Value::Null).await;
    done(&mut ada, Method::DELETE, "/users/me", Value::Null).await;
}

async fn no_secret_is_in_the_log(store: Store) {
    let bed = Bed::on(store).await;
    let talkative = Talkative::on(&bed).await;
    let mut secrets = Secrets::default();
    secrets.note("JWT key", JWT_SECRET);
    secrets.note("database password", DATABASE_PASSWORD);
    secrets.note("administrator", ADMINISTRATOR);
    secrets.note("password hash", "$argon2id");
    let access = passwords(&talkative, &mut secrets).await;
    polls(&talkative, &mut secrets, &access).await;
    invitations(&talkative, &mut secrets, &access).await;
    let log = talkative.ends().await;
    for said in ["DEBUG", "answered", "a refresh token came back"] {
        assert!(log.contains(said), "it talked about all of it: {said}");
    }
    let is_delivery = |line: &&str| line.contains(LINK) || line.contains(INVITATION);
    let (links, log): (Vec<&str>, Vec<&str>) = log.lines().partition(is_delivery);
    assert_eq!(links.len(), 2, "{links:?}");
    let found = secrets.found_in(&log.join("\n"));
    assert!(found.is_empty(), "{found}");
}

/// What ends a line, or colours one, percent-encoded and not.
const BREAKS: &str = "%0d%0aFORGED%1b[31m";

async fn nobody_writes_lines_into_the_log(store: Store) {
    let bed = Bed::on(store).await;
    let talkative = Talkative::on(&bed).await;
    let mut client = talkative.client().await;
    for path in [
        format!("/polls/{BREAKS}"),
        format!("/{BREAKS}"),
        format!("/polls?cursor={BREAKS}"),
        format!("/users/{BREAKS}"),
    ] {
        assert!(client.get(&path).await.0.is_client_error());
    }
    let text = "a\r\nFORGED\u{1b}[31m\u{85}\u{2028}";
    for (path, body) in [
        (
            "/polls",
            json!({"question": text, "options": [text, "b"], "description": text}),
        ),
        (
            "/users",
            json!({"name": text, "email": text, "password": text}),
        ),
        ("/users", json!({text: text})),
        ("/auth/login", json!({"email": text, "password": text})),
        ("/auth/refresh", json!({"refresh_token": text})),
        ("/auth/password-reset", json!({"email": text})),
    ] {
        assert!(client.post(path, &body).await.0.is_client_error(), "{path}");
    }
    let heads: [&[u8]; 6] = [
        b"GET /healthz HTTP/1.1\r\nuser-agent: a\x1b[31mFORGED\r\n",
        b"GET /healthz HTTP/1.1\r\nuser-agent: a\rFORGED\r\n",
        b"GET /healthz HTTP/1.1\r\nuser-agent: a\x7f\xc2\x85FORGED\r\n",
        b"GET /healthz HTTP/1.1\r\nx-request-id: a\x1b[31mFORGED\r\n",
        b"GET /heal\x1b[31mthz HTTP/1.1\r\n",
        b"FOR\x1bGED /healthz HTTP/1.1\r\n",
    ];
    for head in heads {
        let mut stream = TcpStream::connect(talkative.server.address).await.unwrap();
        let rest = b"host: a\r\nconnection: close\r\n\r\n";
        stream.write_all(&[head, rest].concat()).await.unwrap();
        let mut answer = Vec::new();
        soon(stream.read_to_end(&mut answer)).await.unwrap();
        assert!(!answer.contains(&0x1b), "{head:?}");
    }
    let log = talkative.ends().await;
    for line in log.lines() {
        // Every line is one that the server began, with the time.
        let begins = line.as_bytes().get(..20).unwrap_or_default();
        let is_time = begins.first() == Some(&b'2') && begins.get(10) == Some(&b'T');
        assert!(is_time, "{line:?}");
        let is_plain = |c: char| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}');
        assert!(line.chars().all(is_plain), "{line:?}");
    }
}
