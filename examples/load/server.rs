//! Where the server is.

use std::io;
use std::net::SocketAddr;

use http::Uri;
use tokio::net::{TcpStream, lookup_host};

use crate::Failure;

/// A server that can be connected to.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    /// As it was named: goes into the header `Host`.
    pub(crate) host: String,
    /// The path that everything begins with: `/api/v1`, perhaps with something before.
    pub(crate) api: String,
}

impl Server {
    /// Finds the server, and sees to it that it is on this machine, unless it may be anywhere.
    pub(crate) async fn find(url: &Uri, anywhere: bool) -> Result<Self, Failure> {
        let (Some("http"), Some(authority)) = (url.scheme_str(), url.authority()) else {
            return Err("--url is an address like http://127.0.0.1:8080".into());
        };
        let name = authority.host().trim_matches(['[', ']']);
        let port = authority.port_u16().unwrap_or(80);
        let found: Vec<SocketAddr> = lookup_host((name, port)).await?.collect();
        if !anywhere && !found.iter().all(|address| address.ip().is_loopback()) {
            return Err(
                format!("{name} is not this machine: say --anywhere if you may load it").into(),
            );
        }
        // A name may stand for several addresses, not all of which are listened on.
        let mut missing = None;
        for address in found {
            match TcpStream::connect(address).await {
                Ok(_) => {
                    return Ok(Self {
                        address,
                        host: authority.as_str().to_owned(),
                        api: url.path().trim_end_matches('/').to_owned() + "/api/v1",
                    });
                }
                Err(error) => missing = Some(error),
            }
        }
        let why = missing.map_or("no such name".to_owned(), |error| error.to_string());
        Err(format!("no server answers at {url}: {why}").into())
    }

    pub(crate) async fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// The address of its end point for WebSocket.
    pub(crate) fn socket(&self) -> String {
        format!("ws://{}{}/ws", self.host, self.api)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn found(url: &str, anywhere: bool) -> String {
        let found = Server::find(&url.parse().unwrap(), anywhere).await;
        found.err().unwrap().to_string()
    }

    #[tokio::test]
    async fn a_server_elsewhere_is_left_alone() {
        let told = found("http://192.0.2.1:8080", false).await;
        assert!(told.contains("--anywhere"), "{told}");
    }

    #[tokio::test]
    async fn what_is_no_such_address_is_refused() {
        for wrong in ["https://127.0.0.1", "127.0.0.1:8080", "/polls"] {
            let told = found(wrong, true).await;
            assert!(told.contains("--url"), "{wrong}: {told}");
        }
    }
}
