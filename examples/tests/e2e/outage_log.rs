//! An outage of the database is short in the log, however many ask meanwhile.

use std::time::Duration;

use http::StatusCode;
use pg_cluster::Proxy;
use serde_json::json;
use tokio::time::Instant;

use crate::crash::open_poll;
use crate::store::Store;
use crate::support::bed::Bed;
use crate::support::client::Client;
use crate::support::process::Starting;
use crate::support::soon;

const CLIENTS: usize = 20;
const ASKED_BY_EACH: usize = 200;

/// No event is logged more than once a second; there are not so many.
const EVENTS: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_a_few_lines_a_second_and_every_request_is_counted() {
    let bed = Bed::on(Store::Postgres).await;
    let proxy = Proxy::start(bed.cluster().address()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log");
    let into = format!("2>'{}'", file.display());
    let url = proxy.url_of(bed.database());
    let server = Starting::logging(&url, &[], "info", &into).greets().await;
    let address = server.address;
    let poll = open_poll(&mut Client::connect(address).await.unwrap()).await;
    let path = format!("/polls/{}/results", poll["id"].as_str().unwrap());
    let before = std::fs::read_to_string(&file).unwrap().lines().count();

    let began = Instant::now();
    proxy.cut().await;
    let clients = (0..CLIENTS).map(|_| {
        let path = path.clone();
        tokio::spawn(async move {
            let mut client = Client::connect(address).await.unwrap();
            for _ in 0..ASKED_BY_EACH {
                let (status, body) = client.get(&path).await;
                assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
                assert_eq!(body["code"], json!("unavailable"));
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        soon(client).await.unwrap();
    }
    proxy.mend().await.unwrap();
    // Its end writes what was not yet counted.
    assert!(server.stop().await.success());
    let seconds = usize::try_from((began.elapsed() + Duration::from_secs(1)).as_secs()).unwrap();

    let log = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = log.lines().skip(before).collect();
    assert!(
        lines.len() <= EVENTS * (seconds + 1),
        "{} lines in {seconds} s: {log}",
        lines.len()
    );
    let unserved = lines
        .iter()
        .filter(|line| line.contains("could not be served now"));
    let counted: usize = unserved
        .map(|line| {
            let count = line.split("left_out=").nth(1);
            let count = count.and_then(|rest| rest.split_whitespace().next());
            let left_out = count.map_or(0, |count| count.parse::<usize>().unwrap());
            left_out + usize::from(!line.contains("more of the same"))
        })
        .sum();
    assert_eq!(counted, CLIENTS * ASKED_BY_EACH, "{log}");
}
