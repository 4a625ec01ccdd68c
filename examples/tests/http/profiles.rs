//! Accounts: what users and administrators read, change and delete.

use std::time::Duration;

use http::Method;
use polling_core::users::{Email, ImportFormat, RowOutcome};
use polling_core::{Actor, Ballot, FakeClock, Voter};
use serde_json::{Value, json};

use crate::store::Store;
use crate::support::{Ask, Server, Start, soon};
use crate::team::{Person, Team};

on_every_store! {
    users_see_and_change_themselves
    a_change_of_the_own_account_is_refused_with_reasons
    a_deleted_account_is_gone_at_once
    the_ballots_of_a_deleted_user_go_on_counting
    administrators_see_and_delete_everybody
    administrators_are_made_by_an_address_and_by_each_other
    whoever_takes_the_administrators_address_later_is_none
    the_first_administrator_may_be_imported
    the_last_owner_of_a_workspace_cannot_delete_the_account
}

const ME: &str = "/api/v1/users/me";
const PASSWORD: &str = "correct horse";

fn patch(server: &Server, token: &str, body: &Value) -> Ask {
    let request = server.request(Method::PATCH, ME);
    request.json(body).bearer(token)
}

fn delete(server: &Server, path: &str) -> Ask {
    server.request(Method::DELETE, path)
}

async fn users_see_and_change_themselves(store: Store) {
    let server = Server::on(store).await;
    let (id, token) = server.user("ada").await;
    let me = server.get(ME).bearer(&token).await.json();
    let expected = json!({
        "id": id, "name": "ada", "email": "ada@example.org", "is_admin": false, "created_at": me["created_at"],
    });
    assert_eq!(me, expected);
    let path = format!("/api/v1/users/{id}");
    assert_eq!(server.get(&*path).bearer(&token).await.json(), me);
    // Nobody else sees the address.
    let (_, other) = server.user("bob").await;
    for ask in [server.get(&*path), server.get(&*path).bearer(&other)] {
        let seen = ask.await.json();
        assert_eq!(seen.as_object().unwrap().len(), 3, "{seen}");
    }
    let renamed = patch(&server, &token, &json!({"name": "  Countess "})).await;
    assert_eq!(renamed.status, 200);
    assert_eq!(renamed.json()["name"], "Countess");
    let moved = json!({"email": "Countess@example.org", "current_password": PASSWORD});
    let moved = patch(&server, &token, &moved).await.json();
    assert_eq!(moved["email"], "Countess@example.org");
    assert_eq!(server.get(ME).bearer(&token).await.json(), moved);
    assert_eq!(patch(&server, &token, &json!({})).await.json(), moved);
    for (email, status) in [("countess@example.org", 200), ("ada@example.org", 401)] {
        let credentials = json!({"email": email, "password": PASSWORD});
        let login = server.post("/api/v1/auth/login", &credentials).await;
        assert_eq!(login.status, status);
    }
    // The address of before is free.
    server.user("ada").await;
}

async fn a_change_of_the_own_account_is_refused_with_reasons(store: Store) {
    let server = Server::on(store).await;
    let (_, token) = server.user("ada").await;
    server.user("bob").await;
    for method in [Method::GET, Method::DELETE] {
        let nobody = server.request(method, ME).await;
        nobody.refuses(401, "unauthorized");
    }
    let nobody = server.request(Method::PATCH, ME).json(&json!({})).await;
    nobody.refuses(401, "unauthorized");
    let ask = async |body: Value| patch(&server, &token, &body).await;
    let taken = json!({"email": "BOB@example.org", "current_password": PASSWORD});
    ask(taken).await.refuses(409, "email_taken");
    let wrong = json!({"email": "new@example.org", "current_password": "wrong horse"});
    ask(wrong).await.refuses(403, "forbidden");
    let unproved = ask(json!({"email": "new@example.org"})).await;
    unproved.refuses_field(422, "invalid", "/current_password");
    for (body, pointer) in [
        (json!({"name": ""}), "/name"),
        (json!({"name": null}), "/name"),
        (
            json!({"email": "none", "current_password": PASSWORD}),
            "/email",
        ),
        (json!({"is_admin": true}), "/is_admin"),
    ] {
        ask(body).await.refuses_field(422, "invalid", pointer);
    }
    let me = server.get(ME).bearer(&token).await.json();
    assert_eq!(me["email"], "ada@example.org");
}

