//! SQL in everything that is sent: it comes back as it was, or is refused, and nothing else happens.

use http::Method;
use serde_json::{Value, json};

use crate::store::Store;
use crate::support::{Poll, Server};
use crate::team::{Team, text};

on_every_store! {
    sql_in_texts_is_text
    sql_in_ids_queries_and_headers_finds_nothing
}

/// What ends a string, a statement or a placeholder in either of the stores.
const SQL: [&str; 8] = [
    "'; DROP TABLE polls; --",
    "\"; DROP TABLE users CASCADE; --",
    "x') ON CONFLICT DO NOTHING; DELETE FROM votes; --",
    "' OR '1'='1",
    "$1 ?1 :name @name {schema} %s %",
    "\\'; COMMIT; \\",
    "$$; SELECT pg_sleep(60); $$",
    "' UNION SELECT password FROM users --",
];

/// All that there is of the team, which must be the same before and after.
async fn everything(team: &Team, poll: &Poll) -> Vec<Value> {
    let mut seen = Vec::new();
    for rest in ["", "/members", "/projects", "/invitations"] {
        let read = team.gets(&team.olga, rest).await;
        assert_eq!(read.status, 200, "{}", read.text());
        seen.push(read.json());
    }
    for path in [poll.path(""), poll.path("/results")] {
        let read = team.server.get(path).await;
        assert_eq!(read.status, 200, "{}", read.text());
        seen.push(read.json());
    }
    seen
}

/// A poll for anyone, with one vote in it.
async fn voted(server: &Server) -> Poll {
    let poll = server.poll(json!({"allow_change": true})).await;
    let vote = server.post(poll.path("/votes"), &poll.vote(0, "ada")).await;
    assert_eq!(vote.status, 201, "{}", vote.text());
    poll
}

/// Fails unless the counters are what a recount finds, and every row belongs to something.
async fn agrees(server: &Server, poll: &Poll, ballots: u64) {
    let results = server.store.results();
    let recount = results.recount(poll.id.parse().unwrap()).await.unwrap();
    let recount = recount.unwrap();
    assert!(
        recount.agrees() && recount.ballots == ballots,
        "{recount:?}"
    );
    assert_eq!(results.orphans().await.unwrap(), 0);
}

async fn sql_in_texts_is_text(store: Store) {
    let team = Team::on(store).await;
    let untouched = voted(&team.server).await;
    let before = everything(&team, &untouched).await;
    for sql in SQL {
        let poll = is_a_poll(&team.server, sql).await;
        is_a_name(&team, sql).await;
        is_nothing_else(&team, &poll, sql).await;
    }
    may_be_an_address(&team).await;
    assert_eq!(everything(&team, &untouched).await, before);
    agrees(&team.server, &untouched, 1).await;
}

/// A poll of it, in which a voter of that name votes.
async fn is_a_poll(server: &Server, sql: &str) -> Poll {
    let fields = json!({"question": sql, "description": sql, "options": [sql, "B"]});
    let poll = server.poll(fields).await;
    let vote = async || server.post(poll.path("/votes"), &poll.vote(0, sql)).await;
    let (first, again) = (vote().await, vote().await);
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (201, 200));
    assert_eq!(first.json()["voter"], sql);
    assert_eq!(again.json(), first.json());
    agrees(server, &poll, 1).await;
    let read = server.get(poll.path("")).await.json();
    let texts = [
        &read["question"],
        &read["description"],
        &read["options"][0]["text"],
    ];
    assert_eq!(texts, [sql; 3]);
    let patch = server.request(Method::PATCH, poll.path(""));
    let patch = patch.json(&json!({"description": format!("{sql} {sql}")}));
    assert_eq!(patch.bearer(&poll.token).await.status, 200);
    poll
}

/// Somebody of that name, who calls all that is theirs so.
async fn is_a_name(team: &Team, sql: &str) {
    let (server, name) = (&team.server, json!({"name": sql}));
    let own = server.request(Method::PATCH, "/api/v1/users/me");
    let own = own.json(&name).bearer(&team.eve.token).await;
    assert_eq!(own.json()["name"], sql);
    let user = server.get(format!("/api/v1/users/{}", team.eve.id)).await;
    assert_eq!(user.json()["name"], sql);
    let post = async |path: &str| {
        let made = server.post(path, &name).bearer(&team.eve.token).await;
        assert_eq!(made.status, 201, "{}", made.text());
        assert_eq!(made.json()["name"], sql);
        made
    };
    let workspace = post("/api/v1/workspaces").await;
    let projects = format!("{}/projects", workspace.header("location"));
    let project = post(&projects).await;
    let listed = server.get(&*projects).bearer(&team.eve.token).await;
    assert_eq!(listed.json()["items"], json!([project.json()]));
}

