//! Votes: acknowledged when they are durable, many side by side.

use std::collections::HashSet;

use polling_core::polls::Voters;
use polling_core::users::{Credentials, NewUser};
use polling_core::{Actor, NewPoll};
use serde_json::json;

use crate::store::Store;
use crate::support::{Server, manager, soon, vote};

on_every_store! {
    a_vote_is_acknowledged_with_its_receipt
    errors_of_the_engine_come_with_their_codes_and_fields
    who_vouches_says_so_with_a_token
    registered_users_vote_with_their_access_token
    many_votes_in_flight_are_each_answered
    bug_17_a_disconnect_removes_no_vote
}

async fn a_vote_is_acknowledged_with_its_receipt(store: Store) {
    let server = Server::on(store).await;
    let (mut client, poll) = (server.client().await, server.poll().await);
    let ballot_id = "0193a5b0-7c3e-7d52-8f5e-6f0d3a1c2b4d";
    let mut frame = vote(&poll, "ada");
    frame["ballot_id"] = json!(ballot_id);
    let ack = client.ask(frame.clone()).await;
    assert_eq!(ack["type"], "ack");
    assert_eq!(ack["ref"], "ada");
    assert_eq!(ack["poll_id"], json!(poll.id));
    let receipt = &ack["receipt"];
    assert_eq!(receipt["ballot_id"], ballot_id);
    assert_eq!(receipt["poll_id"], json!(poll.id));
    assert_eq!(receipt["voter"], "ada");
    assert_eq!(receipt["revision"], 2);
    assert!(receipt["cast_at"].as_str().unwrap().ends_with('Z'));

    // The same again is the same receipt.
    let again = client.ask(frame.clone()).await;
    assert_eq!(&again["receipt"]["cast_at"], &receipt["cast_at"]);
    assert_eq!(again["receipt"]["ballot_id"], ballot_id);
    let mut without_ref = vote(&poll, "bob");
    without_ref.as_object_mut().unwrap().remove("ref");
    let ack = client.ask(without_ref).await;
    assert!(ack.get("ref").is_none(), "{ack}");

    // In the other form; the same content.
    let ids = json!({"type": "vote", "poll_id": poll.id, "option_ids": [poll.options[0].id], "voter": "ada"});
    assert_eq!(client.ask(ids).await["receipt"]["ballot_id"], ballot_id);
}

async fn errors_of_the_engine_come_with_their_codes_and_fields(store: Store) {
    let server = Server::on(store).await;
    let (mut client, poll) = (server.client().await, server.poll().await);
    let other = server.poll().await;
    let option = |at: usize| json!(poll.options[at].id);
    client.vote(&poll, "ada").await;

    let with = |field: &str, value: serde_json::Value| {
        let mut frame = vote(&poll, "ada");
        frame[field] = value;
        frame
    };
    let refused = client.ask(with("option_id", option(1))).await;
    assert_eq!(
        (&refused["code"], &refused["ref"]),
        (&json!("already_voted"), &json!("ada"))
    );
    assert_eq!(
        (&refused["type"], &refused["poll_id"]),
        (&json!("error"), &json!(poll.id))
    );
    assert!(refused.get("errors").is_none());

    let refused = client
        .ask(with("option_id", json!(other.options[0].id)))
        .await;
    assert_eq!(refused["code"], "option_unknown");
    assert_eq!(refused["errors"][0]["pointer"], "/option_id");

    let mut both = with("option_ids", json!([option(0), option(1)]));
    both.as_object_mut().unwrap().remove("option_id");
    let refused = client.ask(both).await;
    assert_eq!(refused["code"], "selection_invalid");
    assert_eq!(refused["errors"][0]["code"], "selection_invalid");

    assert_eq!(
        client.ask(with("voter", json!(null))).await["code"],
        "voter_required"
    );
    let refused = client.ask(with("voter", json!(""))).await;
    assert_eq!(refused["errors"][0]["pointer"], "/voter");
    let nowhere = "0193a5b0-7c3e-7d52-8f5e-6f0d3a1c2b4d";
    assert_eq!(
        client.ask(with("poll_id", json!(nowhere))).await["code"],
        "poll_not_found"
    );

    let closer = manager(&server.engine, &poll).await;
    server.engine.polls().close(&closer, poll.id).await.unwrap();
    assert_eq!(client.vote(&poll, "eve").await["code"], "poll_closed");
    // A retry is recognised all the same.
    assert_eq!(client.vote(&poll, "ada").await["type"], "ack");
}

