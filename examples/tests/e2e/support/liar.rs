//! A server in front of the server, which passes everything on but what it lies about.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What is wrong with a server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Lie {
    /// Results name a ballot less than there are.
    Miscounts,
    /// The tenth vote is answered as recorded, and recorded nowhere.
    Forgets,
    /// One of ten votes is recorded and not answered, and one is put off: no lie, but bad luck.
    LosesAnswers,
    /// Every vote is put off, for ever.
    PutsOff,
}

/// A lying server. It is gone when this is dropped.
pub(crate) struct Liar {
    pub(crate) address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Liar {
    /// Stands before a server, on a free port.
    pub(crate) async fn before(server: SocketAddr, lie: Lie) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let votes = Arc::new(AtomicUsize::new(0));
        let accepting = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, server, lie, Arc::clone(&votes)));
            }
        });
        Self { address, accepting }
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(
    stream: TcpStream,
    server: SocketAddr,
    lie: Lie,
    votes: Arc<AtomicUsize>,
) -> Result<(), Failure> {
    let behind = TokioIo::new(TcpStream::connect(server).await?);
    let (sender, connection) = handshake(behind).await?;
    tokio::spawn(connection);
    let sender = Mutex::new(sender);
    let service = service_fn(|request| answer(&sender, lie, &votes, request));
    let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    Ok(serving.await?)
}

/// An error closes the connection without an answer.
async fn answer(
    sender: &Mutex<SendRequest<Full<Bytes>>>,
    lie: Lie,
    votes: &AtomicUsize,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Failure> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let path = head.uri.path().to_owned();
    let vote = path
        .ends_with("/votes")
        .then(|| votes.fetch_add(1, Ordering::Relaxed) % 10);
    match (lie, vote) {
        (Lie::Forgets, Some(9)) => return recorded(&body),
        (Lie::LosesAnswers, Some(4)) | (Lie::PutsOff, Some(_)) => return put_off(),
        _ => {}
    }
    let passed_on = Request::from_parts(head, Full::from(body));
    let response = sender.lock().await.send_request(passed_on).await?;
    let (mut head, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    if (lie, vote) == (Lie::LosesAnswers, Some(7)) {
        return Err("no answer".into());
    }
    if lie == Lie::Miscounts && path.ends_with("/results") {
        let mut results: Value = serde_json::from_slice(&body)?;
        for of in ["/ballots", "/options/0/votes"] {
            let count = results.pointer_mut(of).ok_or("results have counts")?;
            *count = json!(count.as_u64().ok_or("a count")? - 1);
        }
        head.headers.remove(header::CONTENT_LENGTH);
        return Ok(Response::from_parts(head, Full::from(results.to_string())));
    }
    Ok(Response::from_parts(head, Full::from(body)))
}

fn recorded(vote: &[u8]) -> Result<Response<Full<Bytes>>, Failure> {
    let vote: Value = serde_json::from_slice(vote)?;
    let receipt = json!({
        "ballot_id": vote["ballot_id"], "voter": vote["voter"], "revision": 2,
        "cast_at": "2026-12-01T12:00:00.000Z",
    });
    let response = Response::builder().status(StatusCode::CREATED);
    Ok(response.body(Full::from(receipt.to_string()))?)
}

fn put_off() -> Result<Response<Full<Bytes>>, Failure> {
    let problem = json!({"status": 503, "code": "overloaded"});
    let response = Response::builder().status(StatusCode::SERVICE_UNAVAILABLE);
    let response = response.header(header::RETRY_AFTER, "0");
    Ok(response.body(Full::from(problem.to_string()))?)
}
