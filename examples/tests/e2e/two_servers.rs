//! Two servers on one database are as exact as one.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use futures_util::future::join_all;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::crash::open_poll;
use crate::store::Store;
use crate::support::bed::Bed;
use crate::support::client::Client;
use crate::support::events::Viewer;
use crate::support::process::ServerProcess;
use crate::support::soon;
use crate::support::storm::{Storm, recorded};
use crate::support::voter::votes_of;
use crate::support::witness::Witness;

/// Connections to each of the servers, by turns.
async fn clients(servers: &[ServerProcess; 2], each: usize) -> Vec<Client> {
    let mut clients = Vec::new();
    for number in 0..2 * each {
        let address = servers[number % 2].address;
        clients.push(Client::connect(address).await.unwrap());
    }
    clients
}

/// All of these clients vote at once, as the same voter, each for the option that `choose` says of its number.
async fn vote_at_once(
    clients: &mut [Client],
    poll: &Value,
    voter: &str,
    choose: impl Fn(usize) -> usize,
) -> Vec<(StatusCode, Value)> {
    let path = votes_of(poll);
    let votes = clients.iter_mut().enumerate().map(|(number, client)| {
        let option = &poll["options"][choose(number)]["id"];
        let (ballot, path) = (json!({"option_id": option, "voter": voter}), &path);
        async move { client.post(path, &ballot).await }
    });
    soon(join_all(votes)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bug_01_two_identical_posts_at_once_on_two_servers_count_once() {
    let bed = Bed::on(Store::Postgres).await;
    let servers = bed.start_two().await;
    let mut clients = clients(&servers, 4).await;
    let poll = open_poll(&mut clients[0]).await;
    for voter in 0..50 {
        let voter = format!("voter-{voter}");
        let answers = vote_at_once(&mut clients, &poll, &voter, |_| 0).await;
        let created = answers.iter().filter(|(status, _)| *status == 201).count();
        assert_eq!(created, 1, "{answers:?}");
        for (status, receipt) in &answers {
            assert!(status.is_success(), "{receipt}");
            assert_eq!(receipt["ballot_id"], answers[0].1["ballot_id"]);
            assert_eq!(receipt["cast_at"], answers[0].1["cast_at"]);
        }
    }
    bed.recount(&poll, 50).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bug_02_of_two_different_votes_at_once_on_two_servers_one_counts() {
    let bed = Bed::on(Store::Postgres).await;
    let servers = bed.start_two().await;
    let mut clients = clients(&servers, 1).await;
    let poll = open_poll(&mut clients[0]).await;
    let mut won = [0; 2];
    for voter in 0..50 {
        let voter = format!("voter-{voter}");
        let answers = vote_at_once(&mut clients, &poll, &voter, |client| client).await;
        let created = answers.iter().position(|(status, _)| *status == 201);
        let created = created.unwrap_or_else(|| panic!("nobody is recorded: {answers:?}"));
        let (status, refused) = &answers[1 - created];
        assert_eq!(
            (*status, &refused["code"]),
            (StatusCode::CONFLICT, &json!("already_voted"))
        );
        won[created] += 1;
    }
    bed.recount(&poll, 50).await;
    let results = bed.open().await;
    let tally = results
        .results()
        .tally(poll["id"].as_str().unwrap().parse().unwrap());
    assert_eq!(tally.await.unwrap().unwrap().counts, won);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bug_11_viewers_of_two_servers_end_on_the_same_result() {
    let bed = Bed::on(Store::Postgres).await;
    let servers = bed.start_two().await;
    let addresses = servers.each_ref().map(|server| server.address);
    let poll = open_poll(&mut Client::connect(addresses[0]).await.unwrap()).await;
    let mut viewers = [
        Viewer::watch(addresses[0], &poll).await,
        Viewer::watch(addresses[1], &poll).await,
    ];
    let storm = Storm::insisting(&addresses, &poll, 16);
    storm.reaches(500).await;
    let answers = storm.ends().await;
    let ballots = recorded(&answers).len();
    let mut last = Vec::new();
    for viewer in &mut viewers {
        last.push(viewer.until(|results| results["ballots"] == ballots).await);
    }
    assert_eq!(last[0], last[1]);
    bed.recount(&poll, ballots).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_revision_is_the_same_content_on_both_servers() {
    let bed = Bed::on(Store::Postgres).await;
    let servers = bed.start_two().await;
    let addresses = servers.each_ref().map(|server| server.address);
    let poll = open_poll(&mut Client::connect(addresses[0]).await.unwrap()).await;
    let (witness, mut watching) = (Witness::default(), JoinSet::new());
    for server in addresses {
        witness.look(&mut watching, server, &poll);
    }
    let storm = Storm::insisting(&addresses, &poll, 16);
    storm.reaches(2_000).await;
    let closed = close(addresses[1], &poll).await;
    let answers = storm.over().await;
    assert_eq!(closed["ballots"], recorded(&answers).len());
    for last in soon(watching.join_all()).await {
        assert_eq!(last, closed, "everybody ends on the final result");
    }
    assert!(
        witness.revisions() > 10,
        "{} revisions",
        witness.revisions()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bug_21_concurrent_batches_on_two_servers_do_not_deadlock() {
    const ROUNDS: usize = 20;
    const VOTERS: usize = 300;
    let bed = Bed::on(Store::Postgres).await;
    let servers = bed.start_two().await;
    let mut clients = clients(&servers, 2).await;
    let mut polls = Vec::new();
    for _ in 0..3 {
        polls.push(open_poll(&mut clients[0]).await);
    }
    // Single votes in all of the polls, which share commits, and batches of the same voters that begin together, on one
    // server forwards and on the other one backwards.
    let addresses = servers.each_ref().map(|server| server.address);
    let storms: Vec<_> = polls
        .iter()
        .map(|poll| Storm::insisting(&addresses, poll, 4))
        .collect();
    let together = Barrier::new(clients.len());
    let batches = clients.into_iter().enumerate().map(|(number, mut client)| {
        let (polls, together) = (&polls, &together);
        async move {
            let mut created = vec![0; polls.len()];
            for round in 0..ROUNDS {
                let at = round % polls.len();
                together.wait().await;
                created[at] += batch(&mut client, &polls[at], round, VOTERS, number % 2 == 1).await;
            }
            created
        }
    });
    let created = soon(join_all(batches)).await;
    for (at, storm) in storms.into_iter().enumerate() {
        let single = recorded(&storm.ends().await).len();
        let created: usize = created.iter().map(|created| created[at]).sum();
        bed.recount(&polls[at], single + created).await;
    }
    for server in servers {
        assert!(server.stop().await.success());
    }
    // Back ends report what they counted at their end, at the latest.
    let row =
        bed.query("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()");
    assert_eq!(row.await[0].get::<_, i64>(0), 0);
}

/// Sends a batch of the voters of this round, and counts those that it recorded.
async fn batch(
    client: &mut Client,
    poll: &Value,
    round: usize,
    voters: usize,
    backwards: bool,
) -> usize {
    let option = &poll["options"][0]["id"];
    let ballot = |voter| json!({"option_id": option, "voter": format!("batch-{round}-{voter}")});
    let mut ballots: Vec<_> = (0..voters).map(ballot).collect();
    if backwards {
        ballots.reverse();
    }
    let path = format!("{}/batch", votes_of(poll));
    let (status, answer) = client.post(&path, &json!({"ballots": ballots})).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let outcomes = answer["outcomes"].as_array().unwrap();
    let statuses: BTreeMap<u64, usize> =
        outcomes.iter().fold(BTreeMap::new(), |mut found, outcome| {
            *found
                .entry(outcome["status"].as_u64().unwrap())
                .or_default() += 1;
            found
        });
    let count = |status| statuses.get(&status).copied().unwrap_or_default();
    assert_eq!(count(201) + count(200), voters, "{statuses:?}");
    count(201)
}

/// Closes a poll, and gives the result that the answer says is final.
pub(crate) async fn close(server: SocketAddr, poll: &Value) -> Value {
    let token = poll["manage_token"].as_str().unwrap();
    let mut manager = Client::connect(server).await.unwrap().bearer(token);
    let path = format!("/polls/{}/close", poll["id"].as_str().unwrap());
    let (status, closed) = soon(manager.send(Method::POST, &path, None)).await.unwrap();
    assert_eq!(status, StatusCode::OK, "{closed}");
    assert_eq!(closed["results"]["final"], true);
    closed["results"].clone()
}
