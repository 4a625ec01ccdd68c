//! One ballot a frame: a round is written at once, and its answers come in whichever order.

use std::borrow::Cow;
use std::io::{self, ErrorKind, Write};

use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::Heard;
use crate::answer::{Answer, Receipt};
use crate::ballot::Poll;
use crate::book::Cast;
use crate::server::Server;
use crate::socket::{self, Socket};

const READ_BYTES: usize = 16 * 1024;

#[derive(Debug)]
pub(crate) struct Frames {
    server: Server,
    /// Taken out while it is in use, so that a round that fails leaves none.
    socket: Option<Socket>,
}

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(rename = "ref")]
    place: Option<usize>,
    receipt: Option<Receipt>,
    #[serde(borrow)]
    code: Option<Cow<'a, str>>,
}

impl Frames {
    pub(super) fn new(server: Server) -> Self {
        Self {
            server,
            socket: None,
        }
    }

    pub(super) async fn connect(&mut self) -> io::Result<()> {
        self.socket = Some(socket::open(&self.server, READ_BYTES).await?);
        Ok(())
    }

    pub(super) async fn send(
        &mut self,
        polls: &[Poll],
        round: &[Cast],
        heard: &mut Heard<'_>,
    ) -> io::Result<()> {
        let mut socket = match self.socket.take() {
            Some(socket) => socket,
            None => socket::open(&self.server, READ_BYTES).await?,
        };
        for (place, cast) in round.iter().enumerate() {
            let frame = vote(place, cast, &polls[cast.ballot.poll]);
            socket.feed(frame).await.map_err(io::Error::other)?;
        }
        socket.flush().await.map_err(io::Error::other)?;
        let mut missing = round.len();
        while missing > 0 {
            let message = socket.next().await.ok_or(ErrorKind::UnexpectedEof)?;
            let Message::Text(text) = message.map_err(io::Error::other)? else {
                continue;
            };
            let (place, answer) = read(&text)?;
            if place >= round.len() {
                return Err(io::Error::new(ErrorKind::InvalidData, text.as_str()));
            }
            heard(place, answer);
            missing -= 1;
        }
        self.socket = Some(socket);
        Ok(())
    }
}

fn vote(place: usize, cast: &Cast, poll: &Poll) -> Message {
    let mut json = Vec::with_capacity(256);
    // Writing to memory cannot fail, and all of it is ASCII.
    let _ = write!(
        json,
        r#"{{"type":"vote","ref":{place},"poll_id":"{}","#,
        poll.id
    );
    cast.ballot.write(poll, &mut json);
    json.push(b'}');
    Message::Text(Utf8Bytes::try_from(json).unwrap_or_default())
}

/// Which ballot a frame is about, and what it says. One that is about none says that this connection is of no use.
fn read(text: &str) -> io::Result<(usize, Answer)> {
    let frame: Frame<'_> = serde_json::from_str(text)?;
    let place = frame
        .place
        .ok_or_else(|| io::Error::new(ErrorKind::InvalidData, text))?;
    let answer = Answer::of(None, frame.receipt, frame.code.as_deref());
    Ok((place, answer))
}
