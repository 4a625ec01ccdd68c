//! What each `sslmode` asks for.

use pg_cluster::{Cluster, Version};

use super::certificates::{Root, self_signed};
use super::{answer, connector, refused};
use crate::ConnectError;
use crate::connect::Connector;

const ENCRYPTED: &str =
    "select coalesce(version, 'no') from pg_stat_ssl where pid = pg_backend_pid()";

#[tokio::test]
async fn each_mode_asks_for_what_it_says() {
    let root = Root::new("the root");
    let other = Root::new("another root");
    let cluster = root.sign(&["localhost"], "server").server(None);
    let url = |host: &str, parameters: &str| {
        let user = cluster.user();
        // The address is given, so that no name has to be known on this machine.
        format!(
            "host={host} hostaddr=127.0.0.1 port={} user={user} dbname=postgres {parameters}",
            cluster.port()
        )
    };
    let (ours, theirs) = (root.file(), other.file());
    let (ours, theirs) = (ours.display(), theirs.display());

    let goes = [
        ("elsewhere", "sslmode=disable".to_owned(), "no"),
        ("elsewhere", String::new(), "TLSv1.3"),
        ("elsewhere", "sslmode=prefer".to_owned(), "TLSv1.3"),
        ("elsewhere", "sslmode=require".to_owned(), "TLSv1.3"),
        (
            "elsewhere",
            format!("sslmode=require sslrootcert='{ours}'"),
            "TLSv1.3",
        ),
        (
            "elsewhere",
            format!("sslmode=verify-ca sslrootcert='{ours}'"),
            "TLSv1.3",
        ),
        (
            "localhost",
            format!("sslmode=verify-ca sslrootcert='{ours}'"),
            "TLSv1.3",
        ),
        (
            "localhost",
            format!("sslmode=verify-full sslrootcert='{ours}'"),
            "TLSv1.3",
        ),
    ];
    for (host, parameters, encrypted) in goes {
        let client = connector(&url(host, &parameters)).open().await;
        let client = client.unwrap_or_else(|error| panic!("{host} {parameters}: {error}"));
        assert_eq!(
            answer(&client, ENCRYPTED).await,
            encrypted,
            "{host} {parameters}"
        );
    }

    let refusals = [
        (
            "elsewhere",
            format!("sslmode=verify-full sslrootcert='{ours}'"),
            "another host",
        ),
        (
            "localhost",
            format!("sslmode=require sslrootcert='{theirs}'"),
            "trusted root",
        ),
        (
            "localhost",
            format!("sslmode=verify-ca sslrootcert='{theirs}'"),
            "trusted root",
        ),
        (
            "localhost",
            format!("sslmode=verify-full sslrootcert='{theirs}'"),
            "trusted root",
        ),
    ];
    for (host, parameters, reason) in refusals {
        let error = refused(&url(host, &parameters)).await;
        assert!(
            matches!(error, ConnectError::Tls { .. }),
            "{host} {parameters}: {error:?}"
        );
        assert!(
            error.to_string().contains(reason),
            "{host} {parameters}: {error}"
        );
        assert!(!error.heals());
    }
}

#[tokio::test]
async fn the_systems_roots_do_not_know_a_root_of_ones_own() {
    let cluster = Root::new("the root")
        .sign(&["localhost"], "server")
        .server(None);
    for parameters in [
        "sslmode=verify-ca",
        "sslmode=verify-full",
        "sslrootcert=system",
    ] {
        let url = format!("{}?{parameters}", cluster.url_of("postgres"));
        let options = crate::ConnectOptions::parse(&url).unwrap();
        // A machine without roots refuses earlier, and as surely.
        let error = match Connector::new(options) {
            Ok(connector) => connector.open().await.map(|_| ()).unwrap_err(),
            Err(error) => error,
        };
        let refused = matches!(error, ConnectError::Tls { .. } | ConnectError::TlsSetup(_));
        assert!(refused, "{parameters}: {error:?}");
    }
}

#[tokio::test]
async fn a_certificate_that_is_its_own_root_is_trusted_where_it_is_named() {
    let certificate = self_signed("localhost");
    let another = self_signed("localhost");
    let cluster = certificate.server(None);
    let files = tempfile::tempdir().unwrap();
    let url = |name: &str, certificate: &str| {
        let file = files.path().join(name);
        std::fs::write(&file, certificate).unwrap();
        let host = format!("localhost hostaddr=127.0.0.1 port={}", cluster.port());
        let user = cluster.user();
        let root = file.display();
        format!("host={host} user={user} dbname=postgres sslmode=verify-full sslrootcert='{root}'")
    };
    let trusted = connector(&url("server.crt", &certificate.certificate));
    let client = trusted.open().await.unwrap();
    assert_eq!(answer(&client, ENCRYPTED).await, "TLSv1.3");
    let error = refused(&url("another.crt", &another.certificate)).await;
    assert!(matches!(error, ConnectError::Tls { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_without_tls_is_preferred_to_none_and_refused_where_it_is_required() {
    let cluster = Cluster::shared(Version::Installed);
    let url = |mode| format!("{}?sslmode={mode}", cluster.url_of("postgres"));
    for mode in ["disable", "prefer"] {
        let client = connector(&url(mode)).open().await.unwrap();
        assert_eq!(answer(&client, ENCRYPTED).await, "no", "{mode}");
    }
    let error = refused(&url("require")).await;
    assert!(matches!(error, ConnectError::Tls { .. }), "{error:?}");
    assert!(error.to_string().contains("does not offer TLS"), "{error}");
    assert!(!error.heals());
}

#[tokio::test]
async fn a_client_certificate_stands_for_a_password() {
    let root = Root::new("the root");
    let cluster = root
        .sign(&["localhost"], "server")
        .server(Some(&root.file()));
    let client = root.sign(&[], cluster.user());
    let files = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = files.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let certificate = file("client.crt", &client.certificate);
    let key = file("client.key", &client.key);
    let url = cluster.url_of("postgres");
    let with = format!("{url}?sslmode=require&sslcert={certificate}&sslkey={key}");
    let connected = connector(&with).open().await.unwrap();
    assert_eq!(answer(&connected, ENCRYPTED).await, "TLSv1.3");

    let error = refused(&format!("{url}?sslmode=require")).await;
    assert!(
        matches!(error, ConnectError::NotAllowed { .. }),
        "{error:?}"
    );
}

#[test]
fn a_file_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "nothing\n").unwrap();
    for file in [folder.path().join("missing.pem"), empty] {
        let text = format!(
            "host=h user=u sslmode=verify-ca sslrootcert='{}'",
            file.display()
        );
        let options = crate::ConnectOptions::parse(&text).unwrap();
        let error = Connector::new(options).unwrap_err();
        assert!(
            matches!(&error, ConnectError::File { path, .. } if *path == file),
            "{error:?}"
        );
    }
}
