//! A network that fails when told to.

mod common;

use std::time::Duration;

use common::connect;
use pg_cluster::{Cluster, Proxy, Version};
use tokio::time::timeout;
use tokio_postgres::{Client, NoTls};

const LONG: Duration = Duration::from_secs(30);

/// Long enough for an answer to arrive that is not held up.
const SHORT: Duration = Duration::from_millis(200);

async fn ask(client: &Client) -> Result<(), tokio_postgres::Error> {
    client.batch_execute("SELECT 1").await
}

#[tokio::test]
async fn a_cut_line_is_dead_until_it_is_mended() {
    let cluster = Cluster::shared(Version::V18);
    let proxy = Proxy::start(cluster.address()).await.unwrap();
    let url = proxy.url_of("postgres");
    let client = connect(&url).await;
    ask(&client).await.unwrap();

    proxy.cut().await;
    assert!(ask(&client).await.is_err());
    assert!(tokio_postgres::connect(&url, NoTls).await.is_err());

    proxy.mend().await.unwrap();
    ask(&connect(&url).await).await.unwrap();
    proxy.mend().await.unwrap();
    ask(&connect(&url).await).await.unwrap();
}

#[tokio::test]
async fn a_frozen_line_keeps_its_connections_and_what_they_said() {
    let cluster = Cluster::shared(Version::V18);
    let proxy = Proxy::start(cluster.address()).await.unwrap();
    let url = proxy.url_of("postgres");
    let client = connect(&url).await;

    proxy.freeze();
    let mut waiting = Box::pin(ask(&client));
    assert!(timeout(SHORT, &mut waiting).await.is_err());
    let connecting = timeout(SHORT, tokio_postgres::connect(&url, NoTls));
    assert!(connecting.await.is_err());

    proxy.thaw();
    timeout(LONG, waiting).await.unwrap().unwrap();
}

/// In one go, as a pipeline of messages, and one by one.
#[tokio::test]
async fn an_answer_is_lost_after_the_server_has_done_what_was_asked() {
    for version in Version::ALL {
        let cluster = Cluster::shared(version);
        let database = cluster.database().await;
        let direct = connect(database.url()).await;
        direct
            .batch_execute("CREATE TABLE ballots (id text)")
            .await
            .unwrap();
        let proxy = Proxy::start(cluster.address()).await.unwrap();
        let url = proxy.url_of(database.name());

        let mut client = connect(&url).await;
        proxy.lose_next_answer(|said| said.windows(6).any(|word| word == b"COMMIT"));
        let transaction = client.transaction().await.unwrap();
        let insert = "INSERT INTO ballots VALUES ('one')";
        transaction.execute(insert, &[]).await.unwrap();
        assert!(transaction.commit().await.unwrap_err().is_closed());

        let client = connect(&url).await;
        proxy.lose_next_answer(|said| said.windows(3).any(|word| word == b"two"));
        let insert = "INSERT INTO ballots VALUES ($1)";
        let (before, lost) = tokio::join!(
            client.execute(insert, &[&"before"]),
            client.execute(insert, &[&"two"]),
        );
        assert!(lost.unwrap_err().is_closed());
        drop(before);

        assert_eq!(proxy.answers_lost(), 2);
        let kept = "SELECT count(*) FROM ballots WHERE id IN ('one', 'two')";
        let kept: i64 = direct.query_one(kept, &[]).await.unwrap().get(0);
        assert_eq!(kept, 2);
        ask(&connect(&url).await).await.unwrap();
    }
}
