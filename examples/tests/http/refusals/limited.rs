//! What was done as often as it may be, and what is switched off.

use std::time::Duration;

use http::Method;
use polling_core::limits::Limit;
use polling_core::users::{Email, Link};
use polling_core::{Clock, FakeClock, Settings, Timestamp, TokenHash};
use serde_json::{Value, json};

use super::case::{Case, at};
use crate::store::Store;
use crate::support::{Poll, Server, Start};
use crate::team::{Person, text};
use crate::vote_tokens::poll_with;

const LINK: &str = "pl_of_ada";
const TICKET: &str = "/api/v1/auth/ticket";

/// Where everything may be done once, and was.
pub(super) struct Limited {
    server: Server,
    ada: Person,
    poll: Poll,
    for_tokens: Poll,
    workspace: String,
}

impl Limited {
    pub(super) async fn on(store: Store) -> Self {
        let mut core = Settings::default();
        let (limits, once) = (&mut core.limits, Some(Limit::per_minute(1)));
        limits.loopback = true;
        limits.sign_up = once;
        limits.login = once;
        limits.password_reset = once;
        limits.refresh = once;
        limits.create_poll = once;
        limits.manage = once;
        limits.invite = once;
        limits.vote = once;
        limits.ticket = once;
        limits.anonymous_tokens = once;
        limits.list = once;
        // Nothing is forgotten while the test runs.
        let clock = FakeClock::default();
        let start = Start {
            core,
            clock: Some(clock.clone()),
            ..Start::on(store)
        };
        let server = start.run().await;
        let ada = Person::signs_up(&server, "ada").await;
        keep_link(&server, &ada, clock.now()).await;
        let mut world = Self {
            poll: Poll::of(&created(&server, &ada).await),
            for_tokens: poll_with(&server, 1, json!({})).await.0,
            server,
            ada,
            workspace: String::new(),
        };
        world.does_the_rest().await;
        world
    }

    async fn does_the_rest(&mut self) {
        let send = async |method: Method, path: &str, body: Value, status: u16| {
            let ask = self.server.request(method, path).json(&body);
            let is_hers = path.contains("polls/") && !path.ends_with("/votes")
                || path.contains("/workspaces");
            let ask = if is_hers {
                ask.bearer(&self.ada.token)
            } else {
                ask
            };
            let answer = ask.await;
            assert_eq!(answer.status, status, "{path}: {}", answer.text());
            answer
        };
        let post = Method::POST;
        let workspaces = "/api/v1/workspaces";
        let made = send(post.clone(), workspaces, json!({"name": "Kitchen"}), 201).await;
        let workspace = text(&made.json()["id"]);
        let invited = json!({"email": "bob@example.org", "role": "viewer"});
        let path = format!("{workspaces}/{workspace}/invitations");
        send(post.clone(), &path, invited, 201).await;
        let wrong = json!({"email": "ada@example.org", "password": "wrong horse"});
        send(post.clone(), "/api/v1/auth/login", wrong, 401).await;
        let reset = json!({"email": "ada@example.org"});
        send(post.clone(), "/api/v1/auth/password-reset", reset, 202).await;
        let weak = json!({"token": LINK, "new_password": "password"});
        let confirm = "/api/v1/auth/password-reset/confirm";
        send(post.clone(), confirm, weak, 422).await;
        let ticket = self.server.request(post.clone(), TICKET);
        let ticket = ticket.bearer(&self.ada.token).await;
        assert_eq!(ticket.status, 201, "{}", ticket.text());
        let spent = json!({"refresh_token": "pr_none"});
        send(post.clone(), "/api/v1/auth/refresh", spent, 401).await;
        let patch = json!({"description": "x"});
        send(Method::PATCH, &self.poll.path(""), patch, 200).await;
        let vote = self.poll.vote(0, "ada");
        send(post, &self.poll.path("/votes"), vote, 201).await;
        for person in [None, Some(&self.ada)] {
            let listing = self.server.get("/api/v1/polls");
            let listing = match person {
                Some(person) => listing.bearer(&person.token),
                None => listing,
            };
            assert_eq!(listing.await.status, 200);
        }
        self.workspace = workspace;
    }

