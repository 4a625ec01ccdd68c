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
    let (server, olga) = (&team.server, &team.olga);
    let untouched = voted(server).await;
    let before = everything(&team, &untouched).await;
    for sql in SQL {
        // A poll of it, in which a voter of that name votes.
        let fields = json!({"question": sql, "description": sql, "options": [sql, "B"]});
        let poll = server.poll(fields).await;
        let vote = server.post(poll.path("/votes"), &poll.vote(0, sql)).await;
        assert_eq!(
            (vote.status.as_u16(), &vote.json()["voter"]),
            (201, &json!(sql))
        );
        let again = server.post(poll.path("/votes"), &poll.vote(0, sql)).await;
        assert_eq!(again.json(), vote.json());
        agrees(server, &poll, 1).await;
        let read = server.get(poll.path("")).await.json();
        assert_eq!(
            [
                &read["question"],
                &read["description"],
                &read["options"][0]["text"]
            ],
            [sql; 3]
        );
        let patch = server
            .request(Method::PATCH, poll.path(""))
            .json(&json!({"description": sql}));
        assert_eq!(patch.bearer(&poll.token).await.status, 200);

        // Somebody of that name, who calls all that is theirs so.
        let own = server
            .request(Method::PATCH, "/api/v1/users/me")
            .json(&json!({"name": sql}));
        assert_eq!(own.bearer(&team.eve.token).await.json()["name"], sql);
        let user = server.get(format!("/api/v1/users/{}", team.eve.id)).await;
        assert_eq!(user.json()["name"], sql);
        let name = json!({"name": sql});
        let made = server
            .post("/api/v1/workspaces", &name)
            .bearer(&team.eve.token)
            .await;
        assert_eq!(
            (made.status.as_u16(), &made.json()["name"]),
            (201, &json!(sql))
        );
        let projects = format!("{}/projects", made.header("location"));
        let project = server.post(&*projects, &name).bearer(&team.eve.token).await;
        assert_eq!(
            (project.status.as_u16(), &project.json()["name"]),
            (201, &json!(sql))
        );
        let listed = server.get(&*projects).bearer(&team.eve.token).await;
        assert_eq!(listed.json()["items"], json!([project.json()]));

        // What is no address, no password and no template is refused.
        let credentials = json!({"email": sql, "password": sql});
        let signed_in = server.post("/api/v1/auth/login", &credentials).await;
        signed_in.refuses(401, "unauthorized");
        team.invites(sql, "viewer").await.refuses(422, "invalid");
        team.invites("ivy@example.org", sql)
            .await
            .refuses(422, "invalid");
        let reset = server
            .post("/api/v1/auth/password-reset", &json!({"email": sql}))
            .await;
        reset.refuses(422, "invalid");
        let set = json!({"token": sql, "new_password": "another horse"});
        let set = server
            .post("/api/v1/auth/password-reset/confirm", &set)
            .await;
        set.refuses(422, "invalid");
        let spent = server
            .post("/api/v1/auth/refresh", &json!({"refresh_token": sql}))
            .await;
        spent.refuses(401, "unauthorized");
        let tokens = json!({"count": 1, "link_template": sql});
        let tokens = server
            .post(poll.path("/tokens"), &tokens)
            .bearer(&poll.token)
            .await;
        tokens.refuses(422, "invalid");
    }
    // Addresses may hold more than one thinks.
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
        let invited = team.invites(email, "viewer").await;
        assert_eq!(invited.json()["email"], email);
        let found = server.get("/api/v1/invitations").bearer(&token).await;
        assert_eq!(found.json()["items"], json!([invited.json()]));
        let rest = format!("/invitations/{}", text(&invited.json()["id"]));
        assert_eq!(team.deletes(olga, &rest).await.status, 204);
    }
    assert_eq!(everything(&team, &untouched).await, before);
    agrees(server, &untouched, 1).await;
}

async fn sql_in_ids_queries_and_headers_finds_nothing(store: Store) {
    let team = Team::on(store).await;
    let (server, olga) = (&team.server, &team.olga);
    let poll = voted(server).await;
    let before = everything(&team, &poll).await;
    for sql in SQL {
        let encoded: String = sql.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let asked = async |method: Method, path: String, body: Value| {
            let ask = server.request(method, &*path);
            let ask = if body.is_null() { ask } else { ask.json(&body) };
            let answer = ask.bearer(&olga.token).await;
            assert!(answer.status.is_client_error(), "{path}: {}", answer.text());
        };
        let name = || json!({"name": "Mine"});
        let workspace = team.path.clone();
        for (method, path, body) in [
            (Method::GET, format!("/api/v1/polls/{encoded}"), Value::Null),
            (
                Method::DELETE,
                format!("/api/v1/polls/{encoded}"),
                Value::Null,
            ),
            (Method::GET, format!("/api/v1/users/{encoded}"), Value::Null),
            (
                Method::DELETE,
                format!("/api/v1/users/{encoded}"),
                Value::Null,
            ),
            (
                Method::PATCH,
                format!("/api/v1/workspaces/{encoded}"),
                name(),
            ),
            (
                Method::DELETE,
                format!("{workspace}/members/{encoded}"),
                Value::Null,
            ),
            (
                Method::PATCH,
                format!("{workspace}/projects/{encoded}"),
                name(),
            ),
            (
                Method::DELETE,
                format!("{workspace}/invitations/{encoded}"),
                Value::Null,
            ),
            (
                Method::POST,
                format!("/api/v1/invitations/{encoded}/accept"),
                Value::Null,
            ),
            (
                Method::GET,
                format!("{workspace}/members?cursor={encoded}"),
                Value::Null,
            ),
            (
                Method::GET,
                format!("/api/v1/polls?limit={encoded}"),
                Value::Null,
            ),
            (
                Method::GET,
                format!("/api/v1/polls?cursor={encoded}"),
                Value::Null,
            ),
            (
                Method::GET,
                format!("/api/v1/polls?project_id={encoded}"),
                Value::Null,
            ),
            (
                Method::GET,
                poll.path(&format!("/vote?voter={encoded}")),
                Value::Null,
            ),
            (
                Method::DELETE,
                poll.path(&format!("/vote?voter={encoded}")),
                Value::Null,
            ),
            (
                Method::GET,
                poll.path(&format!("/events?after_revision={encoded}")),
                Value::Null,
            ),
            (
                Method::POST,
                poll.path("/votes"),
                json!({"option_id": sql, "voter": "eve"}),
            ),
            (
                Method::POST,
                poll.path("/votes"),
                json!({
                    "option_id": poll.options[0], "voter": "eve", "ballot_id": sql,
                }),
            ),
        ] {
            asked(method, path, body).await;
        }
        // Headers hold what can be printed; a request is answered by what is known of it.
        let header = |name| server.get(poll.path("/results")).header(name, sql);
        assert_eq!(header("if-none-match").await.status, 200);
        assert_eq!(header("user-agent").await.status, 200);
        assert_eq!(header("x-request-id").await.status, 200);
        assert_eq!(header("x-forwarded-for").await.status, 200);
        header("authorization").await.refuses(401, "unauthorized");
        for prefix in ["", "pm_", "pv_", "pr_"] {
            let ask = server.get(poll.path("")).bearer(&format!("{prefix}{sql}"));
            ask.await.refuses(401, "unauthorized");
        }
        let vote = server.post(poll.path("/votes"), &poll.vote(0, "eve"));
        let vote = vote.header("idempotency-key", sql).await;
        vote.refuses(422, "invalid");
    }
    assert_eq!(everything(&team, &poll).await, before);
    agrees(server, &poll, 1).await;
}