/// It is no address, no password, no token and no template.
async fn is_nothing_else(team: &Team, poll: &Poll, sql: &str) {
    let server = &team.server;
    team.invites(sql, "viewer").await.refuses(422, "invalid");
    let role = team.invites("ivy@example.org", sql).await;
    role.refuses(422, "invalid");
    for (path, body, status) in [
        ("login", json!({"email": sql, "password": sql}), 401),
        ("refresh", json!({"refresh_token": sql}), 401),
        ("password-reset", json!({"email": sql}), 422),
        (
            "password-reset/confirm",
            json!({"token": sql, "new_password": "another horse"}),
            422,
        ),
    ] {
        let answer = server.post(format!("/api/v1/auth/{path}"), &body).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
    }
    let tokens = json!({"count": 1, "link_template": sql});
    let tokens = server.post(poll.path("/tokens"), &tokens);
    tokens.bearer(&poll.token).await.refuses(422, "invalid");
}

/// Addresses may hold more than one thinks.
async fn may_be_an_address(team: &Team) {
    let server = &team.server;
    for email in [
        "o'brien--@example.org",
        "\"'; drop table users; --\"@example.org",
    ] {
        let new = json!({"name": "O'Brien", "email": email, "password": "correct horse"});
        assert_eq!(server.post("/api/v1/users", &new).await.status, 201);
        let credentials = json!({"email": email.to_uppercase(), "password": "correct horse"});
        let signed_in = server.post("/api/v1/auth/login", &credentials).await;
        let token = text(&signed_in.json()["access_token"]);
        let me = server.get("/api/v1/users/me").bearer(&token).await;
        assert_eq!(me.json()["email"], email);
        let invited = team.invites(email, "viewer").await.json();
        assert_eq!(invited["email"], email);
        let rest = format!("/invitations/{}", text(&invited["id"]));
        let found = server.get(format!("/api/v1{rest}")).bearer(&token).await;
        assert_eq!(found.json(), invited);
        assert_eq!(team.deletes(&team.olga, &rest).await.status, 204);
    }
}

async fn sql_in_ids_queries_and_headers_finds_nothing(store: Store) {
    let team = Team::on(store).await;
    let poll = voted(&team.server).await;
    let before = everything(&team, &poll).await;
    for sql in SQL {
        let encoded: String = sql.bytes().map(|byte| format!("%{byte:02x}")).collect();
        is_no_id(&team, &poll, &encoded).await;
        for body in [
            json!({"option_id": sql, "voter": "eve"}),
            json!({"option_id": poll.options[0], "voter": "eve", "ballot_id": sql}),
        ] {
            let vote = team.server.post(poll.path("/votes"), &body).await;
            assert!(vote.status.is_client_error(), "{}", vote.text());
        }
        is_no_credential(&team.server, &poll, sql).await;
    }
    assert_eq!(everything(&team, &poll).await, before);
    agrees(&team.server, &poll, 1).await;
}

/// In a path or a query it names nothing.
async fn is_no_id(team: &Team, poll: &Poll, encoded: &str) {
    let workspace = &team.path;
    let name = json!({"name": "Mine"});
    for (method, path) in [
        ("GET", format!("/api/v1/polls/{encoded}")),
        ("DELETE", format!("/api/v1/polls/{encoded}")),
        ("GET", format!("/api/v1/users/{encoded}")),
        ("DELETE", format!("/api/v1/users/{encoded}")),
        ("PATCH", format!("/api/v1/workspaces/{encoded}")),
        ("DELETE", format!("{workspace}/members/{encoded}")),
        ("PATCH", format!("{workspace}/projects/{encoded}")),
        ("DELETE", format!("{workspace}/invitations/{encoded}")),
        ("GET", format!("/api/v1/invitations/{encoded}")),
        ("POST", format!("/api/v1/invitations/{encoded}/accept")),
        ("GET", format!("{workspace}/members?cursor={encoded}")),
        ("GET", format!("/api/v1/polls?limit={encoded}")),
        ("GET", format!("/api/v1/polls?cursor={encoded}")),
        ("GET", format!("/api/v1/polls?project_id={encoded}")),
        ("GET", poll.path(&format!("/vote?voter={encoded}"))),
        ("DELETE", poll.path(&format!("/vote?voter={encoded}"))),
        (
            "GET",
            poll.path(&format!("/events?after_revision={encoded}")),
        ),
    ] {
        let ask = team.server.request(method.parse().unwrap(), &*path);
        let ask = if method == "PATCH" {
            ask.json(&name)
        } else {
            ask
        };
        let answer = ask.bearer(&team.olga.token).await;
        let refused = answer.status.is_client_error();
        assert!(refused, "{method} {path}: {}", answer.text());
    }
}

/// In a header that says nothing of what is asked for it does nothing; in the others it is refused.
async fn is_no_credential(server: &Server, poll: &Poll, sql: &str) {
    let read = |name| server.get(poll.path("/results")).header(name, sql);
    for name in [
        "if-none-match",
        "user-agent",
        "x-request-id",
        "x-forwarded-for",
    ] {
        assert_eq!(read(name).await.status, 200, "{name}");
    }
    read("authorization").await.refuses(401, "unauthorized");
    for prefix in ["", "pm_", "pv_", "pr_"] {
        let ask = server.get(poll.path(""));
        let ask = ask.bearer(&format!("{prefix}{sql}")).await;
        ask.refuses(401, "unauthorized");
    }
    let vote = server.post(poll.path("/votes"), &poll.vote(0, "eve"));
    let vote = vote.header("idempotency-key", sql).await;
    vote.refuses(422, "invalid");
}
