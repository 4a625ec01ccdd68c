//! The bounds of connections and of open files, as users run into them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use http::{Method, StatusCode, header};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::crash::open_poll;
use crate::support::client::Client;
use crate::support::events::Viewer;
use crate::support::process::{ServerProcess, Starting};
use crate::support::soon;
use crate::support::voter::{ballot, votes_of};

/// Less than the 30 s after which a connection that says nothing is closed in any case.
const AT_ONCE: Duration = Duration::from_secs(15);
/// The hard limit of open files, and so the soft one.
const FEW_FILES: &str = "-n 300";
const ASK: &[u8] = b"GET /readyz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

/// A server with few descriptors.
struct Narrow {
    server: ServerProcess,
    log: PathBuf,
    _folder: TempDir,
}

impl Narrow {
    async fn start(limit: &str, flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let url = format!("sqlite://{}/polls.db", folder.path().display());
        let starting = Starting::with_open_files(limit, &url, flags, &log);
        Self {
            server: starting.greets().await,
            log,
            _folder: folder,
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}

/// What is answered to whoever asks whether the server is ready, from this address.
async fn ask_from(address: &str, server: SocketAddr) -> String {
    // One that is refused before it has asked may be reset instead: it asks again, as clients do.
    let asked = async {
        loop {
            let mut stream = connect_from(address, server).await;
            let mut answer = String::new();
            let read = async {
                stream.write_all(ASK).await?;
                stream.read_to_string(&mut answer).await
            };
            if read.await.is_ok_and(|bytes| bytes > 0) {
                break answer;
            }
        }
    };
    soon(asked).await
}

async fn connect_from(address: &str, server: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket
        .bind(format!("{address}:0").parse().unwrap())
        .unwrap();
    soon(socket.connect(server)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_that_say_nothing_keep_nobody_out() {
    let narrow = Narrow::start(FEW_FILES, &[]).await;
    let address = narrow.server.address;
    let mut silent = Vec::new();
    for _ in 0..400 {
        silent.push(soon(TcpStream::connect(address)).await.unwrap());
    }
    let used = async {
        let mut client = Client::connect(address).await.unwrap();
        assert_eq!(client.get("/readyz").await.0, StatusCode::OK);
        let poll = open_poll(&mut client).await;
        for voter in ["ada", "bob"] {
            // Each on a connection of their own.
            let mut client = Client::connect(address).await.unwrap();
            let (status, receipt) = client.post(&votes_of(&poll), &ballot(&poll, voter)).await;
            assert_eq!(status, StatusCode::CREATED, "{receipt}");
        }
    };
    timeout(AT_ONCE, used).await.expect("nobody waits");
    let log = narrow.log();
    assert!(!log.contains("Too many open files"), "{log}");
    let warning = log.lines().find(|line| line.contains("fewer connections"));
    let warning = warning.unwrap_or_else(|| panic!("it warns: {log}"));
    for part in ["open_files=300", "needed=50160", "ulimit -Hn"] {
        assert!(warning.contains(part), "{part}: {warning}");
    }
    assert!(narrow.server.stop().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_low_soft_limit_is_raised_to_the_hard_one() {
    let narrow = Narrow::start("-S -n 100", &["--connections", "400"]).await;
    let address = narrow.server.address;
    let mut viewers = Vec::new();
    let poll = open_poll(&mut Client::connect(address).await.unwrap()).await;
    for _ in 0..150 {
        viewers.push(Viewer::watch(address, &poll).await);
    }
    assert_eq!(narrow.log(), "");
    assert!(narrow.server.stop().await.success());
}

/// Viewers are no idle connections, and a WebSocket is one as long as it is open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn viewers_take_places_and_who_finds_none_is_told_at_once() {
    let narrow = Narrow::start(FEW_FILES, &["--connections", "4"]).await;
    let address = narrow.server.address;
    let poll = open_poll(&mut Client::connect(address).await.unwrap()).await;
    let mut streams = Vec::new();
    for _ in 0..2 {
        streams.push(Viewer::watch(address, &poll).await);
    }
    let mut sockets = Vec::new();
    for _ in 0..2 {
        let stream = TcpStream::connect(address).await.unwrap();
        let url = format!("ws://{address}/api/v1/ws");
        let opened = soon(tokio_tungstenite::client_async(url, stream)).await;
        sockets.push(opened.unwrap().0);
    }
    let mut client = Client::connect(address).await.unwrap();
    let refused = timeout(AT_ONCE, client.exchange(Method::GET, "/readyz", None)).await;
    let refused = refused.expect("nobody waits").unwrap();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.body()["code"], "overloaded");
    assert_eq!(refused.headers()[header::RETRY_AFTER], "1");
    assert_eq!(refused.headers()[header::CONNECTION], "close");
    drop(sockets.pop());
    let comes_in = async { while !ask_from("127.0.0.1", address).await.contains(" 200 ") {} };
    soon(comes_in).await;
    assert!(narrow.server.stop().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_cannot_have_all_connections() {
    let flags = ["--connections", "4", "--limit-loopback", "true"];
    let narrow = Narrow::start(FEW_FILES, &flags).await;
    let address = narrow.server.address;
    let mut silent = Vec::new();
    for _ in 0..2 {
        silent.push(connect_from("127.0.0.2", address).await);
    }
    let refused = ask_from("127.0.0.2", address).await;
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    assert!(refused.contains("your address"), "{refused}");
    let elsewhere = ask_from("127.0.0.3", address).await;
    assert!(elsewhere.starts_with("HTTP/1.1 200 "), "{elsewhere}");
    silent.pop();
    let comes_in = async { while !ask_from("127.0.0.2", address).await.contains(" 200 ") {} };
    soon(comes_in).await;
    assert!(narrow.server.stop().await.success());
}

/// The bound of connections is higher than the descriptors reach: what is kept in reserve still answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_descriptor_idle_connections_give_way_and_newcomers_are_told_at_once() {
    let narrow = Narrow::start("-n 36", &[]).await;
    let address = narrow.server.address;
    let poll = open_poll(&mut Client::connect(address).await.unwrap()).await;
    let mut silent = Vec::new();
    for _ in 0..40 {
        silent.push(soon(TcpStream::connect(address)).await.unwrap());
    }
    let mut viewers = Vec::new();
    let refused = loop {
        assert!(viewers.len() < 40, "there are descriptors left");
        let answer = timeout(AT_ONCE, ask_from("127.0.0.1", address)).await;
        let answer = answer.expect("nobody waits");
        if !answer.starts_with("HTTP/1.1 200 ") {
            break answer;
        }
        viewers.push(Viewer::watch(address, &poll).await);
    };
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    assert!(refused.contains("overloaded"), "{refused}");
    assert!(!viewers.is_empty());
    let log = narrow.log();
    assert!(log.contains("Too many open files"), "{log}");
    viewers.clear();
    let comes_in = async { while !ask_from("127.0.0.1", address).await.contains(" 200 ") {} };
    soon(comes_in).await;
    assert!(narrow.server.stop().await.success());
}
