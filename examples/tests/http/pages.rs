//! Pages that are bounded in bytes, and how often they may be read.

use http::Method;
use polling_core::Settings;
use polling_core::limits::Limit;
use serde_json::{Value, json};

use crate::limits::{limited, server};
use crate::store::Store;
use crate::support::Start;
use crate::team::{Person, Team, text};

on_every_store! {
    a_page_of_large_polls_is_bounded_in_bytes_and_leaves_nothing_out
    every_listing_ends_early_with_its_cursor
}

/// All pages of a listing, by following its cursors.
async fn pages(team: &Team, person: &Person, path: &str) -> Vec<Vec<Value>> {
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let ask = team.server.get(format!("{path}{cursor}"));
        let page = ask.bearer(&person.token).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let page = page.json();
        pages.push(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next_cursor"].as_str() else {
            return pages;
        };
        let mark = if path.contains('?') { '&' } else { '?' };
        cursor = format!("{mark}cursor={next}");
    }
}

/// On defaults.
async fn a_page_of_large_polls_is_bounded_in_bytes_and_leaves_nothing_out(store: Store) {
    let team = Team::on(store).await;
    let options: Vec<String> = (0..255).map(|at| format!("{at:->200}")).collect();
    let new = json!({"question": "Long?", "options": options, "publish": true, "listed": true});
    let mut made = Vec::new();
    for _ in 0..15 {
        let ask = team.server.post("/api/v1/polls", &new);
        made.insert(0, text(&ask.bearer(&team.olga.token).await.json()["id"]));
    }
    let pages = pages(&team, &team.olga, "/api/v1/polls").await;
    assert!(pages.len() > 1);
    for page in &pages {
        let bytes = serde_json::to_vec(page).unwrap().len();
        assert!((1..=1024 * 1024).contains(&bytes), "{bytes}");
    }
    let listed: Vec<String> = pages
        .iter()
        .flatten()
        .map(|poll| text(&poll["id"]))
        .collect();
    assert_eq!(listed, made);
}

async fn every_listing_ends_early_with_its_cursor(store: Store) {
    let mut core = Settings::default();
    // One item of any listing has room, and no two.
    core.page_bytes = 400;
    let start = Start {
        core,
        ..Start::on(store)
    };
    let team = Team::started(start).await;
    let projects = json!({"name": "Dinner"});
    let made = team.posts(&team.olga, "/projects", &projects).await;
    assert_eq!(made.status, 201);
    for name in ["ida", "ivo"] {
        let invited = team.invites(&format!("{name}@example.org"), "viewer").await;
        assert_eq!(invited.status, 201);
    }
    team.poll(json!({})).await;
    team.poll(json!({})).await;
    let more = team
        .server
        .post("/api/v1/workspaces", &json!({"name": "Attic"}));
    assert_eq!(more.bearer(&team.olga.token).await.status, 201);
    let room = &team.path;
    for (path, items) in [
        ("/api/v1/workspaces".to_owned(), 2),
        (format!("{room}/members"), 3),
        (format!("{room}/invitations"), 2),
        (format!("{room}/projects"), 2),
        (format!("/api/v1/polls?project_id={}", team.project), 2),
    ] {
        let pages = pages(&team, &team.olga, &path).await;
        assert!(pages.iter().all(|page| page.len() == 1), "{path}");
        assert_eq!(pages.len(), items, "{path}");
    }
}

/// More often than listings may be read, on defaults.
#[tokio::test]
async fn a_hall_behind_one_address_loads_its_poll_and_results_and_votes() {
    let (server, _) = server(Store::default(), |_| ()).await;
    let poll = server.poll(json!({})).await;
    for at in 0..1_300 {
        assert_eq!(server.get(poll.path("")).await.status, 200, "{at}");
        assert_eq!(server.get(poll.path("/results")).await.status, 200, "{at}");
    }
    let vote = server.post(poll.path("/votes"), &poll.vote(0, "ada"));
    assert_eq!(vote.await.status, 201);
}

#[tokio::test]
async fn listings_are_counted_together_by_user_or_else_by_address() {
    let (server, _) = server(Store::default(), |core| {
        core.limits.list = Some(Limit::per_minute(2));
    })
    .await;
    let ada = Person::signs_up(&server, "ada").await;
    let polls = async || server.get("/api/v1/polls").await;
    let hers = async |path: &str| server.get(path).bearer(&ada.token).await;
    for _ in 0..2 {
        assert_eq!(polls().await.status, 200);
    }
    limited(&polls().await, "list", (2, 60), "60");
    assert_eq!(hers("/api/v1/polls").await.status, 200);
    assert_eq!(hers("/api/v1/workspaces").await.status, 200);
    limited(&hers("/api/v1/workspaces").await, "list", (2, 60), "60");
    // Whoever manages a poll is nobody else by that.
    let poll = server.poll(json!({})).await;
    let listing = server.request(Method::GET, "/api/v1/polls");
    limited(&listing.bearer(&poll.token).await, "list", (2, 60), "60");
}
