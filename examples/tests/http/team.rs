//! A workspace with somebody of each role, and a project.

use http::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::store::Store;
use crate::support::{Ask, Poll, Server, Start};

/// Somebody who signed up: their name, id and access token.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) name: &'static str,
    pub(crate) id: String,
    pub(crate) token: String,
}

impl Person {
    pub(crate) async fn signs_up(server: &Server, name: &'static str) -> Self {
        let (id, token) = server.user(name).await;
        Self { name, id, token }
    }

    pub(crate) fn email(&self) -> String {
        format!("{}@example.org", self.name)
    }
}

/// The workspace Kitchen, in which Olga is the owner, Cora a collaborator and Vera a viewer. Eve is no member.
pub(crate) struct Team {
    pub(crate) server: Server,
    pub(crate) path: String,
    pub(crate) project: String,
    pub(crate) olga: Person,
    pub(crate) cora: Person,
    pub(crate) vera: Person,
    pub(crate) eve: Person,
}

impl Team {
    pub(crate) async fn on(store: Store) -> Self {
        Self::started(Start::on(store)).await
    }

    pub(crate) async fn started(start: Start) -> Self {
        let server = start.run().await;
        let olga = Person::signs_up(&server, "olga").await;
        let cora = Person::signs_up(&server, "cora").await;
        let vera = Person::signs_up(&server, "vera").await;
        let eve = Person::signs_up(&server, "eve").await;
        let path = workspace(&server, &olga, "Kitchen").await;
        let body = json!({"name": "Lunch"});
        let ask = server.post(format!("{path}/projects"), &body);
        let project = ask.bearer(&olga.token).await;
        assert_eq!(project.status, 201, "{}", project.text());
        let team = Self {
            project: text(&project.json()["id"]),
            server,
            path,
            olga,
            cora,
            vera,
            eve,
        };
        team.joins(&team.cora, "collaborator").await;
        team.joins(&team.vera, "viewer").await;
        team
    }

    /// Invites somebody, as the owner.
    pub(crate) async fn invites(&self, email: &str, role: &str) -> Answer {
        let body = json!({"email": email, "role": role});
        self.posts(&self.olga, "/invitations", &body).await
    }

    /// Invites somebody, who accepts.
    pub(crate) async fn joins(&self, person: &Person, role: &str) {
        let invited = self.invites(&person.email(), role).await;
        assert_eq!(invited.status, 201, "{}", invited.text());
        let id = text(&invited.json()["id"]);
        let accepted = self.answers(person, &id, "accept").await;
        assert_eq!(accepted.status, 200, "{}", accepted.text());
    }

    pub(crate) async fn answers(&self, person: &Person, invitation: &str, answer: &str) -> Answer {
        let path = format!("/api/v1/invitations/{invitation}/{answer}");
        let ask = self.server.request(Method::POST, path);
        ask.bearer(&person.token).await
    }

    /// Looks at an invitation.
    pub(crate) fn shows(&self, person: &Person, invitation: &str) -> Ask {
        let path = format!("/api/v1/invitations/{invitation}");
        self.server.get(path).bearer(&person.token)
    }

    /// Asks for something in the workspace.
    pub(crate) fn asks(&self, person: &Person, method: Method, rest: &str) -> Ask {
        let ask = self.server.request(method, format!("{}{rest}", self.path));
        ask.bearer(&person.token)
    }

    pub(crate) fn gets(&self, person: &Person, rest: &str) -> Ask {
        self.asks(person, Method::GET, rest)
    }

    pub(crate) fn posts(&self, person: &Person, rest: &str, body: &Value) -> Ask {
        self.asks(person, Method::POST, rest).json(body)
    }

    pub(crate) fn patches(&self, person: &Person, rest: &str, body: &Value) -> Ask {
        self.asks(person, Method::PATCH, rest).json(body)
    }

    pub(crate) fn deletes(&self, person: &Person, rest: &str) -> Ask {
        self.asks(person, Method::DELETE, rest)
    }

    /// The path of a member.
    pub(crate) fn member(&self, person: &Person) -> String {
        format!("/members/{}", person.id)
    }

    /// Asks for a new poll in the project, with these fields more.
    pub(crate) fn new_poll(&self, person: &Person, fields: &Value) -> Ask {
        let mut body = json!({
            "question": "Soup?", "options": ["Yes", "No"], "project_id": self.project,
        });
        let more = fields.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(more);
        let ask = self.server.post("/api/v1/polls", &body);
        ask.bearer(&person.token)
    }

    /// A poll in the project, made by its collaborator.
    pub(crate) async fn poll(&self, fields: Value) -> Poll {
        let created = self.new_poll(&self.cora, &fields).await;
        assert_eq!(created.status, 201, "{}", created.text());
        Poll::of(&created.json())
    }

    /// What everybody is, by their names.
    pub(crate) async fn roles(&self) -> Value {
        let listed = self.gets(&self.olga, "/members").await.json();
        let mut roles = serde_json::Map::new();
        for person in [&self.olga, &self.cora, &self.vera, &self.eve] {
            let members = listed["items"].as_array().unwrap().iter();
            for member in members.filter(|member| member["user_id"] == person.id) {
                roles.insert(person.name.to_owned(), member["role"].clone());
            }
        }
        assert_eq!(roles.len(), listed["items"].as_array().unwrap().len());
        roles.into()
    }
}

/// The path of a new workspace.
pub(crate) async fn workspace(server: &Server, owner: &Person, name: &str) -> String {
    let ask = server.post("/api/v1/workspaces", &json!({"name": name}));
    let created = ask.bearer(&owner.token).await;
    assert_eq!(created.status, 201, "{}", created.text());
    created.header("location").to_owned()
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
