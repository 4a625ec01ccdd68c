//! A small HTTP client on a connection of its own.

use std::net::SocketAddr;

use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// One keep-alive connection.
pub(crate) struct Client {
    sender: SendRequest<Full<Bytes>>,
    bearer: Option<String>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self {
            sender,
            bearer: None,
        })
    }

    /// The same, with a credential.
    pub(crate) fn bearer(mut self, token: impl Into<String>) -> Self {
        self.bearer = Some(token.into());
        self
    }

    /// Sends a request under `/api/v1`, and reads the answer as JSON; no body is `null`.
    pub(crate) async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Value), Failure> {
        let response = self.exchange(method, path, body).await?;
        Ok((response.status(), response.into_body()))
    }

    /// The same, with the answer's headers.
    pub(crate) async fn exchange(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response<Value>, Failure> {
        let (head, body) = self.open(method, path, body).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        let body = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&body)?
        };
        Ok(Response::from_parts(head, body))
    }

    /// Sends a request under `/api/v1`, and leaves the answer's body to be read.
    pub(crate) async fn open(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response<Incoming>, Failure> {
        // The probes stand outside of it.
        let prefix = if path == "/readyz" { "" } else { "/api/v1" };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{prefix}{path}"))
            .header(header::HOST, "localhost");
        if let Some(token) = &self.bearer {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = match body {
            Some(json) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Full::from(json.to_string())
            }
            None => Full::default(),
        };
        self.sender.ready().await?;
        Ok(self.sender.send_request(request.body(body)?).await?)
    }

    pub(crate) async fn get(&mut self, path: &str) -> (StatusCode, Value) {
        self.send(Method::GET, path, None)
            .await
            .expect("the server answers")
    }

    pub(crate) async fn post(&mut self, path: &str, body: &Value) -> (StatusCode, Value) {
        self.send(Method::POST, path, Some(body))
            .await
            .expect("the server answers")
    }
}

/// What a server says of whether it is ready.
pub(crate) async fn ready(server: SocketAddr) -> StatusCode {
    let mut client = Client::connect(server).await.expect("the server runs");
    client.get("/readyz").await.0
}
