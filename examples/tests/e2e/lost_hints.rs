//! Viewers hold the last result also where nobody told their server of it.

use polling_core::polls::Voters;
use polling_core::results::LocalNotifier;
use polling_core::{Actor, Ballot, Engine, NewPoll, Voter};
use serde_json::json;

use crate::crash::open_poll;
use crate::store::Store;
use crate::support::bed::Bed;
use crate::support::client::Client;
use crate::support::events::Viewer;
use crate::support::voter::{Answer, vote};

/// The plug is pulled as soon as the vote is answered: now before its hint is sent, now after.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vote_whose_server_is_killed_at_once_is_shown_by_the_other() {
    let bed = Bed::on(Store::Postgres).await;
    let other = bed.start().await;
    let poll = open_poll(&mut Client::connect(other.address).await.unwrap()).await;
    let mut viewer = Viewer::watch(other.address, &poll).await;
    for ballots in 1..=3 {
        let server = bed.start().await;
        let mut client = Client::connect(server.address).await.unwrap();
        let voter = format!("voter-{ballots}");
        let answer = vote(&mut client, &poll, &voter).await;
        server.kill_9().await;
        assert!(matches!(answer, Answer::Recorded { .. }), "{answer:?}");
        viewer.until(|results| results["ballots"] == ballots).await;
    }
    bed.recount(&poll, 3).await;
}

/// An engine that tells nobody stands for a server that is always killed in time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vote_that_no_hint_was_sent_of_is_shown_by_the_other_server() {
    let bed = Bed::on(Store::Postgres).await;
    let mute = Engine::builder(bed.open().await).notifier(LocalNotifier::default());
    let mute = mute.build().await.unwrap();
    let new = NewPoll::single("?", ["a", "b"])
        .voters(Voters::Anyone)
        .published();
    let id = mute.polls().create(&Actor::System, new).await.unwrap().id;
    let server = bed.start().await;
    let mut viewer = Viewer::watch(server.address, &json!({"id": id})).await;
    for ballots in 1..=3 {
        let ballot = Ballot::of(id, Voter::anyone(format!("voter-{ballots}")), [0]);
        mute.votes().cast(&Actor::System, ballot).await.unwrap();
        viewer.until(|results| results["ballots"] == ballots).await;
    }
    mute.polls().close(&Actor::System, id).await.unwrap();
    assert_eq!(viewer.until_final().await["ballots"], 3);
}
