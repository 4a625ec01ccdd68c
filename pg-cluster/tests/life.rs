//! A cluster's life: started, crashed, stopped, and gone with whoever started it.

mod common;

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::connect;
use pg_cluster::{Cluster, ClusterOptions, Version};
use tokio_postgres::{Client, Config, NoTls};

async fn number(client: &Client, sql: &str) -> i64 {
    let row = client.query_one(sql, &[]).await;
    row.expect("one row").get(0)
}

fn quick(version: Version) -> ClusterOptions {
    ClusterOptions::new(version)
}

#[tokio::test]
async fn both_versions_start_and_take_connections_over_tcp_and_socket() {
    for version in Version::ALL {
        let cluster = Cluster::shared(version);
        for url in [
            cluster.url_of("postgres"),
            cluster.socket_url_of("postgres"),
        ] {
            let client = connect(&url).await;
            let major = "SELECT current_setting('server_version_num')::bigint / 10000";
            let major = number(&client, major).await;
            match version {
                Version::Installed => assert!(major >= 15, "{major}"),
                Version::V18 => assert_eq!(major, 18),
            }
        }
    }
}

#[test]
fn a_cluster_knows_its_process_and_the_programs_beside_its_server() {
    let cluster = Cluster::start(&quick(Version::Installed)).unwrap();
    let pid = cluster.pid().unwrap();
    let command = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap();
    assert_eq!(command.trim(), "postgres");

    let pgbench = cluster.program("pgbench").unwrap();
    let said = Command::new(pgbench).arg("--version").output().unwrap();
    assert!(String::from_utf8_lossy(&said.stdout).contains("PostgreSQL"));
    let said = cluster.program("pg-nothing").unwrap_err().to_string();
    assert!(said.contains("cargo xtask test --install"), "{said}");

    cluster.kill_9().unwrap();
    assert_eq!(cluster.pid(), None);
}

#[tokio::test]
async fn a_cluster_keeps_what_was_committed_through_a_crash() {
    for options in [quick(Version::Installed).durable(), quick(Version::V18)] {
        let cluster = Cluster::start(&options).unwrap();
        let url = cluster.url_of("postgres");
        let client = connect(&url).await;
        let sql = "CREATE TABLE kept (n bigint); INSERT INTO kept VALUES (7);";
        client.batch_execute(sql).await.unwrap();
        client
            .batch_execute("BEGIN; INSERT INTO kept VALUES (8)")
            .await
            .unwrap();

        cluster.kill_9().unwrap();
        assert!(TcpStream::connect(cluster.address()).is_err());
        cluster.start_again().unwrap();

        let client = connect(&url).await;
        assert_eq!(number(&client, "SELECT sum(n)::bigint FROM kept").await, 7);
        assert!(
            cluster.log().contains("not properly shut down"),
            "{}",
            cluster.log()
        );
    }
}

#[tokio::test]
async fn a_restart_ends_connections_and_keeps_the_port() {
    let cluster = Cluster::start(&quick(Version::Installed)).unwrap();
    let url = cluster.url_of("postgres");
    let client = connect(&url).await;
    cluster.restart().unwrap();
    assert!(client.batch_execute("SELECT 1").await.is_err());
    connect(&url).await.batch_execute("SELECT 1").await.unwrap();
    cluster.start_again().unwrap();

    cluster.stop_fast().unwrap();
    cluster.stop_fast().unwrap();
    assert!(TcpStream::connect(cluster.address()).is_err());
}

#[test]
fn a_cluster_that_is_stopped_leaves_nothing() {
    let cluster = Cluster::start(&quick(Version::V18)).unwrap();
    let (address, directory) = (cluster.address(), cluster.socket_dir().to_owned());
    assert!(directory.is_dir());
    cluster.stop();
    assert!(!directory.exists());
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_cluster_that_is_dropped_has_ended() {
    let cluster = Cluster::start(&quick(Version::V18)).unwrap();
    let address = cluster.address();
    drop(cluster);
    assert!(TcpStream::connect(address).is_err());
}

/// The program of this package holds a cluster until it is killed. The directory goes last.
#[tokio::test]
async fn a_cluster_goes_with_a_process_that_is_killed() {
    let mut holder = Command::new(env!("CARGO_BIN_EXE_pg-cluster"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(holder.stdout.take().unwrap()).lines();
    let url = said.next().unwrap().unwrap();
    let directory = said.next().unwrap().unwrap();
    let _client = connect(&url).await;

    holder.kill().unwrap();
    holder.wait().unwrap();

    // Nobody tells that it is gone; it is looked for now and then.
    let mut looks = tokio::time::interval(Duration::from_millis(20));
    let gone = async {
        while Path::new(&directory).exists() {
            looks.tick().await;
        }
    };
    let gone = tokio::time::timeout(Duration::from_secs(30), gone).await;
    gone.expect("the directory is removed");
    let port = url.parse::<Config>().unwrap().get_ports()[0];
    let connected = TcpStream::connect(("127.0.0.1", port));
    assert!(connected.is_err(), "the server has ended");
}

#[tokio::test]
async fn settings_and_files_reach_the_server() {
    let options = quick(Version::Installed)
        .max_connections(17)
        .config("include 'more.conf'")
        .file("more.conf", "work_mem = '5MB'");
    let cluster = Cluster::start(&options).unwrap();
    let client = connect(&cluster.url_of("postgres")).await;
    let setting =
        |name: &str| format!("SELECT setting::bigint FROM pg_settings WHERE name = '{name}'");
    assert_eq!(number(&client, &setting("max_connections")).await, 17);
    assert_eq!(number(&client, &setting("work_mem")).await, 5120);
}

#[tokio::test]
async fn a_password_is_asked_for_where_a_line_says_so() {
    let options = quick(Version::V18).hba("host all all 127.0.0.1/32 scram-sha-256");
    let cluster = Cluster::start(&options).unwrap();
    cluster
        .execute("CREATE ROLE ada LOGIN PASSWORD 'enchantress'")
        .await
        .unwrap();
    let url = |user: &str| format!("postgres://{user}@{}/postgres", cluster.address());
    assert!(
        tokio_postgres::connect(&url("ada:byron"), NoTls)
            .await
            .is_err()
    );
    connect(&url("ada:enchantress")).await;
}

#[test]
fn a_server_that_does_not_start_says_why() {
    let options = quick(Version::Installed).config("no_such_setting = 1");
    let said = Cluster::start(&options).unwrap_err().to_string();
    assert!(said.contains("no_such_setting"), "{said}");
}
