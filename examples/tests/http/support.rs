//! An engine on a store of its own, served on a real socket, and a client that looks at every answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{HeaderMap, Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;
use polling_core::{Engine, EngineBuilder, FakeClock, Repository, Settings};
use polling_http::server::{ServerSettings, serve};
use polling_http::{HttpApi, HttpSettings};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::answer::Answer;
use crate::documented;
use crate::store::{Guard, Store};

/// Nothing here takes so long; a test that waits longer has failed.
pub(crate) const GUARD: Duration = Duration::from_secs(20);

/// What comes of `future`, which must come soon.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    let came = tokio::time::timeout(GUARD, future).await;
    came.expect("it should have come by now")
}

/// What makes one store of another.
pub(crate) type Around = Box<dyn FnOnce(Arc<dyn Repository>) -> Arc<dyn Repository> + Send>;

/// How a server is started; all fields have working defaults.
#[derive(Default)]
pub(crate) struct Start {
    pub(crate) store: Store,
    pub(crate) http: HttpSettings,
    pub(crate) server: ServerSettings,
    pub(crate) core: Settings,
    pub(crate) clock: Option<FakeClock>,
    /// What the engine finds in the place of its store.
    pub(crate) around: Option<Around>,
    /// What else the engine is built with.
    pub(crate) with: Option<Box<dyn FnOnce(EngineBuilder) -> EngineBuilder + Send>>,
}

/// A running server.
pub(crate) struct Server {
    pub(crate) engine: Engine,
    pub(crate) store: Arc<dyn Repository>,
    pub(crate) address: SocketAddr,
    leave: tokio::sync::oneshot::Sender<()>,
    serving: JoinHandle<()>,
    _store: Guard,
}

impl Start {
    pub(crate) fn on(store: Store) -> Self {
        Self {
            store,
            ..Self::default()
        }
    }

    pub(crate) async fn run(mut self) -> Server {
        let (mut store, guard) = self.store.fresh().await;
        if let Some(around) = self.around.take() {
            store = around(store);
        }
        self.run_on(store, guard).await
    }

    async fn run_on(self, store: Arc<dyn Repository>, guard: Guard) -> Server {
        let mut builder = Engine::builder(Arc::clone(&store)).settings(self.core);
        if let Some(clock) = self.clock {
            builder = builder.clock(clock);
        }
        if let Some(with) = self.with {
            builder = with(builder);
        }
        let engine = builder.build().await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let api = HttpApi::with_settings(engine.clone(), self.http);
        let (leave, left) = tokio::sync::oneshot::channel();
        let shutdown = async { left.await.unwrap_or(()) };
        let serving = tokio::spawn(serve(listener, api, self.server, shutdown));
        Server {
            engine,
            store,
            address,
            leave,
            serving,
            _store: guard,
        }
    }
}

impl Server {
    /// For tests of what no store sees.
    pub(crate) async fn start() -> Self {
        Self::on(Store::default()).await
    }

    pub(crate) async fn on(store: Store) -> Self {
        Start::on(store).run().await
    }

