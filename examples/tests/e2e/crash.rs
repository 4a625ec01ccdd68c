//! The plug is pulled in the middle of a storm of votes.

use std::time::Duration;

use http::StatusCode;
use polling_core::polls::{Status, Voters};
use polling_core::{
    Actor, Ballot, Clock, Engine, FakeClock, NewPoll, SystemClock, Timestamp, Voter,
};
use serde_json::{Value, json};

use crate::store::Store;
use crate::support::bed::Bed;
use crate::support::client::Client;
use crate::support::events::Viewer;
use crate::support::storm::{Storm, recorded};
use crate::support::voter::{Answer, vote};

on_every_store! {
    bug_04_a_vote_that_was_answered_survives_kill_9
    a_poll_whose_end_passed_while_the_server_was_down_is_closed_with_its_exact_result
    a_server_that_is_asked_to_stop_answers_what_is_in_flight
}

const CONNECTIONS: usize = 32;

pub(crate) async fn open_poll(client: &mut Client) -> Value {
    let new = json!({"question": "Tea or coffee?", "options": ["Tea", "Coffee"], "publish": true});
    let (status, poll) = client.post("/polls", &new).await;
    assert_eq!(status, StatusCode::CREATED, "{poll}");
    poll
}

async fn bug_04_a_vote_that_was_answered_survives_kill_9(store: Store) {
    let bed = Bed::on(store).await;
    let server = bed.start().await;
    let poll = open_poll(&mut Client::connect(server.address).await.unwrap()).await;
    let id = poll["id"].as_str().unwrap();

    let storm = Storm::start(server.address, &poll, CONNECTIONS, usize::MAX);
    storm.reaches(1_000).await;
    server.kill_9().await;
    let answers = storm.over().await;
    let answered = recorded(&answers);
    assert!(answered.len() >= 1_000);
    assert!(
        answers.values().any(|answer| *answer == Answer::Nothing),
        "the storm was still going on"
    );

    let server = bed.start().await;
    let mut client = Client::connect(server.address).await.unwrap();
    let (_, results) = client.get(&format!("/polls/{id}/results")).await;
    let counted = usize::try_from(results["ballots"].as_u64().unwrap()).unwrap();
    assert!(
        (answered.len()..=answers.len()).contains(&counted),
        "{counted} counted, {} answered",
        answered.len()
    );
    // Everybody votes again: who was answered gets the very same receipt, and all others are recorded once.
    for voter in answers.keys() {
        match (
            vote(&mut client, &poll, voter).await,
            answered.get(voter.as_str()),
        ) {
            (Answer::Recorded { ballot_id }, Some(before)) => {
                assert_eq!(&ballot_id, before, "{voter}");
            }
            (Answer::Recorded { .. }, None) => {}
            (answer, _) => panic!("{voter}: {answer:?}"),
        }
    }
    assert!(server.stop().await.success());
    bed.recount(&poll, answers.len()).await;
}

async fn a_poll_whose_end_passed_while_the_server_was_down_is_closed_with_its_exact_result(
    store: Store,
) {
    let bed = Bed::on(store).await;
    let poll = {
        // A server of two hours ago.
        let hour = Duration::from_secs(3_600);
        let now = SystemClock.now().as_millis();
        let clock = FakeClock::at(Timestamp::from_millis(now - 7_200_000));
        let store = bed.open().await;
        let engine = Engine::builder(store)
            .clock(clock.clone())
            .build()
            .await
            .unwrap();
        let new = NewPoll::single("?", ["a", "b"])
            .voters(Voters::Anyone)
            .closes_at(clock.now().after(hour))
            .published();
        let poll = engine.polls().create(&Actor::System, new).await.unwrap();
        for voter in 0..10 {
            let ballot = Ballot::of(poll.id, Voter::anyone(format!("voter-{voter}")), [0]);
            engine.votes().cast(&Actor::System, ballot).await.unwrap();
        }
        engine.shutdown().await;
        poll
    };
    assert_eq!(poll.status, Status::Open);

    let server = bed.start().await;
    let poll = json!({"id": poll.id});
    let results = Viewer::watch(server.address, &poll)
        .await
        .until_final()
        .await;
    assert_eq!(
        (&results["status"], &results["ballots"]),
        (&json!("closed"), &json!(10))
    );
    assert_eq!(results["options"][0]["votes"], 10);
    assert!(server.stop().await.success());
    bed.recount(&poll, 10).await;
}

async fn a_server_that_is_asked_to_stop_answers_what_is_in_flight(store: Store) {
    let bed = Bed::on(store).await;
    let server = bed.start().await;
    let poll = open_poll(&mut Client::connect(server.address).await.unwrap()).await;
    let storm = Storm::start(server.address, &poll, CONNECTIONS, usize::MAX);
    storm.reaches(500).await;
    assert!(server.stop().await.success());
    let answers = storm.over().await;
    let unanswered = answers
        .values()
        .filter(|answer| **answer == Answer::Nothing)
        .count();
    // A request that was still on the wire when the server closed the connection was never read, and is not counted.
    let answered = recorded(&answers).len();
    bed.recount(&poll, answered).await;
    assert!(unanswered <= CONNECTIONS);
}
