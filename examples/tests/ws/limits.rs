//! How often somebody may vote. The limit is in the engine: these run on one store, in memory.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use polling_core::limits::Limit;
use polling_core::users::{Credentials, NewUser};
use polling_core::{Actor, Engine, FakeClock, NewPoll, PollView, Settings, TrustedProxies};
use polling_http::server::{ServerSettings, serve};
use polling_sqlite::SqliteStore;
use polling_ws::{WsApi, WsSettings};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Client, soon, vote};

const TWICE: Option<Limit> = Some(Limit::per_minute(2));

/// A server that limits the tests' own address, on a clock that stands still.
struct Limited {
    engine: Engine,
    poll: PollView,
    address: SocketAddr,
    serving: AbortHandle,
}

impl Drop for Limited {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn server(trusted: &[&str], votes: Option<Limit>) -> Limited {
    let mut core = Settings::default();
    core.limits.loopback = true;
    core.limits.vote = votes;
    let engine = Engine::builder(SqliteStore::in_memory().await.unwrap())
        .settings(core)
        .clock(FakeClock::default());
    let engine = engine.build().await.unwrap();
    let mut settings = WsSettings::default();
    settings.trusted_proxies = TrustedProxies::parse(trusted.iter().copied()).unwrap();
    let api = WsApi::with_settings(engine.clone(), settings);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (bounds, forever) = (ServerSettings::default(), std::future::pending());
    let serving = tokio::spawn(serve(listener, api, bounds, forever));
    let new = NewPoll::single("Tea or coffee?", ["Tea", "Coffee"]).published();
    let poll = engine.polls().create(&Actor::anonymous(), new).await;
    Limited {
        engine,
        poll: poll.unwrap(),
        address,
        serving: serving.abort_handle(),
    }
}

impl Limited {
    async fn client(&self, forwarded_for: &str) -> Client {
        let headers = [("x-forwarded-for", forwarded_for)];
        Client::with(self.address, &headers).await.unwrap()
    }

    /// What comes of a vote: its type, or its code.
    async fn vote(&self, client: &mut Client, voter: &str) -> String {
        let answer = client.vote(&self.poll, voter).await;
        let told = answer.get("code").unwrap_or(&answer["type"]);
        told.as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_vote_too_many_is_told_when_to_come_again() {
    let server = server(&[], TWICE).await;
    let mut client = server.client("203.0.113.1").await;
    assert_eq!(server.vote(&mut client, "ada").await, "ack");
    assert_eq!(server.vote(&mut client, "bob").await, "ack");
    let refused = client.ask(vote(&server.poll, "cid")).await;
    assert_eq!(
        refused,
        json!({"type": "error", "ref": "cid", "poll_id": server.poll.id, "code": "rate_limited",
            "message": "this was asked for too often: try again in 60 s", "retry_after": 60})
    );
    // Another connection from the same address is the same, whatever it says of itself.
    let mut other = server.client("203.0.113.2").await;
    assert_eq!(server.vote(&mut other, "cid").await, "rate_limited");
    // Who signs in is counted as themselves from then on.
    let users = server.engine.users().unwrap();
    let (email, password) = ("ada@example.org", "correct horse");
    let new = json!({"name": "Ada", "email": email, "password": password});
    let new: NewUser = serde_json::from_value(new).unwrap();
    users.create(&Actor::System, new).await.unwrap();
    let credentials = json!({"email": email, "password": password});
    let credentials: Credentials = serde_json::from_value(credentials).unwrap();
    let token = users.sign_in(&Actor::System, credentials).await.unwrap();
    let authenticate = json!({"type": "authenticate", "token": token.access_token});
    assert_eq!(client.ask(authenticate).await["type"], "ok");
    assert_eq!(server.vote(&mut client, "cid").await, "ack");
}

#[tokio::test]
async fn a_trusted_proxy_says_who_connects() {
    let server = server(&["127.0.0.0/8"], TWICE).await;
    let mut client = server.client("198.51.100.1, 203.0.113.1").await;
    assert_eq!(server.vote(&mut client, "ada").await, "ack");
    assert_eq!(server.vote(&mut client, "bob").await, "ack");
    assert_eq!(server.vote(&mut client, "cid").await, "rate_limited");
    let mut other = server.client("203.0.113.2").await;
    assert_eq!(server.vote(&mut other, "cid").await, "ack");
}

/// With the settings as they are, but that the tests' own address is limited like any other.
#[tokio::test]
async fn bug_14_ten_thousand_votes_from_one_address_get_through() {
    const VOTERS: usize = 10_000;
    let server = server(&[], Settings::default().limits.vote).await;
    let (mut sending, mut coming) = server.client("203.0.113.1").await.socket.split();
    let send = async {
        for voter in 0..VOTERS {
            let frame = vote(&server.poll, &voter.to_string()).to_string();
            sending.feed(Message::text(frame)).await.unwrap();
        }
        sending.flush().await.unwrap();
    };
    let receive = async {
        for _ in 0..VOTERS {
            let frame = soon(coming.next()).await.unwrap().unwrap();
            let frame = frame.into_text().unwrap();
            assert!(frame.starts_with("{\"type\":\"ack\""), "{frame}");
        }
    };
    tokio::join!(send, receive);
    let results = server.engine.results();
    let results = results.read(&Actor::System, server.poll.id, None).await;
    assert_eq!(results.unwrap().results().ballots, 10_000);
}