    pub(super) fn cases(&self) -> Vec<Case<'_>> {
        let mut cases = self.people();
        cases.extend(self.polls());
        for operation in [
            "POST /api/v1/polls/{id}/votes",
            "PUT /api/v1/polls/{id}/vote",
            "POST /polls/{id}/vote",
        ] {
            let vote = at(&self.server, operation, &[&self.poll.id]);
            cases.push(vote.json(&self.poll.vote(0, "bob")));
        }
        let make = "POST /api/v1/polls/{id}/tokens";
        let make = at(&self.server, make, &[&self.for_tokens.id]).bearer(&self.for_tokens.token);
        cases.push(make.json(&json!({"count": 1})));
        for operation in ["GET /api/v1/polls", "GET /polls"] {
            cases.push(at(&self.server, operation, &[]));
        }
        for room in ["", "/{id}/members", "/{id}/invitations", "/{id}/projects"] {
            let ids: &[&str] = if room.is_empty() {
                &[]
            } else {
                &[&self.workspace]
            };
            let operation = format!("GET /api/v1/workspaces{room}");
            cases.push(at(&self.server, &operation, ids).by(&self.ada));
        }
        let mut vote = self.poll.vote(0, "bob");
        vote["pollId"] = (*self.poll.id).into();
        cases.push(at(&self.server, "POST /vote", &[]).json(&vote));
        let limited = cases.into_iter().map(|case| case.is(429, "rate_limited"));
        limited.collect()
    }

    fn people(&self) -> Vec<Case<'_>> {
        let post = |path: &str, body: &Value| {
            at(&self.server, &format!("POST /api/v1{path}"), &[]).json(body)
        };
        let right = json!({"email": "ada@example.org", "password": "correct horse"});
        let new = json!({"name": "Bob", "email": "bob@example.org", "password": "correct horse"});
        let moved = json!({"email": "a@example.org", "current_password": "correct horse"});
        let other = json!({"current_password": "correct horse", "new_password": "battery staple"});
        let invited = json!({"email": "cid@example.org", "role": "viewer"});
        let invite = "POST /api/v1/workspaces/{id}/invitations";
        let set = json!({"token": LINK, "new_password": "battery staple"});
        vec![
            post("/auth/password-reset/confirm", &set),
            at(&self.server, &format!("POST {TICKET}"), &[]).by(&self.ada),
            post("/users", &new),
            post("/auth/login", &right),
            post("/auth/password", &other).by(&self.ada),
            post("/auth/password-reset", &json!({"email": "ada@example.org"})),
            post("/auth/refresh", &json!({"refresh_token": "pr_none"})),
            at(&self.server, "PATCH /api/v1/users/me", &[])
                .json(&moved)
                .by(&self.ada),
            at(&self.server, invite, &[&self.workspace])
                .json(&invited)
                .by(&self.ada),
        ]
    }

    fn polls(&self) -> Vec<Case<'_>> {
        let one = |operation: &str| at(&self.server, operation, &[&self.poll.id]).by(&self.ada);
        let mut cases = vec![
            one("POST /api/v1/polls/{id}/publish"),
            one("POST /api/v1/polls/{id}/close"),
        ];
        for root in ["/api/v1/polls", "/polls"] {
            let create = at(&self.server, &format!("POST {root}"), &[]).json(&new_poll());
            cases.extend([
                create.by(&self.ada),
                one(&format!("PATCH {root}/{{id}}")).json(&json!({"description": "y"})),
                one(&format!("DELETE {root}/{{id}}")),
            ]);
        }
        cases
    }
}

/// Gives her the link that she sets another password by.
async fn keep_link(server: &Server, ada: &Person, now: Timestamp) {
    let link = Link {
        user: ada.id.parse().unwrap(),
        email: Email::parse("ada@example.org").unwrap(),
        token: TokenHash::of(LINK),
        made_at: now,
        expires_at: now.after(Duration::from_secs(3_600)),
    };
    let sessions = server.store.users().unwrap().sessions();
    assert!(sessions.keep_link(&link, None).await.unwrap());
}

fn new_poll() -> Value {
    json!({
        "question": "Soup?", "options": ["Yes", "No"], "voters": "anyone", "publish": true,
        "allow_change": true,
    })
}

async fn created(server: &Server, ada: &Person) -> Value {
    let created = server.post("/api/v1/polls", &new_poll()).bearer(&ada.token);
    let created = created.await;
    assert_eq!(created.status, 201, "{}", created.text());
    created.json()
}

/// Where nobody signs up or imports.
pub(super) struct Off(Server);

impl Off {
    pub(super) async fn on(store: Store) -> Self {
        let mut core = Settings::default();
        core.features.sign_up = false;
        core.features.import = false;
        let start = Start {
            core,
            ..Start::on(store)
        };
        Self(start.run().await)
    }

    pub(super) fn cases(&self) -> Vec<Case<'_>> {
        let new = json!({"name": "Bob", "email": "bob@example.org", "password": "correct horse"});
        let import = at(&self.0, "POST /api/v1/users/import", &[]);
        vec![
            at(&self.0, "POST /api/v1/users", &[])
                .json(&new)
                .is(403, "feature_off"),
            import
                .body("text/csv", "name,email\n")
                .is(403, "feature_off"),
        ]
    }
}
