//! A small HTTP client: one keep-alive connection, one request at a time, one write and mostly one read for each. What a
//! client takes of the processor the server does not get, on a machine that they share.

use std::io::{self, ErrorKind, Write};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::server::Server;

/// Headers of an answer, at most.
const HEADERS: usize = 32;

/// Bytes that there is room for at once, at least, when something is read.
const ROOM: usize = 8 * 1024;

/// One connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    host: String,
    outgoing: Vec<u8>,
    incoming: Vec<u8>,
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) bearer: Option<&'a str>,
    pub(crate) body: &'a [u8],
}

/// What is answered.
#[derive(Debug)]
pub(crate) struct Response<'a> {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    /// The server takes no more on this connection.
    pub(crate) closes: bool,
    pub(crate) body: &'a [u8],
}

impl<'a> Request<'a> {
    pub(crate) fn post(path: &'a str, body: &'a [u8]) -> Self {
        Self {
            method: "POST",
            path,
            bearer: None,
            body,
        }
    }

    pub(crate) fn get(path: &'a str) -> Self {
        Self {
            method: "GET",
            ..Self::post(path, &[])
        }
    }
}

impl Connection {
    pub(crate) async fn open(server: &Server) -> io::Result<Self> {
        Ok(Self {
            stream: server.connect().await?,
            host: server.host.clone(),
            outgoing: Vec::new(),
            incoming: Vec::new(),
        })
    }

    /// Sends a request, and reads the answer. After an error the connection is of no use any more.
    pub(crate) async fn exchange(&mut self, request: Request<'_>) -> io::Result<Response<'_>> {
        let Request {
            method,
            path,
            bearer,
            body,
        } = request;
        let (host, length) = (&self.host, body.len());
        self.outgoing.clear();
        write!(
            self.outgoing,
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n"
        )?;
        if let Some(bearer) = bearer {
            write!(self.outgoing, "authorization: Bearer {bearer}\r\n")?;
        }
        self.outgoing.extend_from_slice(b"\r\n");
        self.outgoing.extend_from_slice(body);
        self.stream.write_all(&self.outgoing).await?;

        self.incoming.clear();
        let head = loop {
            if let Some(head) = head(&self.incoming)? {
                break head;
            }
            self.read().await?;
        };
        let end = head.bytes + head.length;
        while self.incoming.len() < end {
            self.read().await?;
        }
        Ok(Response {
            status: head.status,
            retry_after: head.retry_after,
            closes: head.closes,
            body: &self.incoming[head.bytes..end],
        })
    }

    async fn read(&mut self) -> io::Result<()> {
        self.incoming.reserve(ROOM);
        match self.stream.read_buf(&mut self.incoming).await? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// What the head of an answer says.
#[derive(Debug, Default, PartialEq)]
struct Head {
    bytes: usize,
    status: u16,
    length: usize,
    retry_after: Option<Duration>,
    closes: bool,
}

/// The head, once it is there as a whole.
fn head(incoming: &[u8]) -> io::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let parsed = response.parse(incoming);
    let parsed = parsed.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
    let httparse::Status::Complete(bytes) = parsed else {
        return Ok(None);
    };
    let mut head = Head {
        bytes,
        status: response.code.unwrap_or_default(),
        ..Head::default()
    };
    for header in response.headers {
        let value = std::str::from_utf8(header.value).unwrap_or_default().trim();
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        if is("content-length") {
            let length = value.parse();
            head.length = length.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        } else if is("transfer-encoding") {
            let told = "answers without a Content-Length are not read here";
            return Err(io::Error::new(ErrorKind::Unsupported, told));
        } else if is("retry-after") {
            head.retry_after = value.parse().ok().map(Duration::from_secs);
        } else if is("connection") {
            head.closes = value.eq_ignore_ascii_case("close");
        }
    }
    Ok(Some(head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let text = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 5\r\nretry-after: 2\r\nconnection: close\r\n\r\nhello";
        assert!(head(&text[..40]).unwrap().is_none());
        let expected = Head {
            bytes: text.len() - 5,
            status: 503,
            length: 5,
            retry_after: Some(Duration::from_secs(2)),
            closes: true,
        };
        assert_eq!(head(text).unwrap(), Some(expected));
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        for wrong in [
            "SSH-2.0-OpenSSH\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n",
        ] {
            assert!(head(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
