//! Workspaces: created, listed, read, renamed, deleted; and who may do so.

use http::Method;
use serde_json::{Value, json};

use crate::store::Store;
use crate::support::{Server, Start};
use crate::team::{Person, Team, text, workspace};

on_every_store! {
    a_workspace_is_created_listed_renamed_and_deleted
    the_own_workspaces_come_in_pages_newest_first
    a_workspace_is_not_there_for_strangers
    a_viewer_changes_nothing_whatever_they_try
    a_collaborator_changes_projects_and_nothing_else
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

/// Everything that can be asked of a workspace, with what would do: those that only look first.
fn every_request(team: &Team) -> Vec<(Method, String, Value)> {
    let read = |rest: &str| (Method::GET, rest.to_owned(), Value::Null);
    let mut all = vec![read(""), read("/members"), read("/projects")];
    all.extend(owners_requests(team));
    all.extend(collaborators_requests(team));
    all
}

fn collaborators_requests(team: &Team) -> Vec<(Method, String, Value)> {
    let project = format!("/projects/{}", team.project);
    vec![
        (Method::POST, "/projects".into(), json!({"name": "Dinner"})),
        (Method::PATCH, project.clone(), json!({"name": "Brunch"})),
        (Method::DELETE, project, Value::Null),
    ]
}

fn owners_requests(team: &Team) -> Vec<(Method, String, Value)> {
    let nobody = "018f3c6e-0000-7000-8000-000000000001";
    let invitation = format!("/invitations/{nobody}");
    let role = json!({"role": "viewer"});
    let invite = json!({"email": "x@example.org", "role": "owner"});
    vec![
        (Method::PATCH, String::new(), json!({"name": "Galley"})),
        (Method::GET, "/invitations".into(), Value::Null),
        (Method::POST, "/invitations".into(), invite),
        (Method::DELETE, invitation, Value::Null),
        (Method::PATCH, team.member(&team.olga), role.clone()),
        (Method::PATCH, format!("/members/{nobody}"), role),
        (Method::DELETE, team.member(&team.olga), Value::Null),
        (Method::DELETE, String::new(), Value::Null),
    ]
}

async fn a_workspace_is_not_there_for_strangers(store: Store) {
    let team = Team::on(store).await;
    let listed = team.server.get("/api/v1/workspaces");
    let listed = listed.bearer(&team.eve.token).await;
    assert_eq!(listed.json()["items"], json!([]));
    for (method, rest, body) in every_request(&team) {
        let ask = team.asks(&team.eve, method.clone(), &rest).json(&body);
        ask.await.refuses(404, "workspace_not_found");
        let path = format!("{}{rest}", team.path);
        let nameless = team.server.request(method, path).json(&body).await;
        nameless.refuses(401, "unauthorized");
    }
    // Owning another workspace is no key to this one, nor do ids of the one open doors in the other.
    let hers = workspace(&team.server, &team.eve, "Cellar").await;
    for rest in [
        format!("/projects/{}", team.project),
        team.member(&team.vera),
    ] {
        let (method, body) = if rest.starts_with("/projects") {
            (Method::PATCH, json!({"name": "Mine"}))
        } else {
            (Method::PATCH, json!({"role": "owner"}))
        };
        let ask = team.server.request(method, format!("{hers}{rest}"));
        let refused = ask.json(&body).bearer(&team.eve.token).await;
        assert_eq!(refused.status, 404, "{}", refused.text());
        let ask = team.server.request(Method::DELETE, format!("{hers}{rest}"));
        let refused = ask.bearer(&team.eve.token).await;
        assert_eq!(refused.status, 404, "{}", refused.text());
    }
    for path in ["/api/v1/workspaces/x", "/api/v1/workspaces/x/members"] {
        let refused = team.server.get(path).bearer(&team.eve.token).await;
        refused.refuses(404, "workspace_not_found");
    }
    let workspace = team.gets(&team.olga, "").await.json();
    assert_eq!(workspace["name"], "Kitchen");
    let roles = json!({"olga": "owner", "cora": "collaborator", "vera": "viewer"});
    assert_eq!(team.roles().await, roles);
}

async fn a_viewer_changes_nothing_whatever_they_try(store: Store) {
    let team = Team::on(store).await;
    let state = async || {
        let mut all = Vec::new();
        for rest in ["", "/members", "/projects", "/invitations"] {
            all.push(team.gets(&team.olga, rest).await.json());
        }
        all
    };
    let before = state().await;
    for (method, rest, body) in every_request(&team) {
        let is_read = method == Method::GET && rest != "/invitations";
        let answer = team.asks(&team.vera, method, &rest).json(&body).await;
        if is_read {
            assert_eq!(answer.status, 200, "{rest}");
        } else {
            answer.refuses(403, "forbidden");
        }
    }
    let promoted = team.member(&team.vera);
    let ask = team.patches(&team.vera, &promoted, &json!({"role": "owner"}));
    ask.await.refuses(403, "forbidden");
    assert_eq!(state().await, before);
}

async fn a_collaborator_changes_projects_and_nothing_else(store: Store) {
    let team = Team::on(store).await;
    for (method, rest, body) in owners_requests(&team) {
        let ask = team.asks(&team.cora, method, &rest).json(&body);
        ask.await.refuses(403, "forbidden");
    }
    for (method, rest, body) in collaborators_requests(&team) {
        let done = team.asks(&team.cora, method, &rest).json(&body).await;
        assert!(done.status.is_success(), "{rest}: {}", done.text());
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
