//! Clients that ask for large answers and do not take them: what they hold is bounded and freed, and others go on.

use std::time::Duration;

use h2::client::SendRequest;
use h2::{Reason, RecvStream};
use http::{Request, StatusCode};
use hyper::body::Bytes;
use polling_http::HttpApi;
use polling_http::server::{Peer, ServerGauges, ServerSettings, serve_connections};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::support::{Ask, Poll, Server, Start, soon};

/// Polls of somebody who lists them, and the bytes of one list, which are a little more than these.
const POLLS: usize = 6;
const LIST_BYTES: usize = POLLS * 31_760;

/// A server with short patience, a user whose list of polls is large, and a poll to vote in.
struct World {
    server: Server,
    gauges: ServerGauges,
    token: String,
    poll: Poll,
}

impl World {
    async fn with(change: impl FnOnce(&mut ServerSettings)) -> Self {
        let mut settings = ServerSettings::default();
        settings.write_timeout = Duration::from_millis(300);
        change(&mut settings);
        let gauges = settings.gauges.clone();
        let start = Start {
            server: settings,
            ..Start::default()
        };
        let server = start.run().await;
        let (_, token) = server.user("ada").await;
        // 200 characters, which are 794 bytes.
        let long = "🍵".repeat(198);
        let options: Vec<_> = (10..50).map(|at| format!("{at}{long}")).collect();
        let large = json!({"question": "Q", "options": options, "publish": true});
        for _ in 0..POLLS {
            let created = server.post("/api/v1/polls", &large).bearer(&token).await;
            assert_eq!(created.status, 201, "{}", created.text());
        }
        Self {
            poll: server.poll(json!({})).await,
            gauges,
            server,
            token,
        }
    }

    fn list(&self) -> Ask {
        self.server.get("/api/v1/polls").bearer(&self.token)
    }

    /// Waits until the gauges show it.
    async fn shows(&self, what: impl Fn(&ServerGauges) -> bool) {
        let shown = async {
            while !what(&self.gauges) {
                tokio::task::yield_now().await;
            }
        };
        soon(shown).await;
    }

    async fn votes(&self, voter: &str) {
        let vote = self.poll.vote(0, voter);
        let voted = self.server.post(self.poll.path("/votes"), &vote).await;
        assert_eq!(voted.status, 201, "{}", voted.text());
    }

    async fn client(&self, window: u32) -> Client {
        let stream = TcpStream::connect(self.server.address).await.unwrap();
        let mut builder = h2::client::Builder::new();
        builder.initial_window_size(window);
        let (requests, connection) = builder.handshake::<_, Bytes>(stream).await.unwrap();
        // It answers pings.
        tokio::spawn(connection);
        Client {
            requests,
            address: self.server.address.to_string(),
            token: self.token.clone(),
        }
    }
}

/// A client of HTTP/2 that takes of an answer what the test takes.
struct Client {
    requests: SendRequest<Bytes>,
    address: String,
    token: String,
}

impl Client {
    /// Asks, and does not wait for the answer.
    async fn ask(&mut self, path: &str) -> h2::client::ResponseFuture {
        let request = Request::get(format!("http://{}{path}", self.address))
            .header("authorization", format!("Bearer {}", self.token))
            .body(())
            .unwrap();
        self.requests = soon(self.requests.clone().ready()).await.unwrap();
        self.requests.send_request(request, true).unwrap().0
    }

    async fn list(&mut self) -> h2::client::ResponseFuture {
        self.ask("/api/v1/polls").await
    }
}

async fn head(answer: h2::client::ResponseFuture) -> RecvStream {
    let answer = soon(answer).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer.into_body()
}

/// Why there is no more of an answer.
async fn broken(mut body: RecvStream) -> h2::Error {
    let end = async {
        loop {
            match body.data().await {
                Some(Ok(_)) => {}
                Some(Err(error)) => return error,
                None => panic!("it was sent whole"),
            }
        }
    };
    soon(end).await
}

#[tokio::test]
async fn a_client_of_http2_that_takes_nothing_frees_what_it_holds_after_the_write_timeout() {
    let world = World::with(|_| {}).await;
    let mut client = world.client(0).await;
    let body = head(client.list().await).await;
    assert!(world.gauges.answer_bytes() > LIST_BYTES);
    assert_eq!(broken(body).await.reason(), Some(Reason::CANCEL));
    world.shows(|gauges| gauges.answer_bytes() == 0).await;
    assert_eq!(world.gauges.streams_ended(), 1);
    assert_eq!(world.gauges.connections_closed(), 0);
    // The connection is as good as before, to whoever takes nothing of the next one, too.
    let _next = head(client.list().await).await;
}

