//! Polls that belong to a project: who creates, manages, finds and lists them.

use http::Method;
use serde_json::{Value, json};

use crate::store::Store;
use crate::support::{Poll, Server};
use crate::team::{Person, Team, text};

on_every_store! {
    projects_are_created_listed_renamed_and_deleted
    a_poll_of_a_project_is_created_by_who_may
    a_poll_of_a_project_is_managed_by_role_and_not_by_having_created_it
    a_draft_of_a_project_is_there_for_who_manages_it
    the_polls_of_a_project_are_listed_to_its_members
    the_own_polls_are_those_of_no_project
    results_for_managers_are_for_who_manages_the_project
    who_manages_the_project_may_vouch
    a_project_that_is_deleted_takes_its_polls_along
}

async fn projects_are_created_listed_renamed_and_deleted(store: Store) {
    let team = Team::on(store).await;
    let created = team.posts(&team.cora, "/projects", &json!({"name": " Dinner "}));
    let created = created.await;
    assert_eq!(created.status, 201);
    let project = created.json();
    let workspace = team.path.rsplit('/').next().unwrap();
    let expected = json!({
        "id": project["id"], "workspace_id": workspace, "name": "Dinner", "created_at": project["created_at"],
    });
    assert_eq!(project, expected);
    let page = team.gets(&team.vera, "/projects?limit=1").await.json();
    assert_eq!(page["items"], json!([project]), "the newest first");
    assert_eq!(page["next_cursor"], project["id"]);
    let rest = format!("/projects?cursor={}", text(&project["id"]));
    let page = team.gets(&team.vera, &rest).await.json();
    assert_eq!(page["items"][0]["id"], team.project);

    let rest = format!("/projects/{}", text(&project["id"]));
    let renamed = team.patches(&team.cora, &rest, &json!({"name": "Supper"}));
    let renamed = renamed.await;
    assert_eq!(
        (renamed.status.as_u16(), &renamed.json()["name"]),
        (200, &json!("Supper"))
    );
    assert_eq!(team.deletes(&team.cora, &rest).await.status, 204);
    for rest in [&*rest, "/projects/x"] {
        let deleted = team.deletes(&team.olga, rest).await;
        deleted.refuses(404, "project_not_found");
        let renamed = team.patches(&team.olga, rest, &json!({"name": "A"})).await;
        renamed.refuses(404, "project_not_found");
    }
}

async fn a_poll_of_a_project_is_created_by_who_may(store: Store) {
    let team = Team::on(store).await;
    for person in [&team.olga, &team.cora] {
        let created = team.new_poll(person, &json!({})).await;
        assert_eq!(created.status, 201);
        let poll = created.json();
        assert_eq!(poll["project_id"], team.project);
        assert_eq!(poll["creator_id"], person.id);
        assert_eq!(poll["voters"], "registered");
        assert!(poll.get("manage_token").is_none());
    }
    let refused = team.new_poll(&team.vera, &json!({})).await;
    refused.refuses(403, "forbidden");
    let refused = team.new_poll(&team.eve, &json!({})).await;
    refused.refuses(404, "project_not_found");
    let nowhere = "018f3c6e-0000-7000-8000-000000000001";
    let refused = team
        .new_poll(&team.olga, &json!({"project_id": nowhere}))
        .await;
    refused.refuses(404, "project_not_found");
    let refused = team.new_poll(&team.olga, &json!({"project_id": "x"})).await;
    refused.refuses_field(422, "invalid", "/project_id");
    let body = json!({"question": "Q", "options": ["A", "B"], "project_id": team.project});
    let nameless = team.server.post("/api/v1/polls", &body).await;
    nameless.refuses(401, "unauthorized");
    // It stays where it is.
    let poll = team.poll(json!({})).await;
    let ask = team.server.request(Method::PATCH, poll.path(""));
    let moved = ask
        .json(&json!({"project_id": null}))
        .bearer(&team.olga.token);
    moved.await.refuses_field(422, "invalid", "/project_id");
}

