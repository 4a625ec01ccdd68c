//! Hidden results: told once, and then the results as soon as they may be seen.

use polling_core::polls::{PollPatch, ShowResults, Voters};
use polling_core::users::{Credentials, NewUser};
use polling_core::{Actor, Ballot, NewPoll, PollView, Voter};
use serde_json::{Value, json};

use crate::store::Store;
use crate::support::{Client, Server, manager};

on_every_store! {
    results_come_when_the_poll_is_closed
    results_come_when_the_viewer_has_voted
    what_is_taken_away_is_told_again_and_comes_back_whole
    a_token_opens_the_eyes_of_subscriptions_that_are_there_already
    a_draft_is_there_for_its_managers_only
    nobody_looks_with_the_eyes_of_another
    signing_in_shows_what_the_users_vote_opens
    signing_in_tells_nothing_twice
    a_poll_that_goes_while_somebody_signs_in_is_told_once
}

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

async fn results_come_when_the_poll_is_closed(store: Store) {
    let server = Server::on(store).await;
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

async fn results_come_when_the_viewer_has_voted(store: Store) {
    let server = Server::on(store).await;
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

async fn what_is_taken_away_is_told_again_and_comes_back_whole(store: Store) {
    let server = Server::on(store).await;
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

async fn a_token_opens_the_eyes_of_subscriptions_that_are_there_already(store: Store) {
    let server = Server::on(store).await;
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

async fn a_draft_is_there_for_its_managers_only(store: Store) {
    let server = Server::on(store).await;
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

async fn nobody_looks_with_the_eyes_of_another(store: Store) {
    let server = Server::on(store).await;
    let new = NewPoll::single("?", ["a", "b"])
        .voters(Voters::Registered)
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

/// A poll in which users vote, and which shows its results to those who have.
async fn users_poll(server: &Server) -> PollView {
    let new = NewPoll::single("?", ["a", "b"])
        .voters(Voters::Registered)
        .show_results(ShowResults::AfterVote)
        .published();
    server.create(&Actor::anonymous(), new).await
}

/// A new user, and the frame that signs them in.
async fn user(server: &Server, name: &str) -> (Actor, Value) {
    let users = server.engine.users().unwrap();
    let (email, password) = (format!("{name}@example.com"), "correct horse battery");
    let new = NewUser::new(name, &email, password);
    let user = users.create(&Actor::anonymous(), new).await.unwrap();
    let access = users
        .sign_in(&Actor::anonymous(), Credentials::new(&email, password))
        .await;
    let token = access.unwrap().access_token;
    (
        Actor::user(user.id),
        json!({"type": "authenticate", "token": token}),
    )
}

async fn cast(server: &Server, actor: &Actor, poll: &PollView) {
    let ballot = Ballot::of(poll.id, Voter::Caller, [0]);
    server.engine.votes().cast(actor, ballot).await.unwrap();
}

async fn sign_in(client: &mut Client, token: &Value) {
    assert_eq!(client.ask(token.clone()).await, json!({"type": "ok"}));
}

async fn signing_in_shows_what_the_users_vote_opens(store: Store) {
    let server = Server::on(store).await;
    let (voted, other) = (users_poll(&server).await, users_poll(&server).await);
    let ((ada, as_ada), (bob, _)) = (user(&server, "ada").await, user(&server, "bob").await);
    cast(&server, &ada, &voted).await;
    let mut viewer = server.client().await;
    for poll in [&voted, &other] {
        assert_hidden(&viewer.ask(subscribe(poll, None)).await, poll, &json!(1));
    }

    sign_in(&mut viewer, &as_ada).await;
    let seen = viewer.next().await;
    assert_eq!(
        (&seen["type"], &seen["poll_id"], &seen["ballots"]),
        (&json!("results"), &json!(voted.id), &json!(1))
    );
    assert!(seen.get("ref").is_none(), "it answers no frame");
    // The other poll's results stay hidden, which was said, until she votes there, and whoever else does.
    cast(&server, &bob, &other).await;
    viewer.hears_nothing().await;
    cast(&server, &ada, &other).await;
    let seen = viewer.next().await;
    assert_eq!(
        (&seen["poll_id"], &seen["ballots"]),
        (&json!(other.id), &json!(2))
    );
    viewer.hears_nothing().await;
}

async fn signing_in_tells_nothing_twice(store: Store) {
    let server = Server::on(store).await;
    let (shown, open) = (
        users_poll(&server).await,
        poll(&server, ShowResults::AfterVote).await,
    );
    let ((ada, as_ada), (bob, as_bob)) = (user(&server, "ada").await, user(&server, "bob").await);
    for actor in [&ada, &bob] {
        cast(&server, actor, &shown).await;
    }
    let mut viewer = server.client().await;
    sign_in(&mut viewer, &as_ada).await;
    let first = viewer.ask(subscribe(&shown, None)).await;
    assert_eq!(
        (&first["type"], &first["ballots"]),
        (&json!("results"), &json!(2))
    );
    // On the other one she looks as somebody whom she names, and stays that whoever signs in.
    server.client().await.vote(&open, "eve").await;
    let named = viewer.ask(subscribe(&open, Some("eve"))).await;
    assert_eq!(named["type"], "results");

    // Again, and as another who may see the same: the next frames are of the next ballots.
    for token in [&as_ada, &as_bob] {
        sign_in(&mut viewer, token).await;
        viewer.hears_nothing().await;
    }
    let (eve, as_eve) = user(&server, "eve").await;
    cast(&server, &eve, &shown).await;
    assert_eq!(viewer.next().await["ballots"], 3);
    server.client().await.vote(&open, "joe").await;
    let seen = viewer.next().await;
    assert_eq!(
        (&seen["poll_id"], &seen["ballots"]),
        (&json!(open.id), &json!(2))
    );
    sign_in(&mut viewer, &as_eve).await;
    viewer.hears_nothing().await;
}

async fn a_poll_that_goes_while_somebody_signs_in_is_told_once(store: Store) {
    let server = Server::on(store).await;
    let poll = users_poll(&server).await;
    let (_, as_ada) = user(&server, "ada").await;
    let mut viewer = server.client().await;
    assert_hidden(&viewer.ask(subscribe(&poll, None)).await, &poll, &json!(1));
    let boss = manager(&server.engine, &poll).await;
    viewer.send(&as_ada).await;
    server.engine.polls().delete(&boss, poll.id).await.unwrap();
    let mut types = [viewer.next().await, viewer.next().await].map(|it| it["type"].to_string());
    types.sort();
    assert_eq!(types, [r#""ok""#, r#""poll_deleted""#]);
    viewer.hears_nothing().await;
}
