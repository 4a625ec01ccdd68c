//! A server on a socket of its own, and a client that speaks the frames.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::HeaderMap;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use polling_core::{Actor, Engine, FakeClock, NewPoll, PollId, PollView, Settings};
use polling_ws::{WsApi, WsSettings};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::store::{Guard, Store};

/// Long enough for everything that is going to happen at all.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What `event` gives; a panic where it does not come.
pub(crate) async fn soon<T>(event: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, event)
        .await
        .expect("it happens soon")
}

/// An engine, and its WebSocket face in plain hyper.
pub(crate) struct Server {
    pub(crate) engine: Engine,
    pub(crate) api: WsApi,
    pub(crate) address: SocketAddr,
    _tasks: JoinSet<()>,
    _store: Guard,
}

impl Server {
    /// For tests of what no store sees.
    pub(crate) async fn start() -> Self {
        Self::on(Store::default()).await
    }

    pub(crate) async fn on(store: Store) -> Self {
        Self::serve(store, WsSettings::default(), listener().await).await
    }

    pub(crate) async fn with(settings: WsSettings) -> Self {
        Self::serve(Store::default(), settings, listener().await).await
    }

    /// With little room in the system's own buffers, so that a slow client is noticed soon.
    pub(crate) async fn with_small_buffers(settings: WsSettings) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_send_buffer_size(4096).unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        Self::serve(Store::default(), settings, socket.listen(64).unwrap()).await
    }

    async fn serve(store: Store, settings: WsSettings, listener: TcpListener) -> Self {
        let (engine, guard) = engine(store).await;
        Self::running(engine, guard, settings, listener)
    }

    /// For an engine that the test has built.
    pub(crate) async fn of(engine: Engine) -> Self {
        let listener = listener().await;
        Self::running(engine, Box::new(()), WsSettings::default(), listener)
    }

    /// On a clock that the test moves.
    pub(crate) async fn with_clock(store: Store, clock: FakeClock) -> Self {
        let (store, guard) = store.fresh().await;
        let builder = Engine::builder(store).settings(settings()).clock(clock);
        let engine = builder.build().await.unwrap();
        let listener = listener().await;
        Self::running(engine, guard, WsSettings::default(), listener)
    }

    fn running(engine: Engine, guard: Guard, settings: WsSettings, listener: TcpListener) -> Self {
        let api = WsApi::with_settings(engine.clone(), settings);
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, api.clone()));
        Self {
            engine,
            api,
            address,
            _tasks: tasks,
            _store: guard,
        }
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.address).await
    }

    /// A published poll that anyone may vote in.
    pub(crate) async fn poll(&self) -> PollView {
        let poll = NewPoll::single("Tea or coffee?", ["Tea", "Coffee"]).published();
        self.create(&Actor::anonymous(), poll).await
    }

    pub(crate) async fn create(&self, actor: &Actor, poll: NewPoll) -> PollView {
        self.engine.polls().create(actor, poll).await.unwrap()
    }
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

pub(crate) async fn engine(store: Store) -> (Engine, Guard) {
    let (store, guard) = store.fresh().await;
    let engine = Engine::builder(store).settings(settings()).build();
    (engine.await.unwrap(), guard)
}

fn settings() -> Settings {
    let mut settings = Settings::default();
    // Many tests wait for one push after the other.
    settings.push_interval = Duration::from_millis(1);
    settings
}

