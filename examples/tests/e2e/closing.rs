//! Closing, by hand and by the clock, decides every race.

use http::{Method, StatusCode};
use polling_core::{Clock, SystemClock};
use serde_json::json;
use std::time::Duration;

use crate::crash::open_poll;
use crate::store::Store;
use crate::support::bed::Bed;
use crate::support::client::Client;
use crate::support::events::Viewer;
use crate::support::storm::{Storm, assert_decided, recorded};
use crate::support::voter::{Answer, vote};

on_every_store! {
    bug_07_a_vote_in_flight_while_the_poll_is_closed_is_in_the_result_or_refused
    bug_07_a_vote_in_flight_when_the_end_comes_is_in_the_result_or_refused
}

const CONNECTIONS: usize = 32;

async fn bug_07_a_vote_in_flight_while_the_poll_is_closed_is_in_the_result_or_refused(
    store: Store,
) {
    let bed = Bed::on(store).await;
    let server = bed.start().await;
    let mut client = Client::connect(server.address).await.unwrap();
    let poll = open_poll(&mut client).await;
    let id = poll["id"].as_str().unwrap();
    let mut manager = Client::connect(server.address)
        .await
        .unwrap()
        .bearer(poll["manage_token"].as_str().unwrap());

    let storm = Storm::start(server.address, &poll, CONNECTIONS, usize::MAX);
    storm.reaches(500).await;
    let (status, closed) = manager
        .send(Method::POST, &format!("/polls/{id}/close"), None)
        .await
        .unwrap();
    assert_eq!(status, StatusCode::OK);
    let at_close = closed["results"].clone();
    assert_eq!(at_close["final"], true);

    let answers = storm.over().await;
    assert_decided(&answers);
    let answered = recorded(&answers);
    assert_eq!(
        at_close["ballots"],
        json!(answered.len()),
        "the answer to the close is the final result"
    );
    for voter in answered.keys() {
        assert!(
            matches!(
                vote(&mut client, &poll, voter).await,
                Answer::Recorded { .. }
            ),
            "a retry is recognised"
        );
    }
    let late = vote(&mut client, &poll, "late").await;
    assert_eq!(
        late,
        Answer::Refused {
            code: "poll_closed".into()
        }
    );
    let (_, results) = client.get(&format!("/polls/{id}/results")).await;
    assert_eq!(results, at_close, "a final result never changes");
    assert!(server.stop().await.success());
}

async fn bug_07_a_vote_in_flight_when_the_end_comes_is_in_the_result_or_refused(store: Store) {
    let bed = Bed::on(store).await;
    let server = bed.start().await;
    let mut client = Client::connect(server.address).await.unwrap();
    let closes_at = SystemClock.now().after(Duration::from_millis(1_500));
    let new = json!({"question": "Tea or coffee?", "options": ["Tea", "Coffee"], "publish": true, "closes_at": closes_at});
    let (_, poll) = client.post("/polls", &new).await;
    let id = poll["id"].as_str().unwrap();
    let mut viewer = Viewer::watch(server.address, &poll).await;

    // Each goes on until it is told that the poll is closed.
    let storm = Storm::start(server.address, &poll, CONNECTIONS, usize::MAX);
    let answers = storm.over().await;
    assert_decided(&answers);
    let seen = viewer.until_final().await;
    let answered = recorded(&answers).len();
    assert!(answered > 0);
    assert_eq!(
        seen["ballots"],
        json!(answered),
        "the final result equals the number of answers"
    );
    let (_, results) = client.get(&format!("/polls/{id}/results")).await;
    assert_eq!(results, seen, "a final result never changes");
    assert!(server.stop().await.success());
}
