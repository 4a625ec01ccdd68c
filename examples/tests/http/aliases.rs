//! The routes of older systems.

use http::Method;
use serde_json::json;

use crate::store::Store;
use crate::support::{Poll, Server};

on_every_store! {
    a_poll_is_published_at_once_unless_its_creator_says_otherwise
    a_poll_is_found_changed_and_deleted_without_the_prefix
    a_vote_is_cast_under_the_names_of_older_systems
    a_vote_that_names_no_poll_is_told_so
    the_new_routes_refuse_what_they_do_not_know
}

async fn a_poll_is_published_at_once_unless_its_creator_says_otherwise(store: Store) {
    let server = Server::on(store).await;
    let body = json!({"title": "Which?", "options": ["A", "B"], "expired_at": "2126-01-01T00:00:00Z", "category": "misc"});
    let answer = server.post("/polls", &body).await;
    assert_eq!(answer.status, 201);
    let poll = answer.json();
    assert_eq!(poll["status"], "open");
    assert_eq!(
        answer.header("location"),
        format!("/api/v1/polls/{}", poll["id"].as_str().unwrap())
    );
    let body = json!({"title": "Which?", "options": ["A", "B"], "publish": false});
    assert_eq!(server.post("/polls", &body).await.json()["status"], "draft");
}

async fn a_poll_is_found_changed_and_deleted_without_the_prefix(store: Store) {
    let server = Server::on(store).await;
    let poll = server.poll(json!({"listed": true})).await;
    let path = format!("/polls/{}", poll.id);
    assert_eq!(
        server.get(&*path).await.json(),
        server.get(poll.path("")).await.json()
    );
    assert_eq!(
        server.get("/polls").await.json()["items"][0]["id"],
        poll.id.as_str()
    );
    let patch = server.request(Method::PATCH, &*path).bearer(&poll.token);
    let patched = patch
        .json(&json!({"description": "Now.", "color": "red"}))
        .await;
    assert_eq!(patched.json()["description"], "Now.");
    let delete = server.request(Method::DELETE, &*path).bearer(&poll.token);
    assert_eq!(delete.await.status, 204);
    server.get(&*path).await.refuses(404, "poll_not_found");
}

async fn a_vote_is_cast_under_the_names_of_older_systems(store: Store) {
    let server = Server::on(store).await;
    let poll = server.poll(json!({})).await;
    let (tea, coffee) = (&poll.options[0], &poll.options[1]);
    let path = format!("/polls/{}/vote", poll.id);
    let cast = async |path: &str, body| {
        let answer = server.post(path, &body).await;
        (
            answer.status.as_u16(),
            answer.json()["voter"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        )
    };
    assert_eq!(
        cast(&path, json!({"option_id": tea, "user_id": "1", "at": 7})).await,
        (201, "1".into())
    );
    assert_eq!(
        cast(&path, json!({"optionId": tea, "userId": "2"})).await,
        (201, "2".into())
    );
    let body = json!({"pollId": poll.id, "optionId": coffee, "userId": "3", "source": "app"});
    assert_eq!(cast("/vote", body.clone()).await, (201, "3".into()));
    assert_eq!(cast("/vote", body).await, (200, "3".into()));
    let results = server.get(poll.path("/results")).await.json();
    assert_eq!(
        (
            &results["options"][0]["votes"],
            &results["options"][1]["votes"]
        ),
        (&json!(2), &json!(1))
    );
}

async fn a_vote_that_names_no_poll_is_told_so(store: Store) {
    let server = Server::on(store).await;
    let poll = server.poll(json!({})).await;
    let cast = async |body| server.post("/vote", &body).await;
    cast(json!({"optionId": poll.options[0]}))
        .await
        .refuses_field(422, "invalid", "/poll_id");
    cast(json!({"pollId": "x", "optionId": poll.options[0]}))
        .await
        .refuses_field(422, "invalid", "/pollId");
    cast(json!({"pollId": poll.id, "userId": "1"}))
        .await
        .refuses_field(422, "invalid", "/option_id");
    cast(json!({"pollId": poll.id, "optionId": "x"}))
        .await
        .refuses_field(422, "invalid", "/optionId");
}

async fn the_new_routes_refuse_what_they_do_not_know(store: Store) {
    let server = Server::on(store).await;
    let body = json!({"question": "Which?", "options": ["A", "B"], "category": "misc"});
    let answer = server.post("/api/v1/polls", &body).await;
    answer.refuses_field(422, "invalid", "/category");
    let draft = Poll::of(
        &server
            .post(
                "/api/v1/polls",
                &json!({"question": "Which?", "options": ["A", "B"]}),
            )
            .await
            .json(),
    );
    let patch = server
        .request(Method::PATCH, draft.path(""))
        .bearer(&draft.token);
    patch
        .json(&json!({"colour": 1}))
        .await
        .refuses_field(422, "invalid", "/colour");
}