async fn accept(listener: TcpListener, api: WsApi) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let service = TowerToHyperService::new(api.clone());
        connections.spawn(async move {
            let server = auto::Builder::new(TokioExecutor::new());
            // A client that leaves in the middle of its request is none of the server's business.
            let _ = server
                .serve_connection_with_upgrades(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// A client.
pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<TcpStream>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::with(address, &[]).await.unwrap()
    }

    /// With headers of its own; where it is refused, the status.
    pub(crate) async fn with(
        address: SocketAddr,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, u16> {
        Self::at(address, "", headers).await
    }

    /// The same, with this query.
    pub(crate) async fn at(
        address: SocketAddr,
        query: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, u16> {
        let mut request = format!("ws://{address}/api/v1/ws{query}")
            .into_client_request()
            .unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        match soon(tokio_tungstenite::client_async(request, stream)).await {
            Ok((socket, _)) => Ok(Self { socket }),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) async fn send(&mut self, frame: &Value) {
        self.send_message(Message::text(frame.to_string())).await;
    }

    pub(crate) async fn send_message(&mut self, message: Message) {
        soon(self.socket.send(message)).await.unwrap();
    }

    /// Bytes past the protocol.
    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        self.socket.get_mut().write_all(bytes).await.unwrap();
    }

    /// The next frame; pings and pongs are passed over.
    pub(crate) async fn next(&mut self) -> Value {
        match soon(self.message()).await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("no text: {other:?}"),
        }
    }

    pub(crate) async fn message(&mut self) -> Message {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(message)) => return message,
                other => panic!("no frame: {other:?}"),
            }
        }
    }

    /// Sends a frame, and gives the next one that comes.
    pub(crate) async fn ask(&mut self, frame: Value) -> Value {
        self.send(&frame).await;
        self.next().await
    }

    /// Subscribes, and gives the first answer.
    pub(crate) async fn subscribe(&mut self, poll: PollId) -> Value {
        self.ask(json!({"type": "subscribe", "poll_id": poll}))
            .await
    }

    /// Votes for the first option, and gives the answer.
    pub(crate) async fn vote(&mut self, poll: &PollView, voter: &str) -> Value {
        self.ask(vote(poll, voter)).await
    }

    /// The next frame that is a `results` with at least so many ballots.
    pub(crate) async fn results_with(&mut self, ballots: u64) -> Value {
        loop {
            let frame = self.next().await;
            assert_eq!(frame["type"], "results", "{frame}");
            if frame["ballots"].as_u64().unwrap() >= ballots {
                return frame;
            }
        }
    }

    /// The code of the close frame that comes after whatever else comes; it is answered.
    pub(crate) async fn closed(&mut self) -> u16 {
        self.closed_before(|_| false).await.unwrap()
    }

    /// The same; `None` where a frame comes first that `ends` it.
    pub(crate) async fn closed_before(&mut self, ends: impl Fn(&Value) -> bool) -> Option<u16> {
        let code = loop {
            match soon(self.message()).await {
                Message::Close(close) => break close.unwrap().code.into(),
                Message::Text(text) if ends(&serde_json::from_str(&text).unwrap()) => return None,
                Message::Text(_) => {}
                other => panic!("{other:?}"),
            }
        };
        while let Some(Ok(_)) = soon(self.socket.next()).await {}
        Some(code)
    }

    /// Nothing is on its way: what comes next is the answer to a ping.
    pub(crate) async fn hears_nothing(&mut self) {
        let answer = self.ask(json!({"type": "ping", "ref": "quiet?"})).await;
        assert_eq!(answer, json!({"type": "pong", "ref": "quiet?"}));
    }
}

/// A vote for the first option.
pub(crate) fn vote(poll: &PollView, voter: &str) -> Value {
    json!({"type": "vote", "ref": voter, "poll_id": poll.id, "option_id": poll.options[0].id, "voter": voter})
}

/// Whose manage token a poll gave.
pub(crate) async fn manager(engine: &Engine, poll: &PollView) -> Actor {
    let token = poll.manage_token.as_deref().unwrap();
    engine.authenticate(token).await.unwrap()
}

/// The answer to a handshake that is sent as it stands, line by line: status, headers and problem.
pub(crate) async fn handshake(address: SocketAddr, lines: &[&str]) -> (u16, HeaderMap, Value) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "{}\r\nhost: {address}\r\nconnection: close\r\n\r\n",
        lines.join("\r\n")
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    soon(stream.read_to_end(&mut answer)).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    let problem = serde_json::from_str(body).unwrap_or_default();
    (
        status.parse().unwrap(),
        headers
            .collect::<Vec<(http::HeaderName, http::HeaderValue)>>()
            .into_iter()
            .collect(),
        problem,
    )
}
