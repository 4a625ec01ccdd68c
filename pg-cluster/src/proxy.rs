//! A network that fails when told to.

use std::fmt;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use crate::conversation::{Conversation, Fate, Predicate};
use crate::error::{Error, While};
use crate::ports;

/// A TCP proxy before a server, with which a test makes the network fail. It runs on the runtime
/// that started it; dropping it closes its connections.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    orders: mpsc::UnboundedSender<Order>,
    frozen: watch::Sender<bool>,
    loss: Arc<Loss>,
}

#[derive(Debug)]
enum Order {
    Cut(oneshot::Sender<()>),
    Mend(oneshot::Sender<io::Result<()>>),
}

impl Proxy {
    /// Starts a proxy before the server at `to`.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(to: SocketAddr) -> Result<Self, Error> {
        let mut bound = Err(io::ErrorKind::AddrInUse.into());
        for _ in 0..ports::ATTEMPTS {
            bound = TcpListener::bind(ports::loopback(ports::free())).await;
            if bound.is_ok() {
                break;
            }
        }
        let listening = bound.and_then(|listener| Ok((listener.local_addr()?, listener)));
        let (address, listener) = listening.during(|| "listen for a proxy".to_owned())?;
        let (orders, ordered) = mpsc::unbounded_channel();
        let (frozen, is_frozen) = watch::channel(false);
        let loss = Arc::<Loss>::default();
        let wire = Wire {
            to,
            is_frozen,
            loss: Arc::clone(&loss),
        };
        tokio::spawn(serve(address, listener, ordered, wire));
        Ok(Self {
            address,
            orders,
            frozen,
            loss,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of a database of the server behind it.
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres@{}/{database}", self.address)
    }

    /// Drops all connections, and refuses new ones until [`Proxy::mend`].
    pub async fn cut(&self) {
        let (done, is_done) = oneshot::channel();
        // It listens for as long as there is somebody to give orders.
        let _ = self.orders.send(Order::Cut(done));
        let _ = is_done.await;
    }

    /// Takes new connections again after [`Proxy::cut`].
    ///
    /// # Errors
    /// When somebody else has taken the port.
    pub async fn mend(&self) -> Result<(), Error> {
        let (done, is_done) = oneshot::channel();
        let _ = self.orders.send(Order::Mend(done));
        let gone = |_| Err(io::ErrorKind::BrokenPipe.into());
        is_done
            .await
            .unwrap_or_else(gone)
            .during(|| "listen for a proxy again".to_owned())
    }

    /// Keeps the connections, and takes new ones, but nothing comes through any more: a black hole.
    pub fn freeze(&self) {
        self.frozen.send_replace(true);
    }

    /// Lets everything through again, and first what has waited since [`Proxy::freeze`].
    pub fn thaw(&self) {
        self.frozen.send_replace(false);
    }

    /// Loses one answer. The predicate is shown, at each step, all that the client of a connection
    /// has said from now on. Once it is satisfied, nothing that the server says comes through on
    /// this connection, and it ends as soon as the server has answered: whoever sees it end knows
    /// that what was asked has been done. Takes the place of a predicate that is still waiting.
    pub fn lose_next_answer(&self, predicate: impl Fn(&[u8]) -> bool + Send + 'static) {
        let mut next = self.loss.next();
        next.number += 1;
        next.predicate = Some(Box::new(predicate));
    }

    /// How many answers have been lost.
    pub fn answers_lost(&self) -> usize {
        self.loss.count.load(Ordering::SeqCst)
    }
}

/// The answers that are, and were, to be lost, of all connections together.
#[derive(Default)]
struct Loss {
    next: Mutex<Next>,
    count: AtomicUsize,
}

#[derive(Default)]
struct Next {
    number: usize,
    predicate: Option<Predicate>,
}

impl Loss {
    fn next(&self) -> MutexGuard<'_, Next> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn consider(&self, conversation: &mut Conversation, bytes: &[u8]) {
        let mut next = self.next();
        let number = next.number;
        if let Some(predicate) = &next.predicate
            && conversation.loses(number, bytes, predicate)
        {
            next.predicate = None;
        }
    }
}

impl fmt::Debug for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loss")
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

/// What every connection needs.
#[derive(Clone)]
struct Wire {
    to: SocketAddr,
    is_frozen: watch::Receiver<bool>,
    loss: Arc<Loss>,
}

async fn serve(
    address: SocketAddr,
    listener: TcpListener,
    mut orders: mpsc::UnboundedReceiver<Order>,
    wire: Wire,
) {
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                None => return,
                Some(Order::Cut(done)) => {
                    listener = None;
                    connections.shutdown().await;
                    let _ = done.send(());
                }
                Some(Order::Mend(done)) => {
                    let bound = match listener {
                        Some(_) => Ok(()),
                        None => TcpListener::bind(address).await.map(|new| listener = Some(new)),
                    };
                    let _ = done.send(bound);
                }
            },
            Ok(client) = accept(listener.as_ref()) => {
                connections.spawn(wire.clone().connect(client));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<TcpStream> {
    match listener {
        Some(listener) => Ok(listener.accept().await?.0),
        None => pending().await,
    }
}

impl Wire {
    /// One connection. Its end on either side is its end on the other.
    async fn connect(self, client: TcpStream) -> io::Result<()> {
        let server = TcpStream::connect(self.to).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let conversation = Mutex::new(Conversation::new());
        let conversation = || conversation.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = |bytes: &[u8]| {
            let mut conversation = conversation();
            conversation.client_said(bytes);
            self.loss.consider(&mut conversation, bytes);
            Fate::Forward
        };
        let answered = |bytes: &[u8]| {
            let fate = conversation().server_said(bytes);
            if fate == Fate::End {
                self.loss.count.fetch_add(1, Ordering::SeqCst);
            }
            fate
        };
        tokio::select! {
            ended = self.carry(from_client, to_server, asked) => ended,
            ended = self.carry(from_server, to_client, answered) => ended,
        }
    }

    async fn carry(
        &self,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
        fate: impl Fn(&[u8]) -> Fate,
    ) -> io::Result<()> {
        let mut is_frozen = self.is_frozen.clone();
        let mut bytes = vec![0; 16 * 1024];
        loop {
            let count = from.read(&mut bytes).await?;
            // What was under way when everything froze stays where it is.
            if is_frozen.wait_for(|frozen| !frozen).await.is_err() {
                return Ok(());
            }
            let bytes = &bytes[..count];
            if bytes.is_empty() {
                return Ok(());
            }
            match fate(bytes) {
                Fate::Forward => to.write_all(bytes).await?,
                Fate::Swallow => {}
                Fate::End => return Ok(()),
            }
        }
    }
}
