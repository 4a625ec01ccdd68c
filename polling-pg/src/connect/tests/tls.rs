//! What each `sslmode` asks for.

use pg_cluster::{Cluster, Version};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use super::certificates::{Root, self_signed};
use super::{answer, connector, refused};
use crate::ConnectError;
use crate::connect::Connector;

const ENCRYPTED: &str =
    "select coalesce(version, 'no') from pg_stat_ssl where pid = pg_backend_pid()";

/// A server whose certificate is for "localhost", from a root in a file; and another root, which signed nothing.
struct Trusted {
    cluster: Cluster,
    root: Root,
    other: Root,
}

impl Trusted {
    fn start() -> Self {
        let root = Root::new("the root");
        Self {
            cluster: root.sign(&["localhost"], "server").server(None),
            root,
            other: Root::new("another root"),
        }
    }

    /// The server under any name, with ROOT and OTHER for the files of the roots.
    fn url(&self, host: &str, parameters: &str) -> String {
        let parameters = parameters
            .replace("ROOT", self.root.file().to_str().unwrap())
            .replace("OTHER", self.other.file().to_str().unwrap());
        // The address is given, so that no name has to be known on this machine.
        format!(
            "host={host} hostaddr=127.0.0.1 port={} user={} dbname=postgres {parameters}",
            self.cluster.port(),
            self.cluster.user()
        )
    }
}

#[tokio::test]
async fn each_mode_is_content_with_what_it_asks_for() {
    let server = Trusted::start();
    let cases = [
        ("elsewhere", "sslmode=disable", "no"),
        ("elsewhere", "", "TLSv1.3"),
        ("elsewhere", "sslmode=prefer", "TLSv1.3"),
        ("elsewhere", "sslmode=prefer sslrootcert=OTHER", "TLSv1.3"),
        ("elsewhere", "sslmode=require", "TLSv1.3"),
        ("elsewhere", "sslmode=require sslrootcert=ROOT", "TLSv1.3"),
        ("elsewhere", "sslmode=verify-ca sslrootcert=ROOT", "TLSv1.3"),
        ("localhost", "sslmode=verify-ca sslrootcert=ROOT", "TLSv1.3"),
        (
            "localhost",
            "sslmode=verify-full sslrootcert=ROOT",
            "TLSv1.3",
        ),
    ];
    for (host, parameters, encrypted) in cases {
        let client = connector(&server.url(host, parameters)).open().await;
        let client = client.unwrap_or_else(|error| panic!("{host} {parameters}: {error}"));
        assert_eq!(
            answer(&client, ENCRYPTED).await,
            encrypted,
            "{host} {parameters}"
        );
    }
}

#[tokio::test]
async fn each_mode_refuses_what_is_less_than_it_asks_for() {
    let server = Trusted::start();
    let cases = [
        (
            "elsewhere",
            "sslmode=verify-full sslrootcert=ROOT",
            "another host",
        ),
        (
            "127.0.0.1",
            "sslmode=verify-full sslrootcert=ROOT",
            "another host",
        ),
        (
            "localhost",
            "sslmode=require sslrootcert=OTHER",
            "trusted root",
        ),
        (
            "localhost",
            "sslmode=verify-ca sslrootcert=OTHER",
            "trusted root",
        ),
        (
            "localhost",
            "sslmode=verify-full sslrootcert=OTHER",
            "trusted root",
        ),
    ];
    for (host, parameters, reason) in cases {
        let error = refused(&server.url(host, parameters)).await;
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
    assert!(error.to_string().contains("sslrootcert"), "{error}");
}

#[tokio::test]
async fn a_certificate_of_version_1_encrypts_and_is_not_trusted() {
    let root = Root::new("the root");
    let cluster = root
        .sign(&["localhost"], "server")
        .of_version_1()
        .server(None);
    for mode in ["prefer", "require"] {
        let url = format!("{}?sslmode={mode}", cluster.url_of("postgres"));
        let client = connector(&url).open().await.unwrap();
        assert_eq!(answer(&client, ENCRYPTED).await, "TLSv1.3", "{mode}");
    }
    let root = root.file();
    let root = root.display();
    let url = format!(
        "{}?sslmode=verify-ca&sslrootcert={root}",
        cluster.url_of("postgres")
    );
    let error = refused(&url).await;
    assert!(matches!(error, ConnectError::Tls { .. }), "{error:?}");
    assert!(error.to_string().contains("version 1"), "{error}");
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

#[tokio::test]
async fn a_direct_negotiation_begins_with_the_handshake() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let listening = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = vec![0; 64 * 1_024];
        let length = stream.read(&mut hello).await.unwrap();
        hello.truncate(length);
        hello
    });
    refused(&format!(
        "postgres://u@{at}/d?sslmode=require&sslnegotiation=direct"
    ))
    .await;
    let hello = listening.await.unwrap();
    assert_eq!(hello[0], 22, "the record of a handshake");
    let protocol = b"\x0apostgresql";
    assert!(hello.windows(protocol.len()).any(|bytes| bytes == protocol));
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
