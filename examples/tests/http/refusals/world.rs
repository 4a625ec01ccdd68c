//! Where everything is refused: a team, somebody who is no part of it, and a poll in each of its states.

use std::time::Duration;

use polling_core::{FakeClock, Settings, Timestamp};
use polling_http::HttpSettings;
use serde_json::{Value, json};

use super::case::{Case, at};
use crate::imports::with_root;
use crate::security::foreign_ids::of_eve;
use crate::security::routes::Ids;
use crate::store::Store;
use crate::support::{Poll, Server, Start};
use crate::team::{Person, Team, text, workspace};

/// Bytes of a body, at most, whatever is asked.
pub(super) const BODY_BYTES: usize = 4_000;

/// The id of a ballot that counts.
pub(super) const BALLOT: &str = "018f3c6e-0000-7000-8000-00000000000a";
/// The id of one that was replaced.
pub(super) const REPLACED: &str = "018f3c6e-0000-7000-8000-00000000000b";

/// Olga has created all polls, and manages them. There is room for nothing more in her workspace, nor for Eve in another.
pub(super) struct World {
    pub(super) team: Team,
    pub(super) root: Person,
    /// What is Olga's.
    pub(super) ids: Ids,
    /// What is Eve's.
    pub(super) foreign: Ids,
    /// An invitation of Eve.
    pub(super) invitation: String,
    /// Who has deleted their account.
    pub(super) gone: String,
    pub(super) polls: Polls,
}

/// For anyone, and votes may be changed, unless something else is said.
pub(super) struct Polls {
    /// Ada and Bob have voted; nobody but managers sees results.
    pub(super) open: Poll,
    /// Ada has voted, and may not change it.
    pub(super) fixed: Poll,
    pub(super) draft: Poll,
    /// A draft whose end has passed.
    pub(super) late: Poll,
    pub(super) scheduled: Poll,
    /// Ada has voted.
    pub(super) closed: Poll,
    pub(super) vouched: Poll,
    pub(super) for_tokens: Poll,
    pub(super) for_tokens_closed: Poll,
}

impl World {
    pub(super) async fn on(store: Store) -> Self {
        let mut core = Settings::default();
        core.workspaces.of_a_user = 2;
        core.workspaces.invitations = 2;
        core.workspaces.projects = 2;
        let mut http = HttpSettings::default();
        http.body_bytes = BODY_BYTES;
        http.batch_body_bytes = BODY_BYTES;
        http.import_body_bytes = BODY_BYTES;
        let clock = FakeClock::default();
        let start = Start {
            core,
            http,
            clock: Some(clock.clone()),
            ..Start::on(store)
        };
        let team = Team::started(with_root(start)).await;
        let server = &team.server;
        let root = Person::signs_up(server, "root").await;
        let leaver = Person::signs_up(server, "leaver").await;
        let left = server.request(http::Method::DELETE, "/api/v1/users/me");
        assert_eq!(left.bearer(&leaver.token).await.status, 204);
        let polls = Polls::of(server, &team.olga).await;
        clock.advance(2 * A_MINUTE);
        let ids = Ids::of(&team, &polls.open).await;
        let invited = team.invites("eve@example.org", "viewer").await;
        let foreign = of_eve(&team).await;
        workspace(server, &team.eve, "Attic").await;
        let dinner = json!({"name": "Dinner"});
        let dinner = team.posts(&team.olga, "/projects", &dinner).await;
        assert_eq!(dinner.status, 201);
        Self {
            root,
            ids,
            foreign,
            invitation: text(&invited.json()["id"]),
            gone: leaver.id,
            polls,
            team,
        }
    }

    pub(super) fn at(&self, operation: &str, ids: &[&str]) -> Case<'_> {
        at(&self.team.server, operation, ids)
    }
}

const A_MINUTE: Duration = Duration::from_secs(60);

impl Polls {
    async fn of(server: &Server, olga: &Person) -> Self {
        let poll = async |fields: Value| created(server, olga, fields).await.0;
        let (draft, now) = created(server, olga, json!({"publish": false})).await;
        let soon = now.after(A_MINUTE).to_string();
        let open = poll(json!({"show_results": "managers"})).await;
        let fixed = poll(json!({"allow_change": false})).await;
        let closed = poll(json!({})).await;
        for poll in [&open, &fixed, &closed] {
            let mut vote = poll.vote(0, "ada");
            vote["ballot_id"] = BALLOT.into();
            let cast = server.post(poll.path("/votes"), &vote).await;
            assert_eq!(cast.status, 201, "{}", cast.text());
        }
        let mut vote = open.vote(0, "bob");
        vote["ballot_id"] = REPLACED.into();
        for (method, position, path) in [("POST", 0, "/votes"), ("PUT", 1, "/vote")] {
            let body = match position {
                0 => vote.clone(),
                _ => open.vote(position, "bob"),
            };
            let ask = server.request(method.parse().unwrap(), open.path(path));
            assert!(ask.json(&body).await.status.is_success());
        }
        let world = Self {
            open,
            fixed,
            draft,
            late: poll(json!({"publish": false, "closes_at": soon})).await,
            scheduled: poll(json!({"opens_at": now.after(60 * A_MINUTE).to_string()})).await,
            closed,
            vouched: poll(json!({"voters": "vouched"})).await,
            for_tokens: poll(json!({"voters": "tokens"})).await,
            for_tokens_closed: poll(json!({"voters": "tokens"})).await,
        };
        for poll in [&world.closed, &world.for_tokens_closed] {
            let close = server.request(http::Method::POST, poll.path("/close"));
            assert_eq!(close.bearer(&olga.token).await.status, 200);
        }
        world
    }
}

/// A poll, and the server's time.
async fn created(server: &Server, olga: &Person, fields: Value) -> (Poll, Timestamp) {
    let mut body = json!({
        "question": "Soup?", "options": ["Yes", "No"], "voters": "anyone", "allow_change": true,
        "publish": true,
    });
    let more = fields.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(more);
    let created = server.post("/api/v1/polls", &body).bearer(&olga.token);
    let created = created.await;
    assert_eq!(created.status, 201, "{}", created.text());
    let created = created.json();
    let now = serde_json::from_value(created["created_at"].clone());
    (Poll::of(&created), now.unwrap())
}
