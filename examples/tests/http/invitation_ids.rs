//! The id of an invitation is what answers it, beside its address: who is told it, how it comes to whom it is for, and what
//! somebody without it can do.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use polling_core::limits::Limit;
use polling_core::users::{Email, LinkSender, OneTimeLink};
use polling_core::workspaces::{InvitationView, NewInvitation, WorkspaceRole};
use polling_core::{Actor, Cause, FakeClock, Settings};
use serde_json::{Value, json};
use tokio::sync::{Mutex, Semaphore, mpsc};

use crate::store::Store;
use crate::support::{Start, soon};
use crate::team::{Person, Team, text, workspace};

on_every_store! {
    whoever_takes_an_invited_address_has_nothing_without_the_id
    whoever_changes_to_an_invited_address_has_nothing_without_the_id
    an_invitation_is_sent_to_its_address
    an_address_is_sent_so_many_invitations_whoever_invites
    what_was_sent_to_an_address_counts_for_its_time_and_the_application_is_not_counted
    an_inviter_waits_for_no_delivery
    a_delivery_that_fails_changes_nothing
    a_delivery_that_hangs_is_given_up
}

/// What was sent, and to whom.
type Sent = mpsc::UnboundedReceiver<(String, InvitationView)>;

/// A sender whose post the test reads, and can hold up; once its door is closed it fails.
struct Post {
    sent: mpsc::UnboundedSender<(String, InvitationView)>,
    door: Arc<Semaphore>,
}

#[async_trait]
impl LinkSender for Post {
    async fn deliver(&self, _: &Email, _: OneTimeLink) -> Result<(), Cause> {
        Ok(())
    }

    async fn invite(&self, to: &Email, invitation: &InvitationView) -> Result<(), Cause> {
        let _turn = self.door.acquire().await?;
        let sent = (to.as_str().to_owned(), invitation.clone());
        Ok(self.sent.send(sent)?)
    }
}

/// A team, and the post of its server.
struct Site {
    team: Team,
    clock: FakeClock,
    sent: Mutex<Sent>,
    door: Arc<Semaphore>,
}

impl Site {
    async fn on(store: Store) -> Self {
        Self::with(store, |_| {}).await
    }

    /// With these settings; after the invitations that the team was made with.
    async fn with(store: Store, change: impl FnOnce(&mut Settings)) -> Self {
        let (sender, sent) = mpsc::unbounded_channel();
        let door = Arc::new(Semaphore::new(1));
        let post = Post {
            sent: sender,
            door: Arc::clone(&door),
        };
        let clock = FakeClock::default();
        let mut start = Start {
            clock: Some(clock.clone()),
            with: Some(Box::new(|builder| builder.link_sender(post))),
            ..Start::on(store)
        };
        change(&mut start.core);
        let site = Self {
            team: Team::started(start).await,
            clock,
            sent: Mutex::new(sent),
            door,
        };
        let mut made_with = [site.next().await.0, site.next().await.0];
        made_with.sort();
        assert_eq!(made_with, ["cora@example.org", "vera@example.org"]);
        site
    }

    /// What is sent next, as JSON, and to whom.
    async fn next(&self) -> (String, Value) {
        let (to, invitation) = soon(self.sent.lock().await.recv()).await.unwrap();
        (to, serde_json::to_value(invitation).unwrap())
    }

    async fn invites(&self, email: &str) -> Value {
        let invited = self.team.invites(email, "viewer").await;
        assert_eq!(invited.status, 201, "{}", invited.text());
        invited.json()
    }

    /// All that is sent until the server has come to its end.
    async fn rest(self) -> Vec<String> {
        self.team.server.engine.shutdown().await;
        let mut sent = self.sent.into_inner();
        std::iter::from_fn(|| sent.try_recv().ok())
            .map(|(to, _)| to)
            .collect()
    }
}

