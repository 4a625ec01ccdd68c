//! A WebSocket to the server, with buffers for its purpose.

use std::io;

use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::server::Server;

pub(crate) type Socket = WebSocketStream<TcpStream>;

/// Connects; what is read at once has so many bytes at most, and each socket holds as many.
pub(crate) async fn open(server: &Server, read_bytes: usize) -> io::Result<Socket> {
    let config = WebSocketConfig::default().read_buffer_size(read_bytes);
    let stream = server.connect().await?;
    let opened = client_async_with_config(server.socket(), stream, Some(config)).await;
    Ok(opened.map_err(io::Error::other)?.0)
}
