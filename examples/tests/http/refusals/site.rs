//! Where everything is done once: a team, and what each of those who may needs for it.

use async_trait::async_trait;
use polling_core::Cause;
use polling_core::users::{Email, LinkSender, OneTimeLink};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::case::{Case, at};
use crate::imports::with_root;
use crate::store::Store;
use crate::support::{Poll, Start, soon};
use crate::team::{Person, Team, text, workspace};

struct Post(mpsc::UnboundedSender<OneTimeLink>);

#[async_trait]
impl LinkSender for Post {
    async fn deliver(&self, _: &Email, link: OneTimeLink) -> Result<(), Cause> {
        Ok(self.0.send(link)?)
    }
}

/// A team, and what is needed to ask for everything once.
pub(super) struct Site {
    pub(super) team: Team,
    pub(super) root: Person,
    /// Whose account is their own business.
    pub(super) zoe: Person,
    pub(super) link: String,
    pub(super) refresh_token: String,
    /// Of Eve: one to accept, one to decline.
    pub(super) invitations: [String; 2],
    /// Of somebody who never answers.
    pub(super) unanswered: String,
    /// For anyone, and open.
    pub(super) open: Poll,
    /// Drafts, two of a kind, each with a token that is good for it: its own, its creator's, a collaborator's.
    pub(super) managed: Vec<[(String, Poll); 2]>,
}

impl Site {
    pub(super) async fn on(store: Store) -> Self {
        let (sender, mut sent) = mpsc::unbounded_channel();
        let start = with_root(Start::on(store));
        let with_root = start.with.unwrap();
        let team = Team::started(Start {
            with: Some(Box::new(|builder| {
                with_root(builder).link_sender(Post(sender))
            })),
            ..Start::on(store)
        })
        .await;
        let server = &team.server;
        let root = Person::signs_up(server, "root").await;
        let zoe = Person::signs_up(server, "zoe").await;
        let reset = json!({"email": "zoe@example.org"});
        let reset = server.post("/api/v1/auth/password-reset", &reset).await;
        assert_eq!(reset.status, 202);
        let link = soon(sent.recv()).await.unwrap().token;
        let credentials = json!({"email": "vera@example.org", "password": "correct horse"});
        let login = server.post("/api/v1/auth/login", &credentials).await.json();
        let invited = async |email: &str| {
            let invited = team.invites(email, "viewer").await;
            text(&invited.json()["id"])
        };
        let other = workspace(server, &team.olga, "Galley").await;
        let body = json!({"email": "eve@example.org", "role": "viewer"});
        let other = server.post(format!("{other}/invitations"), &body);
        let other = other.bearer(&team.olga.token).await.json();
        Self {
            root,
            zoe,
            link,
            refresh_token: text(&login["refresh_token"]),
            invitations: [invited("eve@example.org").await, text(&other["id"])],
            unanswered: invited("nobody@example.org").await,
            open: server.poll(json!({"allow_change": true})).await,
            managed: managed(&team).await,
            team,
        }
    }

    pub(super) fn at(&self, operation: &str, ids: &[&str]) -> Case<'_> {
        at(&self.team.server, operation, ids)
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Case<'_> {
        self.at(&format!("POST /api/v1{path}"), &[]).json(body)
    }
}

/// Two drafts for each of those who may manage one.
async fn managed(team: &Team) -> Vec<[(String, Poll); 2]> {
    let new = json!({"question": "Q", "options": ["A", "B"], "voters": "tokens"});
    let create = async |person: Option<&Person>, body: &Value| {
        let ask = team.server.post("/api/v1/polls", body);
        let ask = match person {
            Some(person) => ask.bearer(&person.token),
            None => ask,
        };
        let created = ask.await;
        assert_eq!(created.status, 201, "{}", created.text());
        Poll::of(&created.json())
    };
    let mut in_project = new.clone();
    in_project["project_id"] = (*team.project).into();
    let mut managed = Vec::new();
    for (creator, body, manager) in [
        (None, &new, None),
        (Some(&team.eve), &new, Some(&team.eve)),
        (Some(&team.olga), &in_project, Some(&team.cora)),
    ] {
        let drafts = [create(creator, body).await, create(creator, body).await];
        managed.push(drafts.map(|poll| {
            let token = manager.map_or(&poll.token, |manager| &manager.token);
            (token.clone(), poll)
        }));
    }
    managed
}