/// Fails if this person, whose account has the invited address, finds or answers anything of it without the id.
async fn is_found_nowhere(team: &Team, person: &Person, invitation: &Value) {
    let id = text(&invitation["id"]);
    let listed = team.server.get("/api/v1/invitations").bearer(&person.token);
    listed.await.refuses(404, "not_found");
    let rest = format!("{}/invitations", team.path);
    let of_workspace = team.server.get(rest).bearer(&person.token).await;
    of_workspace.refuses(404, "workspace_not_found");
    for path in ["/users/me", "/workspaces", "/polls"] {
        let read = team.server.get(format!("/api/v1{path}"));
        let read = read.bearer(&person.token).await;
        assert_eq!(read.status, 200, "{path}");
        assert!(!read.text().contains(&id), "{path}: {}", read.text());
    }
    // The time of it can be guessed, and the rest cannot: neither from the workspace's id, nor by counting.
    let workspace = text(&invitation["workspace_id"]);
    let time = &id[..15];
    for guess in [
        workspace.clone(),
        format!("{time}{}", &workspace[15..]),
        format!("{time}000-8000-000000000000"),
    ] {
        let shown = team.shows(person, &guess).await;
        shown.refuses(404, "invitation_not_found");
        for answer in ["accept", "decline"] {
            let refused = team.answers(person, &guess, answer).await;
            refused.refuses(404, "invitation_not_found");
        }
    }
    team.gets(person, "")
        .await
        .refuses(404, "workspace_not_found");
}

async fn whoever_takes_an_invited_address_has_nothing_without_the_id(store: Store) {
    let site = Site::on(store).await;
    let invited = site.invites("Ana@example.org").await;
    let mallory = Person::signs_up(&site.team.server, "ana").await;
    is_found_nowhere(&site.team, &mallory, &invited).await;
    // Who reads the mail has the id, and so proves that the address is theirs.
    let (_, sent) = site.next().await;
    let shown = site.team.shows(&mallory, &text(&sent["id"])).await;
    assert_eq!((shown.status.as_u16(), shown.json()), (200, invited));
    let id = text(&sent["id"]);
    let accepted = site.team.answers(&mallory, &id, "accept").await;
    assert_eq!(accepted.status, 200);
}

async fn whoever_changes_to_an_invited_address_has_nothing_without_the_id(store: Store) {
    let site = Site::on(store).await;
    let invited = site.invites("ana@example.org").await;
    let change = json!({"email": "ana@example.org", "current_password": "correct horse"});
    let ask = site
        .team
        .server
        .request(http::Method::PATCH, "/api/v1/users/me");
    let changed = ask.json(&change).bearer(&site.team.eve.token).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    is_found_nowhere(&site.team, &site.team.eve, &invited).await;
    // Nor does the id do without the address.
    let id = text(&invited["id"]);
    let shown = site.team.shows(&site.team.olga, &id).await;
    shown.refuses(404, "invitation_not_found");
    let accepted = site.team.answers(&site.team.eve, &id, "accept").await;
    assert_eq!(accepted.status, 200);
}

/// When it is made and when it is renewed, as the inviter sees it, whether or not the address has an account; and nothing
/// that was refused.
async fn an_invitation_is_sent_to_its_address(store: Store) {
    let site = Site::on(store).await;
    let team = &site.team;
    for email in ["nobody@example.org", "Eve@example.org", "vera@example.org"] {
        let first = site.invites(email).await;
        assert_eq!(site.next().await, (email.to_owned(), first));
    }
    let renewed = team.invites("EVE@example.org", "collaborator").await.json();
    assert_eq!(site.next().await, ("EVE@example.org".to_owned(), renewed));
    let refused = team.invites("no address", "viewer").await;
    refused.refuses(422, "invalid");
    let body = json!({"email": "ivy@example.org", "role": "viewer"});
    let forbidden = team.posts(&team.vera, "/invitations", &body).await;
    forbidden.refuses(403, "forbidden");
    assert_eq!(site.rest().await, [""; 0]);
}