/// What changes a poll, in an order in which each can be done.
fn changes(poll: &Poll) -> [(Method, String, Value); 4] {
    [
        (Method::PATCH, poll.path(""), json!({"description": "Hot"})),
        (Method::POST, poll.path("/publish"), Value::Null),
        (Method::POST, poll.path("/close"), Value::Null),
        (Method::DELETE, poll.path(""), Value::Null),
    ]
}

async fn a_poll_of_a_project_is_managed_by_role_and_not_by_having_created_it(store: Store) {
    let team = Team::on(store).await;
    let send = async |person: &Person, (method, path, body): (Method, String, Value)| {
        let ask = team.server.request(method, path).json(&body);
        ask.bearer(&person.token).await
    };
    // The owner manages what the collaborator has created.
    for change in changes(&team.poll(json!({})).await) {
        let done = send(&team.olga, change).await;
        assert!(done.status.is_success(), "{}", done.text());
    }
    let (draft, open) = (
        team.poll(json!({})).await,
        team.poll(json!({"publish": true})).await,
    );
    let cora = team.member(&team.cora);
    let viewer = json!({"role": "viewer"});
    assert_eq!(team.patches(&team.olga, &cora, &viewer).await.status, 200);
    for leaves in [false, true] {
        if leaves {
            assert_eq!(team.deletes(&team.cora, &cora).await.status, 204);
        }
        for change in changes(&draft) {
            send(&team.cora, change)
                .await
                .refuses(404, "poll_not_found");
        }
        for change in changes(&open) {
            send(&team.cora, change).await.refuses(403, "forbidden");
        }
    }
    team.joins(&team.cora, "collaborator").await;
    for change in changes(&draft) {
        assert!(send(&team.cora, change).await.status.is_success());
    }
}

async fn a_draft_of_a_project_is_there_for_who_manages_it(store: Store) {
    let team = Team::on(store).await;
    let draft = team.poll(json!({})).await;
    let vote = json!({"option_id": draft.options[0]});
    for (person, finds) in [
        (&team.olga, true),
        (&team.cora, true),
        (&team.vera, false),
        (&team.eve, false),
    ] {
        for rest in ["", "/results"] {
            let read = team
                .server
                .get(draft.path(rest))
                .bearer(&person.token)
                .await;
            if finds {
                assert_eq!(read.status, 200);
            } else {
                read.refuses(404, "poll_not_found");
            }
        }
        let ask = team.server.post(draft.path("/votes"), &vote);
        let voted = ask.bearer(&person.token).await;
        let (status, code) = if finds {
            (409, "poll_draft")
        } else {
            (404, "poll_not_found")
        };
        voted.refuses(status, code);
    }
}

async fn listed(server: &Server, person: &Person, query: &str) -> Vec<String> {
    let path = format!("/api/v1/polls{query}");
    let page = server.get(path).bearer(&person.token).await;
    assert_eq!(page.status, 200, "{}", page.text());
    let page = page.json();
    let items = page["items"].as_array().unwrap().iter();
    items.map(|poll| text(&poll["id"])).collect()
}

async fn the_polls_of_a_project_are_listed_to_its_members(store: Store) {
    let team = Team::on(store).await;
    let open = team.poll(json!({"publish": true})).await.id;
    let draft = team.poll(json!({"listed": true})).await.id;
    let last = team.poll(json!({"publish": true})).await.id;
    team.server.poll(json!({"listed": true})).await;
    let query = format!("?project_id={}", team.project);
    for person in [&team.olga, &team.cora] {
        let all = [last.clone(), draft.clone(), open.clone()];
        assert_eq!(listed(&team.server, person, &query).await, all);
    }
    let published = [last.clone(), open.clone()];
    assert_eq!(listed(&team.server, &team.vera, &query).await, published);
    let page = format!("{query}&limit=1&cursor={last}");
    assert_eq!(listed(&team.server, &team.vera, &page).await, [open]);
    let path = format!("/api/v1/polls{query}");
    let stranger = team.server.get(&*path).bearer(&team.eve.token).await;
    stranger.refuses(404, "project_not_found");
    let nameless = team.server.get(&*path).await;
    nameless.refuses(401, "unauthorized");
    let malformed = team.server.get("/api/v1/polls?project_id=x").await;
    malformed.refuses_field(422, "invalid", "/project_id");
}

