//! Workspaces: created, listed, read, renamed, deleted; and who may do so.

use http::Method;
use serde_json::json;

use crate::store::Store;
use crate::support::{Server, Start};
use crate::team::{Person, Team, text, workspace};

on_every_store! {
    a_workspace_is_created_listed_renamed_and_deleted
    the_own_workspaces_come_in_pages_newest_first
    a_workspace_is_not_listed_to_strangers
    what_breaks_a_rule_is_named
    a_user_is_in_a_bounded_number_of_workspaces
    a_workspace_that_is_deleted_takes_its_polls_along
}

async fn a_workspace_is_created_listed_renamed_and_deleted(store: Store) {
    let server = Server::on(store).await;
    let ada = Person::signs_up(&server, "ada").await;
    let ask = server.post("/api/v1/workspaces", &json!({"name": " Kitchen "}));
    let created = ask.bearer(&ada.token).await;
    assert_eq!(created.status, 201, "{}", created.text());
    let workspace = created.json();
    let path = format!("/api/v1/workspaces/{}", text(&workspace["id"]));
    assert_eq!(created.header("location"), path);
    let expected = json!({
        "id": workspace["id"], "name": "Kitchen", "role": "owner", "created_at": workspace["created_at"],
    });
    assert_eq!(workspace, expected);
    let get = |path: &str| server.get(path).bearer(&ada.token);
    assert_eq!(get(&path).await.json(), workspace);
    let list = get("/api/v1/workspaces").await.json();
    assert_eq!(list, json!({"items": [workspace], "next_cursor": null}));

    let ask = server.request(Method::PATCH, &*path);
    let renamed = ask
        .json(&json!({"name": "Galley"}))
        .bearer(&ada.token)
        .await;
    assert_eq!(renamed.status, 200);
    assert_eq!(renamed.json()["name"], "Galley");
    assert_eq!(get(&path).await.json(), renamed.json());

    let ask = || server.request(Method::DELETE, &*path).bearer(&ada.token);
    assert_eq!(ask().await.status, 204);
    get(&path).await.refuses(404, "workspace_not_found");
    ask().await.refuses(404, "workspace_not_found");
    let list = get("/api/v1/workspaces").await.json();
    assert_eq!(list["items"], json!([]));
}

async fn the_own_workspaces_come_in_pages_newest_first(store: Store) {
    let server = Server::on(store).await;
    let ada = Person::signs_up(&server, "ada").await;
    let bob = Person::signs_up(&server, "bob").await;
    for name in ["A", "B", "C"] {
        workspace(&server, &ada, name).await;
        workspace(&server, &bob, "other").await;
    }
    let page = async |query: &str| {
        let path = format!("/api/v1/workspaces{query}");
        server.get(path).bearer(&ada.token).await
    };
    let whole = page("").await.json();
    let items = whole["items"].as_array().unwrap();
    let mut ids: Vec<String> = items.iter().map(|item| text(&item["id"])).collect();
    assert!(items.iter().all(|item| item["name"] != "other"));
    let first = page("?limit=2").await.json();
    assert_eq!(first["items"], json!(items[..2]));
    let cursor = text(&first["next_cursor"]);
    let second = page(&format!("?limit=2&cursor={cursor}")).await.json();
    assert_eq!(second, json!({"items": items[2..], "next_cursor": null}));
    ids.reverse();
    assert!(ids.is_sorted() && ids.len() == 3, "{ids:?}");
    for limit in ["0", "101", "x"] {
        let refused = page(&format!("?limit={limit}")).await;
        refused.refuses_field(422, "invalid", "/limit");
    }
    let refused = page("?cursor=x").await;
    refused.refuses_field(422, "invalid", "/cursor");
}

async fn a_workspace_is_not_listed_to_strangers(store: Store) {
    let team = Team::on(store).await;
    let listed = team.server.get("/api/v1/workspaces");
    let listed = listed.bearer(&team.eve.token).await;
    assert_eq!(listed.json()["items"], json!([]));
    for path in ["/api/v1/workspaces/x", "/api/v1/workspaces/x/members"] {
        let refused = team.server.get(path).bearer(&team.eve.token).await;
        refused.refuses(404, "workspace_not_found");
    }
}

async fn what_breaks_a_rule_is_named(store: Store) {
    let team = Team::on(store).await;
    let long = "é".repeat(101);
    for name in ["", "  ", long.as_str(), "a\u{0}b", "\u{200B}"] {
        let body = json!({"name": name});
        let created = team.server.post("/api/v1/workspaces", &body);
        let created = created.bearer(&team.olga.token).await;
        created.refuses_field(422, "invalid", "/name");
        let renamed = team.patches(&team.olga, "", &body).await;
        renamed.refuses_field(422, "invalid", "/name");
        let project = team.posts(&team.olga, "/projects", &body).await;
        project.refuses_field(422, "invalid", "/name");
    }
    let name = json!({"name": "é".repeat(100)});
    assert_eq!(team.patches(&team.olga, "", &name).await.status, 200);
    let more = json!({"name": "A", "owner": team.eve.id});
    let created = team.server.post("/api/v1/workspaces", &more);
    let created = created.bearer(&team.olga.token).await;
    created.refuses_field(422, "invalid", "/owner");
    for (email, role, pointer) in [
        ("no address", "viewer", "/email"),
        ("a@example.org", "admin", "/role"),
    ] {
        let refused = team.invites(email, role).await;
        refused.refuses_field(422, "invalid", pointer);
    }
    let member = team.member(&team.vera);
    let refused = team.patches(&team.olga, &member, &json!({})).await;
    refused.refuses_field(422, "invalid", "/role");
}

async fn a_user_is_in_a_bounded_number_of_workspaces(store: Store) {
    let mut start = Start::on(store);
    start.core.workspaces.of_a_user = 2;
    start.core.workspaces.projects = 2;
    let team = Team::started(start).await;
    workspace(&team.server, &team.cora, "Second").await;
    let ask = team
        .server
        .post("/api/v1/workspaces", &json!({"name": "A"}));
    let refused = ask.bearer(&team.cora.token).await;
    refused.refuses(409, "limit_reached");
    // Leaving makes room.
    let left = team.deletes(&team.cora, &team.member(&team.cora)).await;
    assert_eq!(left.status, 204);
    workspace(&team.server, &team.cora, "Third").await;
    let project = json!({"name": "Dinner"});
    let second = team.posts(&team.olga, "/projects", &project).await;
    assert_eq!(second.status, 201);
    let third = team.posts(&team.olga, "/projects", &project).await;
    third.refuses(409, "limit_reached");
}

async fn a_workspace_that_is_deleted_takes_its_polls_along(store: Store) {
    let team = Team::on(store).await;
    let draft = team.poll(json!({})).await;
    let open = team.poll(json!({"publish": true})).await;
    let others = team.server.poll(json!({})).await;
    assert_eq!(team.deletes(&team.olga, "").await.status, 204);
    for poll in [&draft, &open] {
        let read = team.server.get(poll.path("")).bearer(&team.cora.token);
        read.await.refuses(404, "poll_not_found");
    }
    let vote = json!({"option_id": open.options[0]});
    let vote = team.server.post(open.path("/votes"), &vote);
    let vote = vote.bearer(&team.vera.token).await;
    vote.refuses(404, "poll_not_found");
    assert_eq!(team.server.get(others.path("")).await.status, 200);
    let refused = team.new_poll(&team.cora, &json!({})).await;
    refused.refuses(404, "project_not_found");
}
