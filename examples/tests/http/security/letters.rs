//! Line breaks and other control characters in what people write.

use http::Method;
use serde_json::json;

use crate::store::Store;
use crate::support::Server;
use crate::team::Team;

/// What would end a line, colour a terminal, or turn the direction of what follows.
const CONTROLS: [&str; 9] = [
    "a\r\nb",
    "a\nb",
    "a\rb",
    "a\0b",
    "a\u{1b}[31mb",
    "a\u{7f}b",
    "a\u{85}b",
    "a\u{2028}b",
    "a\u{202e}b",
];

#[tokio::test]
async fn names_hold_no_control_characters() {
    let team = Team::on(Store::default()).await;
    let server = &team.server;
    let olga = &team.olga;
    for text in CONTROLS {
        let new =
            json!({"name": text, "email": "mallory@example.org", "password": "correct horse"});
        let signed_up = server.post("/api/v1/users", &new).await;
        signed_up.refuses_field(422, "invalid", "/name");
        let name = json!({"name": text});
        let own = server
            .request(Method::PATCH, "/api/v1/users/me")
            .json(&name);
        let own = own.bearer(&olga.token).await;
        own.refuses_field(422, "invalid", "/name");
        let workspace = server.post("/api/v1/workspaces", &name).bearer(&olga.token);
        workspace.await.refuses_field(422, "invalid", "/name");
        for rest in ["".to_owned(), format!("/projects/{}", team.project)] {
            let renamed = team.patches(olga, &rest, &name).await;
            renamed.refuses_field(422, "invalid", "/name");
        }
        let project = team.posts(olga, "/projects", &name).await;
        project.refuses_field(422, "invalid", "/name");
    }
}

#[tokio::test]
async fn addresses_hold_no_control_characters() {
    let team = Team::on(Store::default()).await;
    let places = |text: &str| {
        [
            format!("{text}@example.org"),
            format!("\"{text}\"@example.org"),
            format!("mallory@{text}.org"),
        ]
    };
    // Between quotes the standard allows a tab.
    for text in CONTROLS.into_iter().chain(["a\tb"]) {
        for email in places(text) {
            let new = json!({"name": "M", "email": email, "password": "correct horse"});
            let signed_up = team.server.post("/api/v1/users", &new).await;
            signed_up.refuses_field(422, "invalid", "/email");
            let invited = team.invites(&email, "viewer").await;
            invited.refuses_field(422, "invalid", "/email");
            let reset = json!({"email": email});
            let reset = team
                .server
                .post("/api/v1/auth/password-reset", &reset)
                .await;
            reset.refuses_field(422, "invalid", "/email");
            let change = json!({"email": email, "current_password": "correct horse"});
            let change = team
                .server
                .request(Method::PATCH, "/api/v1/users/me")
                .json(&change);
            let change = change.bearer(&team.olga.token).await;
            change.refuses_field(422, "invalid", "/email");
        }
    }
}

#[tokio::test]
async fn texts_of_polls_hold_no_control_characters_but_lines_in_descriptions() {
    let server = Server::start().await;
    for text in CONTROLS {
        let polls = [
            (
                json!({"question": text, "options": ["A", "B"]}),
                "/question",
            ),
            (
                json!({"question": "Q", "options": [text, "B"]}),
                "/options/0",
            ),
        ];
        for (body, pointer) in polls {
            let created = server.post("/api/v1/polls", &body).await;
            created.refuses_field(422, "invalid", pointer);
        }
        let body = json!({"question": "Q", "options": ["A", "B"], "description": text});
        let created = server.post("/api/v1/polls", &body).await;
        if ["a\r\nb", "a\nb", "a\rb"].contains(&text) {
            assert_eq!(created.json()["description"], text);
        } else {
            created.refuses_field(422, "invalid", "/description");
        }
    }
}
