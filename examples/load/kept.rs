//! A connection that is kept from one request to the next.

use std::io;

use crate::http::Connection;
use crate::server::Server;

#[derive(Debug)]
pub(crate) struct Kept {
    server: Server,
    /// Taken out while it is in use, so that a round that fails leaves none.
    connection: Option<Connection>,
}

impl Kept {
    pub(crate) fn new(server: Server) -> Self {
        Self {
            server,
            connection: None,
        }
    }

    pub(crate) async fn connect(&mut self) -> io::Result<()> {
        self.connection = Some(Connection::open(&self.server).await?);
        Ok(())
    }

    /// The connection that is kept, or a new one.
    pub(crate) async fn take(&mut self) -> io::Result<Connection> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => Connection::open(&self.server).await,
        }
    }

    /// Keeps a connection, unless the server closes it.
    pub(crate) fn keep(&mut self, connection: Connection, closes: bool) {
        self.connection = (!closes).then_some(connection);
    }
}