/// Whatever its case, with an account or without; what is made beyond that is answered as ever, and as good.
async fn an_address_is_sent_so_many_invitations_whoever_invites(store: Store) {
    let site = Site::on(store).await;
    let team = &site.team;
    let pantry = workspace(&team.server, &team.cora, "Pantry").await;
    let invite = async |turn: usize, email: &str| {
        let (by, path) = match turn % 2 {
            0 => (&team.olga, &team.path),
            _ => (&team.cora, &pantry),
        };
        let body = json!({"email": email, "role": "viewer"});
        let asked = team.server.post(format!("{path}/invitations"), &body);
        let answer = asked.bearer(&by.token).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        assert_eq!(answer.header("ratelimit"), "");
        answer.json()
    };
    for name in ["nobody", "eve"] {
        for turn in 0..5 {
            let written = [name.to_owned(), name.to_uppercase()];
            let email = format!("{}@example.org", written[turn / 2 % 2]);
            let made = invite(turn, &email).await;
            assert_eq!(site.next().await, (email, made));
        }
    }
    invite(5, "nobody@example.org").await;
    let unsent = invite(5, "eve@example.org").await;
    let id = text(&unsent["id"]);
    assert_eq!(
        team.answers(&team.eve, &id, "accept").await.json()["name"],
        "Pantry"
    );
    let other = site.invites("ivy@example.org").await;
    assert_eq!(site.next().await, ("ivy@example.org".to_owned(), other));
    assert_eq!(site.rest().await, [""; 0]);
}

async fn what_was_sent_to_an_address_counts_for_its_time_and_the_application_is_not_counted(
    store: Store,
) {
    let once = Some(Limit::per_minute(1));
    let site = Site::with(store, |core| core.limits.invitation_mail = once).await;
    let first = site.invites("ivy@example.org").await;
    assert_eq!(site.next().await.1, first);
    site.invites("ivy@example.org").await;
    let workspaces = site.team.server.engine.workspaces().unwrap();
    for _ in 0..2 {
        let id = text(&first["workspace_id"]).parse().unwrap();
        let new = NewInvitation::of("ivy@example.org", WorkspaceRole::Viewer);
        let made = workspaces.invite(&Actor::System, id, new).await.unwrap();
        assert_eq!(site.next().await.1["id"], made.id.to_string());
    }
    site.clock.advance(Duration::from_secs(59));
    site.invites("ivy@example.org").await;
    site.clock.advance(Duration::from_secs(1));
    let later = site.invites("ivy@example.org").await;
    assert_eq!(site.next().await.1, later);
    assert_eq!(site.rest().await, [""; 0]);
}

/// However long one takes; and while too many are on their way, no more are sent, and everybody is invited all the same.
async fn an_inviter_waits_for_no_delivery(store: Store) {
    let site = Site::with(store, |core| core.link_queue = 3).await;
    let held = Arc::clone(&site.door).acquire_owned().await.unwrap();
    let all = ["ana", "bob", "cleo", "dora", "emil"].map(|name| format!("{name}@example.org"));
    for email in &all {
        site.invites(email).await;
    }
    let listed = site.team.gets(&site.team.olga, "/invitations").await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 5);
    drop(held);
    // The team's own may have had a place still.
    let sent = site.rest().await;
    assert!((1..=3).contains(&sent.len()), "{sent:?}");
    assert!(sent.iter().all(|to| all.contains(to)), "{sent:?}");
}

/// The owner passes on the id, or invites again.
async fn a_delivery_that_fails_changes_nothing(store: Store) {
    let site = Site::on(store).await;
    site.door.close();
    let invited = site.invites("eve@example.org").await;
    let again = site.invites("eve@example.org").await;
    assert_ne!(again["id"], invited["id"]);
    let id = text(&again["id"]);
    let accepted = site.team.answers(&site.team.eve, &id, "accept").await;
    assert_eq!(accepted.status, 200);
    assert_eq!(site.rest().await, [""; 0]);
}

/// Or the server could not be stopped.
async fn a_delivery_that_hangs_is_given_up(store: Store) {
    let site = Site::on(store).await;
    let _held = Arc::clone(&site.door).acquire_owned().await.unwrap();
    site.invites("eve@example.org").await;
    let clock = site.clock.clone();
    let time_passes = async {
        loop {
            clock.advance(Duration::from_secs(1));
            tokio::task::yield_now().await;
        }
    };
    let rest = soon(async {
        tokio::select! {
            rest = site.rest() => rest,
            () = time_passes => unreachable!("it passes for ever"),
        }
    });
    assert_eq!(rest.await, [""; 0]);
}