    /// Begins a request; `path` may hold a query.
    pub(crate) fn request(&self, method: Method, path: impl Into<String>) -> Ask {
        Ask {
            address: self.address,
            method,
            path: path.into(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    pub(crate) fn get(&self, path: impl Into<String>) -> Ask {
        self.request(Method::GET, path)
    }

    pub(crate) fn post(&self, path: impl Into<String>, body: &Value) -> Ask {
        self.request(Method::POST, path).json(body)
    }

    /// Creates a published poll for anyone, with the options Tea and Coffee, and with these fields more.
    pub(crate) async fn poll(&self, fields: Value) -> Poll {
        let mut body =
            json!({"question": "Tea or coffee?", "options": ["Tea", "Coffee"], "publish": true});
        let (body_fields, more) = (body.as_object_mut().unwrap(), fields);
        body_fields.extend(more.as_object().unwrap().clone());
        let answer = self.post("/api/v1/polls", &body).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        Poll::of(&answer.json())
    }

    /// Signs somebody up and in: their id and access token.
    pub(crate) async fn user(&self, name: &str) -> (String, String) {
        let email = format!("{name}@example.org");
        let new = json!({"name": name, "email": email, "password": "correct horse"});
        let user = self.post("/api/v1/users", &new).await;
        assert_eq!(user.status, 201, "{}", user.text());
        let credentials = json!({"email": email, "password": "correct horse"});
        let token = self.post("/api/v1/auth/login", &credentials).await;
        assert_eq!(token.status, 200, "{}", token.text());
        let token = token.json()["access_token"].as_str().unwrap().to_owned();
        (user.json()["id"].as_str().unwrap().to_owned(), token)
    }

    /// A connection of which the test writes and reads the bytes itself.
    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Writes `bytes` on a connection of its own, and reads until the server closes it.
    pub(crate) async fn say(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        soon(stream.read_to_end(&mut answer)).await.unwrap();
        String::from_utf8(answer).unwrap()
    }

    /// Stops it, and starts another one on the same store.
    pub(crate) async fn restart(self, start: Start) -> Server {
        // A server that is gone already need not be told.
        let _ = self.leave.send(());
        soon(self.serving).await.unwrap();
        self.engine.shutdown().await;
        start.run_on(self.store, self._store).await
    }

    /// Asks the server to leave, and waits until it has.
    pub(crate) async fn stop(self) {
        self.begin_to_stop().await;
    }

    /// Asks the server to leave; the future ends when it has.
    pub(crate) fn begin_to_stop(self) -> BoxFuture<'static, ()> {
        // A server that is gone already need not be told.
        let _ = self.leave.send(());
        Box::pin(async move { soon(self.serving).await.unwrap() })
    }
}

/// A poll, as far as tests talk about it.
#[derive(Clone, Debug)]
pub(crate) struct Poll {
    pub(crate) id: String,
    pub(crate) options: Vec<String>,
    /// Empty where it was created with an account.
    pub(crate) token: String,
}

impl Poll {
    pub(crate) fn of(json: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let options = json["options"].as_array().unwrap().iter();
        Self {
            id: text(&json["id"]),
            options: options.map(|option| text(&option["id"])).collect(),
            token: text(&json["manage_token"]),
        }
    }

    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/api/v1/polls/{}{rest}", self.id)
    }

    /// The body of a vote for the option at this position.
    pub(crate) fn vote(&self, position: usize, voter: &str) -> Value {
        json!({"option_id": self.options[position], "voter": voter})
    }
}

/// A request that is being put together; awaiting it sends it.
pub(crate) struct Ask {
    address: SocketAddr,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Ask {
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.append(name, value.parse().unwrap());
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body(body.to_string())
            .header("content-type", "application/json")
    }

    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends the request, and returns when the head of the answer is there.
    pub(crate) async fn open(self) -> http::Response<Incoming> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let io = TokioIo::new(stream);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
        tokio::spawn(connection);
        let mut request = Request::new(Full::new(self.body));
        *request.method_mut() = self.method;
        *request.uri_mut() = self.path.parse().unwrap();
        *request.headers_mut() = self.headers;
        let host = self.address.to_string().parse().unwrap();
        request.headers_mut().insert(header::HOST, host);
        soon(sender.send_request(request)).await.unwrap()
    }
}

impl IntoFuture for Ask {
    type Output = Answer;
    type IntoFuture = BoxFuture<'static, Answer>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (method, path) = (self.method.clone(), self.path.clone());
            let (parts, body) = self.open().await.into_parts();
            let answer = Answer {
                status: parts.status,
                headers: parts.headers,
                body: soon(body.collect()).await.unwrap().to_bytes(),
            };
            answer.check();
            documented::check(&method, &path, &answer);
            answer
        })
    }
}
