//! Every refusal says what to do about it.

use pg_cluster::{Cluster, ClusterOptions, Version};

use super::{answer, connector, refused};
use crate::{ConnectError, ConnectOptions};

/// A server that asks everybody on the network for a password; "ann" has "a:b/c@d".
async fn with_passwords() -> Cluster {
    let options = ClusterOptions::new(Version::Installed);
    let cluster = Cluster::start(&options.hba("host all all 127.0.0.1/32 scram-sha-256")).unwrap();
    let admin = connector(&cluster.socket_url_of("postgres"));
    let admin = admin.open().await.unwrap();
    for statement in [
        "create role ann login password 'a:b/c@d'",
        "create role guest password 'x'",
        "create database closed",
        "revoke connect on database closed from public",
    ] {
        admin.batch_execute(statement).await.unwrap();
    }
    cluster
}

#[tokio::test]
async fn a_server_that_asks_for_a_password_says_what_is_wrong_with_ours() {
    let cluster = with_passwords().await;
    let at = format!("127.0.0.1:{}", cluster.port());

    let error = refused(&format!("postgres://ann:wrong@{at}/postgres")).await;
    assert!(
        matches!(&error, ConnectError::WrongPassword { user, .. } if user == "ann"),
        "{error:?}"
    );
    assert!(!error.heals());
    let said = format!("{error} {error:?}");
    assert!(said.contains(&at) && !said.contains("wrong"), "{said}");

    let error = refused(&format!("postgres://ann@{at}/postgres")).await;
    assert!(
        matches!(error, ConnectError::PasswordMissing { .. }),
        "{error:?}"
    );

    let error = refused(&format!("postgres://guest:x@{at}/postgres")).await;
    assert!(
        matches!(error, ConnectError::NotAllowed { .. }),
        "{error:?}"
    );
    assert!(
        error.to_string().contains("not permitted to log in"),
        "{error}"
    );

    let error = refused(&format!("postgres://ann:a%3Ab%2Fc%40d@{at}/closed")).await;
    assert!(
        matches!(error, ConnectError::NotAllowed { .. }),
        "{error:?}"
    );

    let right = connector(&format!("postgres://ann:a%3Ab%2Fc%40d@{at}/postgres"));
    let client = right.open().await.unwrap();
    assert_eq!(answer(&client, "select current_user::text").await, "ann");
}

#[tokio::test]
async fn a_password_comes_from_the_password_file() {
    let cluster = with_passwords().await;
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join(".pgpass");
    let write = |line: String| {
        std::fs::write(&file, line).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&file, mode).unwrap();
    };
    write(format!("127.0.0.1:{}:*:ann:a\\:b/c@d\n", cluster.port()));
    let url = format!("postgres://ann@127.0.0.1:{}/postgres", cluster.port());
    let options = ConnectOptions::parse_with(&url, |name| {
        (name == "HOME").then(|| home.path().to_str().unwrap().to_owned())
    });
    let connector = crate::connect::Connector::new(options.unwrap()).unwrap();
    let client = connector.open().await.unwrap();
    assert_eq!(answer(&client, "select current_user::text").await, "ann");
}

#[tokio::test]
async fn a_database_or_a_user_that_is_not_there_is_named() {
    let cluster = Cluster::shared(Version::Installed);
    let error = refused(&cluster.url_of("nowhere")).await;
    assert!(
        matches!(&error, ConnectError::NoSuchDatabase { database, .. } if database == "nowhere"),
        "{error:?}"
    );
    assert!(
        error.to_string().contains("CREATE DATABASE \"nowhere\""),
        "{error}"
    );
    assert!(!error.heals());

    let error = refused(&format!(
        "postgres://nobody@127.0.0.1:{}/postgres",
        cluster.port()
    ))
    .await;
    assert!(
        matches!(&error, ConnectError::NoSuchUser { user, .. } if user == "nobody"),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_socket_is_reached_in_each_of_its_spellings() {
    let cluster = Cluster::shared(Version::Installed);
    let directory = cluster.socket_dir().to_str().unwrap();
    let encoded = directory.replace('/', "%2F");
    let (user, port) = (cluster.user(), cluster.port());
    let texts = [
        cluster.socket_url_of("postgres"),
        format!("postgres://{user}@{encoded}:{port}/postgres"),
        format!("postgres://{user}@/postgres?host={directory}&port={port}"),
        format!("host='{directory}' port={port} user={user} dbname=postgres"),
        // Nobody is in between, so there is nothing to encrypt.
        format!(
            "postgres://{user}@{encoded}:{port}/postgres?sslmode=verify-full&sslrootcert=system"
        ),
    ];
    for text in texts {
        let client = connector(&text).open().await.unwrap();
        let address = "select coalesce(inet_server_addr()::text, 'socket')";
        assert_eq!(answer(&client, address).await, "socket", "{text}");
    }
}

#[tokio::test]
async fn the_first_host_that_answers_serves_and_a_refusal_ends_the_search() {
    let cluster = Cluster::shared(Version::Installed);
    let (user, port) = (cluster.user(), cluster.port());
    let closed = closed_port();
    let url = format!("postgres://{user}@127.0.0.1:{closed},127.0.0.1:{port}/postgres");
    connector(&url).open().await.unwrap();

    let read_only =
        "target_session_attrs=read-write&options=-c%20default_transaction_read_only%3Don";
    let url = format!("postgres://{user}@127.0.0.1:{port},127.0.0.1:{closed}/postgres?{read_only}");
    let error = refused(&url).await;
    assert!(
        matches!(error, ConnectError::ReadOnly { .. }),
        "nobody's absence says more than this: {error:?}"
    );

    let url = format!("postgres://{user}@127.0.0.1:{port},127.0.0.1:{closed}/nowhere");
    let error = refused(&url).await;
    assert!(
        matches!(error, ConnectError::NoSuchDatabase { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_server_that_takes_no_writes_is_passed_over_or_refused() {
    let cluster = Cluster::shared(Version::Installed);
    let read_only = "options=-c%20default_transaction_read_only%3Don";
    let url = format!("{}?{read_only}", cluster.url_of("postgres"));
    let error = connector(&url).check().await.unwrap_err();
    assert!(matches!(error, ConnectError::ReadOnly { .. }), "{error:?}");

    let error = refused(&format!("{url}&target_session_attrs=read-write")).await;
    assert!(matches!(error, ConnectError::ReadOnly { .. }), "{error:?}");
    assert!(error.heals(), "another server may take its place");

    connector(&cluster.url_of("postgres"))
        .check()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_full_server_is_one_to_wait_for() {
    let options = ClusterOptions::new(Version::Installed).max_connections(5);
    let cluster = Cluster::start(&options.config("superuser_reserved_connections = 0")).unwrap();
    let connector = connector(&cluster.url_of("postgres"));
    let mut clients = Vec::new();
    let error = loop {
        match connector.open().await {
            Ok(client) => clients.push(client),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, ConnectError::NotNow { .. }), "{error:?}");
    assert!(error.heals());
}

/// A port that nobody listens on.
fn closed_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