async fn who_vouches_says_so_with_a_token(store: Store) {
    let server = Server::on(store).await;
    let new = NewPoll::single("?", ["a", "b"])
        .voters(Voters::Vouched)
        .published();
    let poll = server.create(&Actor::anonymous(), new).await;
    let mut client = server.client().await;
    assert_eq!(client.vote(&poll, "ada").await["code"], "forbidden");
    let token = poll.manage_token.as_deref().unwrap();
    // The frames come in order: the vote after the token has its rights.
    client
        .send(&json!({"type": "authenticate", "ref": "t", "token": token}))
        .await;
    client.send(&vote(&poll, "ada")).await;
    assert_eq!(client.next().await, json!({"type": "ok", "ref": "t"}));
    assert_eq!(client.next().await["type"], "ack");
}

async fn registered_users_vote_with_their_access_token(store: Store) {
    let server = Server::on(store).await;
    let users = server.engine.users().unwrap();
    let (email, password) = ("ada@example.com", "correct horse battery");
    let new = NewUser::new("Ada", email, password);
    let user = users.create(&Actor::anonymous(), new).await.unwrap();
    let access = users
        .sign_in(&Actor::anonymous(), Credentials::new(email, password))
        .await
        .unwrap();
    let new = NewPoll::single("?", ["a", "b"]).published();
    let poll = server.create(&Actor::user(user.id), new).await;

    let mut client = server.client().await;
    let frame = json!({"type": "vote", "poll_id": poll.id, "option_id": poll.options[0].id});
    assert_eq!(client.ask(frame.clone()).await["code"], "unauthorized");
    let refused = client
        .ask(json!({"type": "authenticate", "ref": 1, "token": "nonsense"}))
        .await;
    assert_eq!(
        (&refused["code"], &refused["ref"]),
        (&json!("unauthorized"), &json!(1))
    );
    let token = json!({"type": "authenticate", "token": access.access_token});
    assert_eq!(client.ask(token).await, json!({"type": "ok"}));
    let ack = client.ask(frame).await;
    assert_eq!(ack["type"], "ack");
    assert!(ack["receipt"].get("voter").is_none());
}

async fn many_votes_in_flight_are_each_answered(store: Store) {
    let server = Server::on(store).await;
    let (mut client, poll) = (server.client().await, server.poll().await);
    for voter in 0..500 {
        client.send(&vote(&poll, &voter.to_string())).await;
    }
    let mut answered = HashSet::new();
    for _ in 0..500 {
        let ack = client.next().await;
        assert_eq!(ack["type"], "ack");
        assert_eq!(ack["ref"], ack["receipt"]["voter"]);
        answered.insert(ack["ref"].to_string());
    }
    assert_eq!(answered.len(), 500);
    assert_eq!(client.subscribe(poll.id).await["ballots"], 500);
}

async fn bug_17_a_disconnect_removes_no_vote(store: Store) {
    let server = Server::on(store).await;
    let poll = server.poll().await;
    let mut live = server
        .engine
        .results()
        .watch(&Actor::System, poll.id)
        .await
        .unwrap();

    // One that was acknowledged, and whose voter leaves politely.
    let mut polite = server.client().await;
    assert_eq!(polite.vote(&poll, "polite").await["type"], "ack");
    polite.socket.close(None).await.unwrap();
    // Many whose voter is gone without a word before any answer could come.
    let mut rude = server.client().await;
    for voter in 0..50 {
        rude.send(&vote(&poll, &voter.to_string())).await;
    }
    // A ping after them proves that they were read; their answers may still be on their way.
    rude.send(&json!({"type": "ping"})).await;
    while rude.next().await["type"] != "pong" {}
    drop(rude);

    let all = soon(async {
        while let Some(results) = live.next().await {
            if results.ballots == 51 {
                return true;
            }
        }
        false
    });
    assert!(all.await);
    let recount = server.engine.results().recount(&Actor::System, poll.id);
    assert!(recount.await.unwrap().agrees());
}