async fn a_deleted_account_is_gone_at_once(store: Store) {
    let server = Server::on(store).await;
    let (id, token) = server.user("ada").await;
    let credentials = json!({"email": "ada@example.org", "password": PASSWORD});
    let login = server.post("/api/v1/auth/login", &credentials).await.json();
    let poll = json!({"question": "Q", "options": ["A", "B"], "publish": true});
    let poll = server.post("/api/v1/polls", &poll).bearer(&token).await;
    let poll = format!("/api/v1/polls/{}", poll.json()["id"].as_str().unwrap());
    assert_eq!(delete(&server, ME).bearer(&token).await.status, 204);
    let lookup = server.get(format!("/api/v1/users/{id}")).await;
    lookup.refuses(404, "user_not_found");
    let login_again = server.post("/api/v1/auth/login", &credentials).await;
    login_again.refuses(401, "unauthorized");
    let refresh = json!({"refresh_token": login["refresh_token"]});
    let refreshed = server.post("/api/v1/auth/refresh", &refresh).await;
    refreshed.refuses(401, "unauthorized");
    // The access token lives on, and is good for votes only.
    server
        .get(ME)
        .bearer(&token)
        .await
        .refuses(401, "unauthorized");
    delete(&server, ME)
        .bearer(&token)
        .await
        .refuses(401, "unauthorized");
    let new = json!({"question": "Q", "options": ["A", "B"]});
    for ask in [
        server.post("/api/v1/polls", &new),
        server
            .request(Method::PATCH, &*poll)
            .json(&json!({"listed": true})),
        server.post(format!("{poll}/close"), &json!({})),
        delete(&server, &poll),
    ] {
        ask.bearer(&token).await.refuses(401, "unauthorized");
    }
    assert_eq!(server.get(&*poll).await.json()["status"], "open");
    // Whoever signs up with the address next is somebody else.
    assert_ne!(server.user("ada").await.0, id);
}

/// They cannot vote twice while an access token lives; then the ballots are nobody's, and the results are what they were.
async fn the_ballots_of_a_deleted_user_go_on_counting(store: Store) {
    let clock = FakeClock::default();
    let start = Start {
        clock: Some(clock.clone()),
        ..Start::on(store)
    };
    let server = start.run().await;
    let poll = server
        .poll(json!({"voters": "registered", "allow_change": true}))
        .await;
    let (id, token) = server.user("ada").await;
    let vote = |position: usize| json!({"option_id": poll.options[position]});
    for position in [0, 1] {
        let request = server.request(Method::PUT, poll.path("/vote"));
        let voted = request.json(&vote(position)).bearer(&token).await;
        assert!(voted.status.is_success(), "{}", voted.text());
    }
    let results = server.get(poll.path("/results")).await.json();
    assert_eq!(results["ballots"], 1);
    // As a WebSocket holds on to it.
    let held = server.engine.authenticate(&token).await.unwrap();
    assert_eq!(delete(&server, ME).bearer(&token).await.status, 204);
    let twice = server.post(poll.path("/votes"), &vote(0)).bearer(&token);
    twice.await.refuses(409, "already_voted");
    let users = server.store.users().unwrap();
    let id = id.parse().unwrap();
    assert!(users.is_deleted(id).await.unwrap());
    let detached = async {
        while users.is_deleted(id).await.unwrap() {
            clock.advance(Duration::from_secs(10));
            tokio::task::yield_now().await;
        }
    };
    soon(detached).await;
    let over = server.post(poll.path("/votes"), &vote(0)).bearer(&token);
    over.await.refuses(401, "unauthorized");
    let id_of_poll = poll.id.parse().unwrap();
    let ballot = Ballot::of(id_of_poll, Voter::Caller, [0]);
    let votes = server.engine.votes();
    for refused in [
        votes.cast(&held, ballot.clone()).await.unwrap_err(),
        votes.change(&held, ballot).await.unwrap_err(),
        votes
            .withdraw(&held, id_of_poll, &Voter::Caller)
            .await
            .unwrap_err(),
    ] {
        assert_eq!(refused.code().as_str(), "unauthorized");
    }
    assert_eq!(server.get(poll.path("/results")).await.json(), results);
    let results = server.engine.results();
    let recount = results.recount(&Actor::System, id_of_poll).await;
    assert!(recount.unwrap().agrees());
    let voter = Voter::user(id);
    let vote = votes.read(&Actor::System, id_of_poll, &voter).await;
    assert!(vote.is_err(), "the ballot is nobody's");
}

