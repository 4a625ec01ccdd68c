//! Every route that changes something, each with a body that would do: what the tests of this folder walk.

use std::collections::BTreeSet;

use http::Method;
use polling_http::HttpApi;
use serde_json::{Value, json};

use crate::store::Store;
use crate::support::{Ask, Poll, Server};
use crate::team::{Team, text};

/// Whose things a route touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// Somebody else's, or those of a workspace.
    Others,
    /// The caller's own, who needs no right to them; or nobody's yet.
    Own,
}

/// A method and a path, and whose things it touches.
pub(crate) type Entry = (Method, &'static str, Of);

/// A route that is not here fails [`every_route_that_changes_something_is_tried`].
pub(crate) const MUTATING: &[Entry] = &[
    (Method::POST, "/api/v1/polls", Of::Others),
    (Method::PATCH, "/api/v1/polls/{id}", Of::Others),
    (Method::POST, "/api/v1/polls/{id}/publish", Of::Others),
    (Method::POST, "/api/v1/polls/{id}/close", Of::Others),
    (Method::POST, "/api/v1/polls/{id}/votes", Of::Others),
    (Method::POST, "/api/v1/polls/{id}/votes/batch", Of::Others),
    (Method::PUT, "/api/v1/polls/{id}/vote", Of::Others),
    (Method::DELETE, "/api/v1/polls/{id}/vote", Of::Others),
    (Method::POST, "/api/v1/polls/{id}/tokens", Of::Others),
    (Method::POST, "/api/v1/polls/{id}/tokens/revoke", Of::Others),
    (Method::DELETE, "/api/v1/polls/{id}", Of::Others),
    (Method::PATCH, "/polls/{id}", Of::Others),
    (Method::POST, "/polls/{id}/vote", Of::Others),
    (Method::DELETE, "/polls/{id}", Of::Others),
    (Method::POST, "/polls", Of::Others),
    (Method::POST, "/vote", Of::Others),
    (Method::PATCH, "/api/v1/workspaces/{id}", Of::Others),
    (
        Method::PATCH,
        "/api/v1/workspaces/{id}/members/{user_id}",
        Of::Others,
    ),
    (
        Method::DELETE,
        "/api/v1/workspaces/{id}/members/{user_id}",
        Of::Others,
    ),
    (
        Method::POST,
        "/api/v1/workspaces/{id}/invitations",
        Of::Others,
    ),
    (
        Method::DELETE,
        "/api/v1/workspaces/{id}/invitations/{invitation_id}",
        Of::Others,
    ),
    (Method::POST, "/api/v1/workspaces/{id}/projects", Of::Others),
    (
        Method::PATCH,
        "/api/v1/workspaces/{id}/projects/{project_id}",
        Of::Others,
    ),
    (
        Method::DELETE,
        "/api/v1/workspaces/{id}/projects/{project_id}",
        Of::Others,
    ),
    (Method::DELETE, "/api/v1/workspaces/{id}", Of::Others),
    (Method::POST, "/api/v1/invitations/{id}/accept", Of::Others),
    (Method::POST, "/api/v1/invitations/{id}/decline", Of::Others),
    (Method::DELETE, "/api/v1/users/{id}", Of::Others),
    (Method::POST, "/api/v1/users/import", Of::Others),
    (Method::POST, "/api/v1/workspaces", Of::Own),
    (Method::POST, "/api/v1/users", Of::Own),
    (Method::PATCH, "/api/v1/users/me", Of::Own),
    (Method::DELETE, "/api/v1/users/me", Of::Own),
    (Method::POST, "/api/v1/auth/ticket", Of::Own),
    (Method::POST, "/api/v1/auth/login", Of::Own),
    (Method::POST, "/api/v1/auth/refresh", Of::Own),
    (Method::POST, "/api/v1/auth/logout", Of::Own),
    (Method::POST, "/api/v1/auth/logout-all", Of::Own),
    (Method::POST, "/api/v1/auth/password", Of::Own),
    (Method::POST, "/api/v1/auth/password-reset", Of::Own),
    (Method::POST, "/api/v1/auth/password-reset/confirm", Of::Own),
];

/// Every method and path that the engine of this server answers.
pub(crate) fn all(server: &Server) -> BTreeSet<(String, &'static str)> {
    let api = HttpApi::new(server.engine.clone());
    let routes = api.routes();
    routes
        .map(|(method, path)| (method.to_string(), path))
        .collect()
}

#[tokio::test]
async fn every_route_that_changes_something_is_tried() {
    let server = Server::on(Store::default()).await;
    let mut changing = all(&server);
    changing.retain(|(method, _)| method != "GET");
    let entries = MUTATING.iter();
    let tried: BTreeSet<_> = entries
        .map(|(method, path, _)| (method.to_string(), *path))
        .collect();
    assert_eq!(
        changing, tried,
        "write it into MUTATING, with a body and what comes of it"
    );
}

/// What the placeholders of paths and bodies stand for.
#[derive(Clone)]
pub(crate) struct Ids {
    pub(crate) poll: String,
    pub(crate) option: String,
    pub(crate) workspace: String,
    pub(crate) project: String,
    pub(crate) member: String,
    pub(crate) invitation: String,
}

impl Ids {
    /// Those of a team: its owner, a vouched poll, and an invitation to somebody who is not here.
    pub(crate) async fn of(team: &Team, poll: &Poll) -> Self {
        let invited = team.invites("ivy@example.org", "owner").await;
        Self {
            poll: poll.id.clone(),
            option: poll.options[0].clone(),
            workspace: team.path.rsplit('/').next().unwrap().to_owned(),
            project: team.project.clone(),
            member: team.olga.id.clone(),
            invitation: text(&invited.json()["id"]),
        }
    }

    /// The path with the ids in it.
    pub(crate) fn path(&self, template: &str) -> String {
        let outer = match template {
            path if path.contains("/workspaces/") => &self.workspace,
            path if path.contains("/invitations/") => &self.invitation,
            path if path.contains("/users/") => &self.member,
            _ => &self.poll,
        };
        template
            .replace("{id}", outer)
            .replace("{user_id}", &self.member)
            .replace("{invitation_id}", &self.invitation)
            .replace("{project_id}", &self.project)
    }

    /// A body that does, for who may; `Null` where the route takes none.
    fn body(&self, method: &Method, template: &str) -> Value {
        let option = &self.option;
        let end = template.rsplit('/').next().unwrap();
        match (method.as_str(), end) {
            ("POST", "polls") => json!({
                "question": "Mine?", "options": ["A", "B"], "project_id": self.project,
            }),
            ("PATCH", _) if template.contains("polls") => json!({"description": "Mine"}),
            ("POST", "vote") if template == "/vote" => json!({
                "pollId": self.poll, "optionId": option, "userId": "mallory",
            }),
            ("POST", "votes" | "vote") | ("PUT", _) => {
                json!({"option_id": option, "voter": "mallory"})
            }
            ("POST", "batch") => {
                json!({"ballots": [{"option_id": option, "voter": "mallory"}]})
            }
            ("POST", "tokens") => json!({"count": 1}),
            ("POST", "revoke") => json!({"all": true}),
            ("PATCH", "{user_id}") => json!({"role": "viewer"}),
            ("POST", "invitations") => json!({"email": "mallory@example.org", "role": "owner"}),
            ("PATCH", _) | ("POST", "projects" | "workspaces") => json!({"name": "Mine"}),
            ("POST", "password") => json!({
                "current_password": "correct horse", "new_password": "battery staple",
            }),
            _ => Value::Null,
        }
    }

    /// The request that this entry stands for.
    pub(crate) fn ask(&self, server: &Server, method: &Method, template: &str) -> Ask {
        let mut path = self.path(template);
        if *method == Method::DELETE && template.ends_with("/vote") {
            path += "?voter=mallory";
        }
        if template.ends_with("/users/import") {
            let rows = "name,email\nMallory,mallory@example.org\n";
            let import = server.request(method.clone(), path).body(rows);
            return import.header("content-type", "text/csv");
        }
        match self.body(method, template) {
            Value::Null => server.request(method.clone(), path),
            body => server.request(method.clone(), path).json(&body),
        }
    }
}
