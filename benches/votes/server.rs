//! A server in a thread of its own, with a runtime of its own, as the bundled one has: the load comes over real sockets
//! from another thread.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread::JoinHandle;

use bytes::Bytes;
use http::Response;
use http_body_util::Empty;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use polling_core::Engine;
use polling_http::HttpApi;
use polling_http::server::{Peer, ServerSettings, serve, serve_connections};
use polling_pg::PgStore;
use polling_ws::{Goodbye, WsApi};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::Outcome;
use crate::bed::{Poll, settings};
use crate::load::Shared;
use crate::load::in_process::{in_each, of_the_last, prime};
use crate::people::People;

/// What a server serves.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Face {
    Http,
    WebSocket,
}

/// Who will vote.
pub(crate) enum Voters {
    /// Everybody, in these polls.
    Anyone(Shared<Poll>),
    /// These people, in theirs.
    People(People),
}

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// Votes that it has cast itself.
    pub(crate) primed: u64,
    stop: CancellationToken,
    thread: JoinHandle<Outcome<()>>,
}

impl Server {
    /// An engine on this database, behind this face, which knows the polls of these voters.
    pub(crate) fn start(
        runtime: Runtime,
        face: Face,
        url: String,
        voters: Voters,
    ) -> Outcome<Self> {
        Self::run(runtime, async move |started, stop| {
            let store = PgStore::connect(&url).await?;
            let engine = Engine::builder(store).settings(settings()).build().await?;
            let votes = match &voters {
                Voters::Anyone(polls) => in_each(polls),
                Voters::People(people) => of_the_last(&engine, people).await?,
            };
            let primed = prime(&engine, votes).await?;
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            started.send((listener.local_addr()?, primed))?;
            let settings = ServerSettings::default();
            match face {
                Face::Http => {
                    let api = HttpApi::new(engine.clone());
                    let api_for = |peer: &Peer| api.clone().for_connection(peer);
                    serve_connections(listener, api_for, settings, stop.cancelled()).await;
                }
                Face::WebSocket => {
                    let api = WsApi::new(engine.clone());
                    serve(listener, api.clone(), settings, stop.cancelled()).await;
                    api.shutdown(Goodbye::Leaving).await;
                }
            }
            engine.shutdown().await;
            Ok(())
        })
    }

    /// A handler that does nothing: what hyper and the sockets cost alone.
    pub(crate) fn start_noop(runtime: Runtime) -> Outcome<Self> {
        Self::run(runtime, async |started, stop| {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            started.send((listener.local_addr()?, 0))?;
            let nothing =
                service_fn(async |_| Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())));
            while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
                let (stream, _) = accepted?;
                stream.set_nodelay(true)?;
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), nothing));
            }
            Ok(())
        })
    }

    fn run<Serve>(runtime: Runtime, serve: Serve) -> Outcome<Self>
    where
        Serve: AsyncFnOnce(mpsc::Sender<(SocketAddr, u64)>, CancellationToken) -> Outcome<()>
            + Send
            + 'static,
    {
        let stop = CancellationToken::new();
        let (started, address) = mpsc::channel();
        let thread = {
            let stop = stop.clone();
            std::thread::spawn(move || runtime.block_on(serve(started, stop)))
        };
        let Ok((address, primed)) = address.recv() else {
            return Err(ended(thread));
        };
        Ok(Self {
            address,
            primed,
            stop,
            thread,
        })
    }

    /// Stops it, when everything that it took is answered.
    pub(crate) fn stop(self) -> Outcome<()> {
        self.stop.cancel();
        self.thread.join().map_err(|_| "the server panicked")?
    }
}

fn ended(thread: JoinHandle<Outcome<()>>) -> Box<dyn std::error::Error + Send + Sync> {
    match thread.join() {
        Ok(Err(error)) => error,
        _ => "the server ended before it served".into(),
    }
}