#[tokio::test]
async fn a_client_holds_the_budget_of_its_connection_at_most_however_much_it_asks_for() {
    let world = World::with(|settings| {
        settings.connection_answer_bytes = 2 * LIST_BYTES;
    })
    .await;
    let mut client = world.client(0).await;
    let mut answers = Vec::new();
    for _ in 0..20 {
        answers.push(client.list().await);
    }
    // One after the other they have their turn, when those before were ended.
    for answer in answers {
        broken(head(answer).await).await;
    }
    world.shows(|gauges| gauges.answer_bytes() == 0).await;
    assert_eq!(world.gauges.streams_ended(), 20);
    let most = world.gauges.most_answer_bytes();
    assert!((LIST_BYTES..3 * LIST_BYTES).contains(&most), "{most}");
}

#[tokio::test]
async fn an_answer_that_the_library_has_whole_is_freed_with_its_connection() {
    let world = World::with(|_| {}).await;
    let mut client = world.client(1).await;
    let body = head(client.ask(&world.poll.path("")).await).await;
    assert!(world.gauges.answer_bytes() > 0);
    broken(body).await;
    world.shows(|gauges| gauges.answer_bytes() == 0).await;
    assert_eq!(world.gauges.connections_closed(), 1);
}

#[tokio::test]
async fn an_event_stream_whose_viewer_takes_nothing_ends() {
    let world = World::with(|_| {}).await;
    let mut client = world.client(0).await;
    let body = head(client.ask(&world.poll.path("/events")).await).await;
    assert_eq!(broken(body).await.reason(), Some(Reason::CANCEL));
    world.shows(|gauges| gauges.answer_bytes() == 0).await;
    assert_eq!(world.gauges.streams_ended(), 1);
}

#[tokio::test]
async fn a_client_that_takes_slowly_but_steadily_gets_everything_whole() {
    let world = World::with(|settings| settings.write_timeout = Duration::from_secs(5)).await;
    let expected = world.list().await;
    let mut client = world.client(1_000).await;
    let mut body = head(client.list().await).await;
    let mut read = Vec::new();
    while let Some(data) = soon(body.data()).await {
        let data = data.unwrap();
        read.extend_from_slice(&data);
        body.flow_control().release_capacity(data.len()).unwrap();
    }
    assert_eq!(read, expected.body);
    assert_eq!(world.gauges.streams_ended(), 0);
    world.shows(|gauges| gauges.answer_bytes() == 0).await;
}

#[tokio::test]
async fn others_go_on_while_a_client_holds_the_budget_of_the_server() {
    let world = World::with(|settings| {
        settings.connection_answer_bytes = 2 * LIST_BYTES;
        settings.answer_bytes = 2 * LIST_BYTES;
        settings.write_timeout = Duration::from_secs(3_600);
    })
    .await;
    let mut hostile = world.client(0).await;
    let mut held = Vec::new();
    held.push(head(hostile.list().await).await);
    let waits = hostile.list().await;
    assert!(world.gauges.answer_bytes() > LIST_BYTES);
    for voter in ["bob", "cid", "dan"] {
        world.votes(voter).await;
    }
    // Even over the same connection: their answers are small.
    let probe = head(hostile.ask("/readyz").await).await;
    // Nobody else is refused for long: who takes nothing makes room.
    let listed = world.list().await;
    assert_eq!(listed.status, 200);
    assert!(listed.body.len() > LIST_BYTES);
    assert!(world.gauges.streams_ended() > 0);
    drop((waits, probe, held));
}

/// Serves the polls of another server, with all of the budget in other hands.
#[tokio::test]
async fn large_answers_are_refused_while_the_budget_is_used_up_and_votes_are_not() {
    let mut world = World::with(|_| {}).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (send, mut peers) = mpsc::unbounded_channel();
    let api = HttpApi::new(world.server.engine.clone());
    let service_for = move |peer: &Peer| {
        send.send(peer.clone()).unwrap();
        api.clone().for_connection(peer)
    };
    let settings = ServerSettings::default();
    let all = settings.answer_bytes;
    let _first = TcpStream::connect(address).await.unwrap();
    let serving = serve_connections(listener, service_for, settings, std::future::pending());
    let serving = tokio::spawn(serving);
    let first = soon(peers.recv()).await.unwrap();
    let held = first.answers.try_reserve(all).unwrap();

    world.server.address = address;
    world.votes("bob").await;
    let refused = world.list().await;
    assert_eq!(refused.headers["retry-after"], "1");
    refused.refuses(503, "overloaded");
    let read = world.server.get(world.poll.path("/results"));
    read.await.refuses(503, "overloaded");
    drop(held);
    assert_eq!(world.list().await.status, 200);
    serving.abort();
}