async fn the_own_polls_are_those_of_no_project(store: Store) {
    let team = Team::on(store).await;
    team.poll(json!({})).await;
    let shown = team.poll(json!({"publish": true, "listed": true})).await.id;
    let body = json!({"question": "Mine?", "options": ["A", "B"]});
    let own = team.server.post("/api/v1/polls", &body);
    let own = text(&own.bearer(&team.cora.token).await.json()["id"]);
    assert_eq!(
        listed(&team.server, &team.cora, "").await,
        [own, shown.clone()]
    );
    assert_eq!(listed(&team.server, &team.eve, "").await, [shown]);
}

async fn results_for_managers_are_for_who_manages_the_project(store: Store) {
    let team = Team::on(store).await;
    let fields = json!({"publish": true, "show_results": "managers", "listed": true});
    let poll = team.poll(fields).await;
    for (person, sees) in [
        (&team.olga, true),
        (&team.cora, true),
        (&team.vera, false),
        (&team.eve, false),
    ] {
        let results = team.server.get(poll.path("/results"));
        let results = results.bearer(&person.token).await;
        assert_eq!(
            results.status,
            if sees { 200 } else { 403 },
            "{}",
            person.name
        );
        let listing = team.server.get("/api/v1/polls").bearer(&person.token);
        let listing = listing.await.json();
        assert_eq!(listing["items"][0]["results"].is_object(), sees);
    }
}

async fn who_manages_the_project_may_vouch(store: Store) {
    let team = Team::on(store).await;
    let poll = team
        .poll(json!({"publish": true, "voters": "vouched"}))
        .await;
    let vote = async |person: &Person, voter: &str| {
        let ask = team.server.post(poll.path("/votes"), &poll.vote(0, voter));
        ask.bearer(&person.token).await
    };
    assert_eq!(vote(&team.olga, "a").await.status, 201);
    assert_eq!(vote(&team.cora, "b").await.status, 201);
    vote(&team.vera, "c").await.refuses(403, "forbidden");
    vote(&team.eve, "d").await.refuses(403, "forbidden");
    let cora = team.member(&team.cora);
    assert_eq!(team.deletes(&team.olga, &cora).await.status, 204);
    vote(&team.cora, "e").await.refuses(403, "forbidden");
}

async fn a_project_that_is_deleted_takes_its_polls_along(store: Store) {
    let team = Team::on(store).await;
    let mut polls = Vec::new();
    for publish in [true, false, true] {
        polls.push(team.poll(json!({ "publish": publish })).await);
    }
    let dinner = team.posts(&team.cora, "/projects", &json!({"name": "Dinner"}));
    let dinner = dinner.await.json();
    let other = team.new_poll(&team.cora, &json!({"project_id": dinner["id"]}));
    let other = Poll::of(&other.await.json());
    let rest = format!("/projects/{}", team.project);
    assert_eq!(team.deletes(&team.cora, &rest).await.status, 204);
    for poll in &polls {
        let read = team.server.get(poll.path("")).bearer(&team.olga.token);
        read.await.refuses(404, "poll_not_found");
    }
    let created = team.new_poll(&team.cora, &json!({})).await;
    created.refuses(404, "project_not_found");
    let kept = team.server.get(other.path("")).bearer(&team.olga.token);
    assert_eq!(kept.await.status, 200);
}