/// A server whose first administrator is whoever signs up with the address root@example.org.
async fn with_root(store: Store) -> Server {
    let root = Email::parse("Root@example.org").unwrap();
    let start = Start {
        with: Some(Box::new(|builder| builder.administrator(root))),
        ..Start::on(store)
    };
    start.run().await
}

async fn administrators_see_and_delete_everybody(store: Store) {
    let server = with_root(store).await;
    let (ada, token) = server.user("ada").await;
    let (bob, bobs) = server.user("bob").await;
    let (_, root) = server.user("root").await;
    let ada = format!("/api/v1/users/{ada}");
    let seen = server.get(&*ada).bearer(&root).await.json();
    assert_eq!(seen["email"], "ada@example.org");
    assert_eq!(server.get(ME).bearer(&root).await.json()["is_admin"], true);
    delete(&server, &ada).await.refuses(401, "unauthorized");
    delete(&server, &ada)
        .bearer(&bobs)
        .await
        .refuses(403, "forbidden");
    let unknown = "/api/v1/users/018f3c6e-0000-7000-8000-000000000001";
    for (path, token, status, code) in [
        (unknown, &bobs, 403, "forbidden"),
        (unknown, &root, 404, "user_not_found"),
        ("/api/v1/users/x", &root, 404, "user_not_found"),
    ] {
        delete(&server, path)
            .bearer(token)
            .await
            .refuses(status, code);
    }
    assert_eq!(server.get(ME).bearer(&token).await.status, 200);
    assert_eq!(delete(&server, &ada).bearer(&root).await.status, 204);
    server
        .get(ME)
        .bearer(&token)
        .await
        .refuses(401, "unauthorized");
    delete(&server, &ada)
        .bearer(&root)
        .await
        .refuses(404, "user_not_found");
    let own = format!("/api/v1/users/{bob}");
    assert_eq!(delete(&server, &own).bearer(&bobs).await.status, 204);
}

async fn administrators_are_made_by_an_address_and_by_each_other(store: Store) {
    let server = with_root(store).await;
    let (root, _) = server.user("root").await;
    let (ada, _) = server.user("ada").await;
    let users = server.engine.users().unwrap();
    let (root, ada) = (root.parse().unwrap(), ada.parse().unwrap());
    let (root, ada) = (Actor::user(root), Actor::user(ada));
    let is_admin = async |actor: &Actor| users.is_admin(actor).await.unwrap();
    assert!(is_admin(&root).await && is_admin(&Actor::System).await);
    assert!(!is_admin(&ada).await && !is_admin(&Actor::anonymous()).await);
    let email = "Ada@Example.org";
    let refused = users.grant_admin(&ada, email).await.unwrap_err();
    assert_eq!(refused.code().as_str(), "forbidden");
    let refused = users.grant_admin(&Actor::anonymous(), email).await;
    assert_eq!(refused.unwrap_err().code().as_str(), "unauthorized");
    let unknown = users.grant_admin(&root, "eve@example.org").await;
    assert_eq!(unknown.unwrap_err().code().as_str(), "user_not_found");
    users.grant_admin(&root, email).await.unwrap();
    assert!(is_admin(&ada).await);
    users.revoke_admin(&ada, "root@example.org").await.unwrap();
    assert!(!is_admin(&root).await && is_admin(&ada).await);
    // Who was revoked stays so at the next start, as long as the site has an administrator.
    starts_again(&server).await;
    assert!(!is_admin(&root).await && is_admin(&ada).await);
    users
        .revoke_admin(&Actor::System, "ada@example.org")
        .await
        .unwrap();
    starts_again(&server).await;
    assert!(is_admin(&root).await && !is_admin(&ada).await);
}

