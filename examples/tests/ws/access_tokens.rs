//! Forged access tokens, with the handshake and in an `authenticate` frame.

use polling_core::polls::Voters;
use polling_core::users::NewUser;
use polling_core::{Actor, Clock, Engine, FakeClock, NewPoll};
use polling_sqlite::SqliteStore;
use serde_json::json;

use crate::forged::{forged, good, key};
use crate::support::{Client, Server, vote};

#[tokio::test]
async fn forged_access_tokens_are_refused_with_the_handshake_and_in_a_frame() {
    let clock = FakeClock::default();
    let store = SqliteStore::in_memory().await.unwrap();
    let builder = Engine::builder(store).clock(clock.clone());
    let engine = builder.token_keys(vec![key()]).build().await.unwrap();
    let new = NewUser::new("Ada", "ada@example.org", "correct horse");
    let users = engine.users().unwrap();
    let ada = users
        .create(&Actor::System, new)
        .await
        .unwrap()
        .id
        .to_string();
    let server = Server::of(engine).await;
    let new = NewPoll::single("?", ["a", "b"]).voters(Voters::Registered);
    let poll = server.create(&Actor::System, new.published()).await;
    let mut ballot = vote(&poll, "x");
    ballot.as_object_mut().unwrap().remove("voter");
    for (what, token) in forged(&ada, clock.now()) {
        let bearer = format!("Bearer {token}");
        let refused = Client::with(server.address, &[("authorization", &bearer)]).await;
        assert_eq!(refused.err(), Some(401), "{what}");
        let mut nobody = server.client().await;
        let answer = nobody.ask(json!({"type": "authenticate", "token": token}));
        let answer = answer.await;
        assert_eq!(answer["type"], "error", "{what}: {answer}");
        assert_eq!(answer["code"], "unauthorized", "{what}: {answer}");
        let answer = nobody.ask(ballot.clone()).await;
        assert_eq!(answer["code"], "unauthorized", "{what}: {answer}");
    }
    // A good one, after all of these, is what makes the difference.
    let mut nobody = server.client().await;
    let token = good(&ada, clock.now());
    let answer = nobody.ask(json!({"type": "authenticate", "token": token}));
    assert_eq!(answer.await["type"], "ok");
    let answer = nobody.ask(ballot).await;
    assert_eq!(answer["type"], "ack", "{answer}");
}
