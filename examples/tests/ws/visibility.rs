//! Hidden results: told once, and then the results as soon as they may be seen.

use polling_core::polls::{PollPatch, ShowResults};
use polling_core::{Actor, NewPoll, PollView};
use serde_json::{Value, json};

use crate::support::{Server, manager};

async fn poll(server: &Server, show: ShowResults) -> PollView {
    let new = NewPoll::single("?", ["a", "b"])
        .show_results(show)
        .published();
    server.create(&Actor::anonymous(), new).await
}

fn subscribe(poll: &PollView, voter: Option<&str>) -> Value {
    json!({"type": "subscribe", "ref": 1, "poll_id": poll.id, "voter": voter})
}

fn assert_hidden(frame: &Value, poll: &PollView, reference: &Value) {
    assert_eq!(frame["type"], "error", "{frame}");
    assert_eq!(frame["code"], "results_hidden");
    assert_eq!(frame["poll_id"], json!(poll.id));
    assert_eq!(&frame["ref"], reference);
    assert!(frame["message"].is_string());
}

#[tokio::test]
async fn results_come_when_the_poll_is_closed() {
    let server = Server::start().await;
    let poll = poll(&server, ShowResults::AfterClose).await;
    let mut viewer = server.client().await;
    assert_hidden(&viewer.ask(subscribe(&poll, None)).await, &poll, &json!(1));
    server.client().await.vote(&poll, "ada").await;
    viewer.hears_nothing().await;

    let closer = manager(&server.engine, &poll).await;
    server.engine.polls().close(&closer, poll.id).await.unwrap();
    let frame = viewer.next().await;
    assert_eq!(
        (&frame["type"], &frame["final"]),
        (&json!("results"), &json!(true))
    );
    assert_eq!(frame["ballots"], 1);
}

#[tokio::test]
async fn results_come_when_the_viewer_has_voted() {
    let server = Server::start().await;
    let poll = poll(&server, ShowResults::AfterVote).await;
    let (mut ada, mut bob) = (server.client().await, server.client().await);
    assert_hidden(
        &ada.ask(subscribe(&poll, Some("ada"))).await,
        &poll,
        &json!(1),
    );
    assert_hidden(
        &bob.ask(subscribe(&poll, Some("bob"))).await,
        &poll,
        &json!(1),
    );
    // Ada votes on another connection.
    server.client().await.vote(&poll, "ada").await;
    assert_eq!(ada.results_with(1).await["ballots"], 1);
    bob.hears_nothing().await;

    // On the same one, the answer and the results may come in any order.
    let mut eve = server.client().await;
    eve.ask(subscribe(&poll, Some("eve"))).await;
    eve.send(&crate::support::vote(&poll, "eve")).await;
    let mut types = [eve.next().await, eve.next().await].map(|frame| frame["type"].to_string());
    types.sort();
    assert_eq!(types, [r#""ack""#, r#""results""#]);
}

#[tokio::test]
async fn what_is_taken_away_is_told_again_and_comes_back_whole() {
    let server = Server::start().await;
    let poll = poll(&server, ShowResults::Always).await;
    let boss = manager(&server.engine, &poll).await;
    let show = async |show: &str| {
        let patch: PollPatch = serde_json::from_value(json!({"show_results": show})).unwrap();
        server
            .engine
            .polls()
            .edit(&boss, poll.id, patch)
            .await
            .unwrap();
    };
    let mut viewer = server.client().await;
    let first = viewer.ask(subscribe(&poll, None)).await;
    assert_eq!(first["type"], "results");
    show("managers").await;
    assert_hidden(&viewer.next().await, &poll, &Value::Null);
    show("always").await;
    let back = viewer.next().await;
    assert_eq!(back["type"], "results");
    assert!(back["revision"].as_u64() > first["revision"].as_u64());
}

#[tokio::test]
async fn a_token_opens_the_eyes_of_subscriptions_that_are_there_already() {
    let server = Server::start().await;
    let (one, other) = (
        poll(&server, ShowResults::Managers).await,
        poll(&server, ShowResults::Managers).await,
    );
    let mut viewer = server.client().await;
    for poll in [&one, &other] {
        assert_hidden(&viewer.ask(subscribe(poll, None)).await, poll, &json!(1));
    }
    for poll in [&one, &other] {
        let token = json!({"type": "authenticate", "token": poll.manage_token});
        assert_eq!(viewer.ask(token).await, json!({"type": "ok"}));
        let seen = viewer.next().await;
        assert_eq!(
            (&seen["type"], &seen["poll_id"]),
            (&json!("results"), &json!(poll.id))
        );
    }
    // Both tokens count, side by side.
    let mut voter = server.client().await;
    for poll in [&one, &other] {
        voter.vote(poll, "ada").await;
        assert_eq!(viewer.next().await["poll_id"], json!(poll.id));
    }
}

#[tokio::test]
async fn a_draft_is_there_for_its_managers_only() {
    let server = Server::start().await;
    let draft = NewPoll::single("?", ["a", "b"]);
    let draft = server.create(&Actor::anonymous(), draft).await;
    let mut client = server.client().await;
    let unseen = client.ask(subscribe(&draft, None)).await;
    assert_eq!(unseen["code"], "poll_not_found");
    assert_eq!(client.vote(&draft, "ada").await["code"], "poll_not_found");
    let token = json!({"type": "authenticate", "token": draft.manage_token});
    client.ask(token).await;
    let seen = client.ask(subscribe(&draft, None)).await;
    assert_eq!(
        (&seen["status"], &seen["revision"]),
        (&json!("draft"), &json!(0))
    );
    assert_eq!(client.vote(&draft, "ada").await["code"], "poll_draft");
}

#[tokio::test]
async fn nobody_looks_with_the_eyes_of_another() {
    let server = Server::start().await;
    let new = NewPoll::single("?", ["a", "b"])
        .voters(polling_core::polls::Voters::Registered)
        .show_results(ShowResults::AfterVote)
        .published();
    let poll = server.create(&Actor::anonymous(), new).await;
    let mut client = server.client().await;
    let refused = client.ask(subscribe(&poll, Some("ada"))).await;
    assert_eq!(
        (&refused["code"], &refused["ref"]),
        (&json!("forbidden"), &json!(1))
    );
    let empty = client
        .ask(subscribe(
            &self::poll(&server, ShowResults::Always).await,
            Some(""),
        ))
        .await;
    assert_eq!(empty["errors"][0]["pointer"], "/voter");
}
