//! Links for a first password, and new passwords that are too weak: what somebody may send who means no good.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use polling_core::Cause;
use polling_core::users::{Email, LinkPurpose, LinkSender, OneTimeLink};
use serde_json::json;

use crate::limits::limited;
use crate::passwords::{CHANGE, RESET, Site, tokens};
use crate::store::Store;
use crate::support::{Server, Start};

on_every_store! {
    whoever_has_no_password_yet_gets_a_link_and_no_other_answer
    a_link_that_nobody_asked_for_counts_for_nothing
    a_first_link_that_was_lost_is_sent_again
    weak_new_passwords_count_like_wrong_ones
    weak_passwords_for_a_link_count_by_the_link
}

const MINUTE: Duration = Duration::from_secs(60);

/// Gives Ada an account without a password, as an import does.
async fn import_ada(server: &Server) {
    let (id, _) = server.user("bob").await;
    let users = server.store.users().unwrap();
    let mut ada = users.find(id.parse().unwrap()).await.unwrap().unwrap();
    ada.id = polling_core::UserId::from_bytes([7; 16]);
    ada.email = Email::parse("ada@example.org").unwrap();
    users.insert(&ada, None).await.unwrap();
}

async fn whoever_has_no_password_yet_gets_a_link_and_no_other_answer(store: Store) {
    let site = Site::on(store).await;
    import_ada(&site.server).await;
    let known = site.login("wrong horse").await;
    let body = json!({"email": "bob@example.org", "password": "wrong horse"});
    let bobs = site.ask("/api/v1/auth/login", body).await;
    assert_eq!(known.body, bobs.body);
    known.refuses(401, "unauthorized");
    let (to, first) = site.link().await;
    assert_eq!(to, "ada@example.org");
    assert_eq!(first.purpose, LinkPurpose::FirstPassword);
    // Nobody makes it worthless by trying again and again.
    for _ in 0..59 {
        site.clock.advance(MINUTE);
        let again = site.login("correct horse").await;
        again.refuses(401, "unauthorized");
    }
    let set = site.confirm(&first.token, "short").await;
    set.refuses_field(422, "invalid", "/new_password");
    site.clock.advance(MINUTE);
    let over = site.confirm(&first.token, "battery staple").await;
    over.refuses_field(422, "invalid", "/token");
    site.login("correct horse")
        .await
        .refuses(401, "unauthorized");
    let (_, second) = site.link().await;
    // Whoever asks for one gets one, whatever was sent before.
    let asked = site.reset().await;
    let old = site.confirm(&second.token, "battery staple").await;
    old.refuses_field(422, "invalid", "/token");
    assert_eq!(site.confirm(&asked, "battery staple").await.status, 204);
    tokens(&site.login("battery staple").await);
    site.login("wrong horse").await.refuses(401, "unauthorized");
    site.nothing_was_sent().await;
}

/// A sender that brings nothing.
struct Lost;

#[async_trait]
impl LinkSender for Lost {
    async fn deliver(&self, _: &Email, _: OneTimeLink) -> Result<(), Cause> {
        Err("there is no post".into())
    }
}

async fn a_first_link_that_was_lost_is_sent_again(store: Store) {
    let server = Start {
        with: Some(Box::new(|builder| builder.link_sender(Lost))),
        ..Start::on(store)
    };
    let server = server.run().await;
    import_ada(&server).await;
    let login = json!({"email": "ada@example.org", "password": "wrong horse"});
    let refused = server.post("/api/v1/auth/login", &login).await;
    refused.refuses(401, "unauthorized");
    // The restart waits for what is being sent.
    let site = Site::instead_of(server, store).await;
    site.login("wrong horse").await.refuses(401, "unauthorized");
    let (_, link) = site.link().await;
    assert_eq!(
        site.confirm(&link.token, "battery staple").await.status,
        204
    );
}

/// Else whoever tries to sign in first could count how many are left to ask for, and would know of the account.
async fn a_link_that_nobody_asked_for_counts_for_nothing(store: Store) {
    let site = Site::on(store).await;
    import_ada(&site.server).await;
    site.login("wrong horse").await.refuses(401, "unauthorized");
    site.link().await;
    for (email, has_account) in [("ada@example.org", true), ("nobody@example.org", false)] {
        let ask = || site.ask(RESET, json!({"email": email}));
        for _ in 0..5 {
            assert_eq!(ask().await.status, 202, "{email}");
            if has_account {
                site.link().await;
            }
        }
        limited(&ask().await, "password_reset", (5, 3_600), "3600");
    }
    site.nothing_was_sent().await;
}

/// Each takes a place where passwords are judged and hashed.
async fn weak_new_passwords_count_like_wrong_ones(store: Store) {
    let site = Site::on(store).await;
    let (_, access) = site.server.user("ada").await;
    let change = async |current: &str, new: &str| {
        let body = json!({"current_password": current, "new_password": new});
        site.server.post(CHANGE, &body).bearer(&access).await
    };
    for _ in 0..5 {
        let weak = change("correct horse", "password").await;
        weak.refuses_field(422, "invalid", "/new_password");
        change("wrong horse", "battery staple")
            .await
            .refuses(403, "forbidden");
    }
    let refused = change("correct horse", "battery staple").await;
    limited(&refused, "login", (10, 60), "60");
    site.clock.advance(MINUTE);
    // Good ones count for nothing.
    let changed = change("correct horse", "battery staple").await;
    tokens(&changed);
    let pairs = ["battery staple", "correct horse"];
    for round in 0..12 {
        let changed = change(pairs[round % 2], pairs[(round + 1) % 2]).await;
        tokens(&changed);
    }
}

/// And not by the account: who guesses its password keeps nobody from setting another, nor the other way round.
async fn weak_passwords_for_a_link_count_by_the_link(store: Store) {
    let site = Site::on(store).await;
    site.server.user("ada").await;
    let link = site.reset().await;
    for _ in 0..9 {
        site.login("wrong horse").await.refuses(401, "unauthorized");
    }
    let weak = (0..40).map(|_| site.confirm(&link, "password"));
    let answers = join_all(weak).await;
    let judged = answers.iter().filter(|answer| answer.status == 422).count();
    let refused = answers.iter().filter(|answer| answer.status == 429).count();
    assert_eq!((judged, refused), (10, 30));
    let late = site.confirm(&link, "battery staple").await;
    limited(&late, "login", (10, 60), "60");
    tokens(&site.login("correct horse").await);
    site.clock.advance(MINUTE);
    assert_eq!(site.confirm(&link, "battery staple").await.status, 204);
}