/// Another engine on the store, with the same setting.
async fn starts_again(server: &Server) {
    let address = Email::parse("root@example.org").unwrap();
    let builder = polling_core::Engine::builder(std::sync::Arc::clone(&server.store));
    let engine = builder.administrator(address).build().await.unwrap();
    engine.shutdown().await;
}

async fn whoever_takes_the_administrators_address_later_is_none(store: Store) {
    let server = with_root(store).await;
    let (_, root) = server.user("root").await;
    let to = |email: &str| json!({"email": email, "current_password": PASSWORD});
    let is_admin =
        async |token: &str| server.get(ME).bearer(token).await.json()["is_admin"] == true;
    let moved = patch(&server, &root, &to("moved@example.org")).await;
    assert_eq!(moved.status, 200);
    // By signing up, by changing to it, and at the next start.
    let (_, heir) = server.user("root").await;
    assert!(is_admin(&root).await && !is_admin(&heir).await);
    assert_eq!(delete(&server, ME).bearer(&heir).await.status, 204);
    let (_, ada) = server.user("ada").await;
    let taken = patch(&server, &ada, &to("root@example.org")).await;
    assert_eq!(taken.status, 200);
    starts_again(&server).await;
    assert!(is_admin(&root).await && !is_admin(&ada).await);
}

async fn the_first_administrator_may_be_imported(store: Store) {
    let server = with_root(store).await;
    let users = server.engine.users().unwrap();
    let import = users.import(&Actor::System, ImportFormat::Csv, None);
    let (mut import, mut outcomes) = (import.await.unwrap(), Vec::new());
    let rows = "name,email\nAda,ada@example.org\nRoot,ROOT@example.org\n";
    import.feed(rows.into(), &mut outcomes).await.unwrap();
    import.finish(&mut outcomes).await.unwrap();
    for (outcome, expected) in outcomes.iter().zip([false, true]) {
        let RowOutcome::Created(id) = outcome else {
            panic!("was to be created: {outcome:?}");
        };
        let is_admin = users.is_admin(&Actor::user(*id)).await.unwrap();
        assert_eq!(is_admin, expected);
    }
}

async fn the_last_owner_of_a_workspace_cannot_delete_the_account(store: Store) {
    let team = Team::on(store).await;
    let server = &team.server;
    let go = async |person: &Person| delete(server, ME).bearer(&person.token).await;
    let refused = go(&team.olga).await;
    refused.refuses(409, "last_owner");
    let id = team.path.rsplit('/').next().unwrap();
    assert!(refused.text().contains(id), "it says which workspace");
    assert_eq!(go(&team.vera).await.status, 204);
    assert_eq!(
        team.roles().await,
        json!({"olga": "owner", "cora": "collaborator"})
    );
    // A token that is alive still makes no workspace any more.
    let new = server.post("/api/v1/workspaces", &json!({"name": "Attic"}));
    let new = new.bearer(&team.vera.token).await;
    new.refuses(401, "unauthorized");
    let member = team.member(&team.cora);
    let handed = team.patches(&team.olga, &member, &json!({"role": "owner"}));
    assert_eq!(handed.await.status, 200);
    assert_eq!(go(&team.olga).await.status, 204);
    // Whoever is alone in it deletes it first.
    go(&team.cora).await.refuses(409, "last_owner");
}
