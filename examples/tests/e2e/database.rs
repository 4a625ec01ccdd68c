//! Servers, back ends and the database itself die in a storm of votes, and start in a crowd: what was answered is stored
//! and counted, and nobody has to start a server again because of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use futures_util::future::join_all;
use http::StatusCode;
use serde_json::Value;
use tokio::task::block_in_place;

use crate::crash::open_poll;
use crate::store::Store;
use crate::support::bed::Bed;
use crate::support::client::{Client, ready};
use crate::support::events::Viewer;
use crate::support::process::{ServerProcess, Starting, program};
use crate::support::soon;
use crate::support::storm::{Storm, recorded};
use crate::support::voter::Answer;
use crate::two_servers::close;

pub(crate) const CONNECTIONS: usize = 32;

/// Two servers, where they are, and a poll in which voters who insist vote on both: some are recorded.
pub(crate) async fn two_in_a_storm(
    bed: &Bed,
) -> ([ServerProcess; 2], [SocketAddr; 2], Value, Storm) {
    let servers = bed.start_two().await;
    let addresses = servers.each_ref().map(|server| server.address);
    let poll = open_poll(&mut Client::connect(addresses[0]).await.unwrap()).await;
    let storm = Storm::insisting(&addresses, &poll, CONNECTIONS);
    storm.reaches(300).await;
    (servers, addresses, poll, storm)
}

/// Everybody was recorded in the end; each server knows it, and so does a recount.
pub(crate) async fn assert_exact(
    bed: &Bed,
    servers: &[SocketAddr],
    poll: &Value,
    answers: &BTreeMap<String, Answer>,
) {
    let answered = recorded(answers).len();
    assert_eq!(answered, answers.len(), "a voter who insists is recorded");
    bed.recount(poll, answered).await;
    for server in servers {
        assert_eq!(soon(ready(*server)).await, StatusCode::OK);
        let mut viewer = Viewer::watch(*server, poll).await;
        viewer.until(|results| results["ballots"] == answered).await;
    }
    let closed = close(servers[0], poll).await;
    assert_eq!(closed["ballots"], answered);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_of_one_of_two_servers_costs_no_answered_vote() {
    let bed = Bed::on(Store::Postgres).await;
    let [killed, other] = bed.start_two().await;
    let poll = open_poll(&mut Client::connect(killed.address).await.unwrap()).await;
    let storm = Storm::insisting(&[killed.address, other.address], &poll, CONNECTIONS);
    storm.reaches(500).await;
    killed.kill_9().await;
    storm.goes_on_by(500).await;
    assert!(storm.repeated() > 0, "somebody was in flight");
    let answers = storm.ends().await;
    assert_exact(&bed, &[other.address], &poll, &answers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn back_ends_that_are_ended_cost_no_answered_vote() {
    const END: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
        ORDER BY state = 'idle', random()";
    let bed = Bed::on(Store::Postgres).await;
    let (_servers, addresses, poll, storm) = two_in_a_storm(&bed).await;
    // One that is busy, where there is one; and at last all of them.
    for limit in ["LIMIT 1"; 10].iter().chain(&["", ""]) {
        let ended = bed.query(&format!("{END} {limit}")).await;
        assert!(ended.iter().any(|row| row.get(0)), "nobody was there");
        storm.goes_on_by(100).await;
    }
    let answers = storm.ends().await;
    assert_exact(&bed, &addresses, &poll, &answers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_crashes_in_a_storm_keeps_every_answered_vote() {
    let bed = Bed::durable().await;
    let (_servers, addresses, poll, storm) = two_in_a_storm(&bed).await;
    for _ in 0..2 {
        block_in_place(|| bed.cluster().kill_9()).unwrap();
        block_in_place(|| bed.cluster().start_again()).unwrap();
        storm.goes_on_by(300).await;
    }
    let answers = storm.ends().await;
    assert_exact(&bed, &addresses, &poll, &answers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_away_for_a_while_is_told_and_comes_back() {
    let bed = Bed::durable().await;
    let server = bed.start().await;
    let poll = open_poll(&mut Client::connect(server.address).await.unwrap()).await;
    let storm = Storm::insisting(&[server.address], &poll, CONNECTIONS);
    storm.reaches(300).await;
    block_in_place(|| bed.cluster().stop_fast()).unwrap();
    assert_eq!(
        soon(ready(server.address)).await,
        StatusCode::SERVICE_UNAVAILABLE
    );
    // Everybody is told at least once that there is no database.
    storm.repeats(CONNECTIONS).await;
    let before = storm.recorded();
    assert_eq!(
        soon(ready(server.address)).await,
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(storm.recorded(), before, "nothing is recorded without it");
    block_in_place(|| bed.cluster().start_again()).unwrap();
    storm.goes_on_by(300).await;
    let answers = storm.ends().await;
    assert_exact(&bed, &[server.address], &poll, &answers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_starts_before_its_database_waits_for_it() {
    let bed = Bed::durable().await;
    block_in_place(|| bed.cluster().stop_fast()).unwrap();
    let mut starting = Starting::new(&bed.url(), &["--database-wait", "60"]);
    // It says so before anybody starts the database.
    soon(starting.logs("PostgreSQL")).await;
    block_in_place(|| bed.cluster().start_again()).unwrap();
    let server = starting.greets().await;
    open_poll(&mut Client::connect(server.address).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_its_database_gives_up_in_words_and_without_the_password() {
    let bed = Bed::bare().await;
    let url = bed.url().replace("postgres@", "postgres:horse@");
    for (url, flags, words) in [
        (
            format!("{url}_nowhere"),
            ["--database-wait", "60"],
            "has no database",
        ),
        (
            "postgres://ada:horse@127.0.0.1:1/polls".into(),
            ["--database-wait", "0"],
            "127.0.0.1:1",
        ),
    ] {
        let output = tokio::process::Command::new(program())
            .args(["--listen", "127.0.0.1:0", "--database-url", &url])
            .args(flags)
            .kill_on_drop(true)
            .output();
        let output = soon(output).await.unwrap();
        assert!(!output.status.success());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(words), "{said}");
        assert!(!said.contains("horse"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_servers_that_start_at_once_migrate_once() {
    let bed = Bed::bare().await;
    let servers = join_all((0..10).map(|_| bed.start())).await;
    let addresses: Vec<_> = servers.iter().map(|server| server.address).collect();
    let poll = open_poll(&mut Client::connect(addresses[0]).await.unwrap()).await;
    let storm = Storm::insisting(&addresses, &poll, 20);
    storm.reaches(200).await;
    let answers = storm.ends().await;
    assert_exact(&bed, &addresses, &poll, &answers).await;
    let run = bed
        .query("SELECT version FROM polling.schema_history ORDER BY version")
        .await;
    let versions: Vec<i32> = run.iter().map(|row| row.get(0)).collect();
    let known = i32::try_from(polling_pg::Migrations::known()).unwrap();
    assert_eq!(versions, (1..=known).collect::<Vec<_>>());
}
