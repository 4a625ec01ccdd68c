//! Servers that are not there yet, or no longer.

use std::time::Duration;

use deadpool::managed::Pool;
use pg_cluster::{Cluster, ClusterOptions, Version};
use tokio::net::TcpListener;

use super::{answer, connector, refused};
use crate::ConnectError;
use crate::connect::Connector;

/// Long enough for any machine; nothing waits for so long that goes well.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_later_is_waited_for() {
    let cluster = Cluster::start(&ClusterOptions::new(Version::Installed)).unwrap();
    let connector = connector(&cluster.url_of("postgres"));
    cluster.stop_fast().unwrap();
    let error = connector.open().await.map(|_| ()).unwrap_err();
    assert!(
        matches!(error, ConnectError::Unreachable { .. }),
        "{error:?}"
    );

    let waiting = tokio::spawn(async move { connector.wait(PATIENCE).await });
    tokio::task::block_in_place(|| cluster.start_again()).unwrap();
    let client = waiting.await.unwrap().unwrap();
    assert_eq!(answer(&client, "select 'there'").await, "there");
}

#[tokio::test]
async fn patience_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://u@{}/d", listener.local_addr().unwrap());
    drop(listener);
    let waited = connector(&url).wait(Duration::from_millis(200)).await;
    let error = waited.map(|_| ()).unwrap_err();
    assert!(
        matches!(error, ConnectError::Unreachable { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn what_time_does_not_heal_is_not_waited_for() {
    let cluster = Cluster::shared(Version::Installed);
    let connector = connector(&cluster.url_of("nowhere"));
    let waited = tokio::time::timeout(PATIENCE, connector.wait(Duration::MAX)).await;
    let error = waited.unwrap().map(|_| ()).unwrap_err();
    assert!(
        matches!(error, ConnectError::NoSuchDatabase { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let error = refused(&format!("postgres://u@{at}/d?connect_timeout=1")).await;
    assert!(matches!(error, ConnectError::TimedOut { .. }), "{error:?}");
    assert!(error.heals());
}

#[tokio::test]
async fn a_server_that_hangs_up_may_do_better_later() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            drop(listener.accept().await);
        }
    });
    for mode in ["disable", "prefer", "require"] {
        let error = refused(&format!("postgres://u@{at}/d?sslmode={mode}")).await;
        assert!(
            matches!(error, ConnectError::Unreachable { .. }),
            "{mode}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_name_that_nobody_knows_may_be_known_later() {
    let error = refused("postgres://u@no-such-host.invalid/d").await;
    assert!(
        matches!(error, ConnectError::Unreachable { .. }),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_replaces_connections_that_were_lost() {
    let cluster = Cluster::start(&ClusterOptions::new(Version::Installed)).unwrap();
    let connector = connector(&cluster.url_of("postgres"));
    let pool: Pool<Connector> = Pool::builder(connector.clone())
        .max_size(1)
        .build()
        .unwrap();
    let lost = pool.get().await.unwrap();
    assert_eq!(answer(&lost, "select 'before'").await, "before");
    tokio::task::block_in_place(|| cluster.kill_9()).unwrap();
    // The server's processes outlive a crash of their parent by a moment.
    while !lost.is_closed() {
        let _ = lost.simple_query("select").await;
        tokio::task::yield_now().await;
    }
    drop(lost);
    tokio::task::block_in_place(|| cluster.start_again()).unwrap();
    connector.wait(PATIENCE).await.unwrap();
    let healed = pool.get().await.unwrap();
    assert_eq!(answer(&healed, "select 'after'").await, "after");
}
