//! Numbers and times at the ends of what can be written, and texts that are longer than anything: refused, or kept, and never
//! our own fault.

use http::Method;
use serde_json::{Value, json};

use crate::store::Store;
use crate::support::Poll;
use crate::team::Team;

on_every_store! {
    no_number_time_or_length_is_our_own_fault
}

/// Characters that no field takes.
const LONG: usize = 10_000;

const POLLS: &str = "/api/v1/polls";

const NUMBERS: [&str; 9] = [
    "-1",
    "0",
    "1.5",
    "1e400",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
];

const TIMES: [&str; 7] = [
    "0000-01-01T00:00:00Z",
    "-000001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
    "+10000-01-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-12-31T23:59:60Z",
    "9999-12-31T23:59:59-23:59",
];

/// A method, a path, and a body where there is one.
type Request = (Method, String, String);

async fn no_number_time_or_length_is_our_own_fault(store: Store) {
    let team = Team::on(store).await;
    let poll = team.poll(json!({"voters": "tokens"})).await;
    let mut requests = times();
    for number in NUMBERS {
        requests.extend(with_number(&team, &poll, number));
    }
    requests.extend(too_long(&team, &poll));
    for (method, path, body) in requests {
        let ask = team.server.request(method.clone(), &*path);
        let ask = match body.is_empty() {
            true => ask,
            false => ask
                .header("content-type", "application/json")
                .body(body.clone()),
        };
        let answer = ask.bearer(&team.olga.token).await;
        let begin: String = body.chars().take(100).collect();
        let status = answer.status;
        assert!(!status.is_server_error(), "{method} {path} {begin}");
        let is_long = body.len() > LONG;
        assert!(!is_long || status.is_client_error(), "{path} {begin}");
    }
}

fn with_number(team: &Team, poll: &Poll, number: &str) -> Vec<Request> {
    let workspace = &team.path;
    let pages = [
        "/api/v1/polls".to_owned(),
        "/api/v1/workspaces".to_owned(),
        format!("{workspace}/members"),
        format!("{workspace}/projects"),
        format!("{workspace}/invitations"),
    ];
    let pages = pages.map(|path| (Method::GET, format!("{path}?limit={number}"), String::new()));
    let events = poll.path(&format!("/events?after_revision={number}"));
    let version = format!("{{\"version\":{number},\"description\":\"x\"}}");
    let count = format!("{{\"count\":{number}}}");
    let choice = |bound: &str| {
        let choice = format!("{{\"type\":\"multiple\",\"{bound}\":{number}}}");
        format!("{{\"question\":\"Q\",\"options\":[\"A\",\"B\"],\"choice\":{choice}}}")
    };
    let mut requests = vec![
        (Method::HEAD, events, String::new()),
        (Method::PATCH, poll.path(""), version),
        (Method::POST, poll.path("/tokens"), count),
        (Method::POST, POLLS.to_owned(), choice("min")),
        (Method::POST, POLLS.to_owned(), choice("max")),
    ];
    requests.extend(pages);
    requests
}

fn times() -> Vec<Request> {
    let mut requests = Vec::new();
    for time in TIMES {
        for field in ["opens_at", "closes_at"] {
            let mut body = json!({"question": "Q", "options": ["A", "B"]});
            body[field] = time.into();
            requests.push((Method::POST, POLLS.to_owned(), body.to_string()));
        }
    }
    requests
}

fn too_long(team: &Team, poll: &Poll) -> Vec<Request> {
    let long = "x".repeat(2 * LONG);
    let poll_with = |field: &str, value: Value| {
        let mut body = json!({"question": "Q", "options": ["A", "B"]});
        body[field] = value;
        (Method::POST, POLLS.to_owned(), body)
    };
    let name = || json!({"name": long});
    let post = |path: String, body| (Method::POST, path, body);
    let address = format!("{long}@example.org");
    let template = format!("https://a.example/{{token}}{long}");
    let requests = [
        poll_with("question", json!(long)),
        poll_with("description", json!(long)),
        poll_with("options", json!([long, "B"])),
        (Method::PATCH, "/api/v1/users/me".to_owned(), name()),
        post("/api/v1/workspaces".to_owned(), name()),
        post(format!("{}/projects", team.path), name()),
        post(
            format!("{}/invitations", team.path),
            json!({"email": address, "role": "viewer"}),
        ),
        post(
            poll.path("/tokens"),
            json!({"count": 1, "link_template": template}),
        ),
        post(
            "/api/v1/auth/refresh".to_owned(),
            json!({"refresh_token": long}),
        ),
        post(
            "/api/v1/auth/login".to_owned(),
            json!({"email": long, "password": long}),
        ),
    ];
    let requests = requests.into_iter();
    let requests = requests.map(|(method, path, body)| (method, path, body.to_string()));
    requests.collect()
}
