//! The cheapest client of a WebSocket (RFC 6455) that there is: votes in frames that were made before, many under way at
//! once, and their answers counted.

use std::net::SocketAddr;

use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::http::{Connection, ballot_json};
use super::{Answer, Client, Votes, voter_text};
use crate::Outcome;
use crate::bed::Poll;

/// A connection whose votes are sent in bursts; the next one follows when all of a burst are answered.
pub(crate) struct Burst {
    stream: TcpStream,
    votes: Votes,
    frames: Vec<u8>,
    /// Where the voters stand in the frames.
    voters: Vec<usize>,
    received: Vec<u8>,
}

const UPGRADE: &[u8] =
    b"GET /api/v1/ws HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Before the two last characters of the JSON.
const VOTER_FROM_END: usize = 16 + 2;

impl Burst {
    pub(crate) async fn open(
        server: SocketAddr,
        poll: &Poll,
        votes: Votes,
        burst: usize,
    ) -> Outcome<Self> {
        let mut connection = Connection::open(server).await?;
        let status = connection.send(UPGRADE).await?.status;
        if status != 101 {
            return Err(format!("the upgrade was answered {status}").into());
        }
        let mut frames = Vec::new();
        let mut voters = Vec::with_capacity(burst);
        for vote in 0..burst {
            let vote = ballot_json(poll, vote % poll.options.len());
            let text = format!(r#"{{"type":"vote","poll_id":"{}",{}"#, poll.id, &vote[1..]);
            frame(&mut frames, text.as_bytes())?;
            voters.push(frames.len() - VOTER_FROM_END);
        }
        Ok(Self {
            stream: connection.into_stream(),
            votes,
            frames,
            voters,
            received: Vec::with_capacity(64 * 1024),
        })
    }
}

/// A text of a client is masked; a mask of zeros leaves it as it is, and costs the server what any mask does.
fn frame(frames: &mut Vec<u8>, text: &[u8]) -> Outcome<()> {
    let length = u16::try_from(text.len())?;
    frames.extend([0x81, 0x80 | 126]);
    frames.extend(length.to_be_bytes());
    frames.extend([0; 4]);
    frames.extend(text);
    Ok(())
}

impl Client for Burst {
    async fn vote(&mut self) -> Outcome<Answer> {
        for &at in &self.voters {
            let voter = self.votes.next_vote().voter;
            self.frames[at..at + 16].copy_from_slice(&voter_text(voter));
        }
        self.stream.write_all(&self.frames).await?;
        let mut answer = Answer::default();
        let mut left = self.voters.len();
        while left > 0 {
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err("the server closed the connection".into());
            }
            let mut read = 0;
            while let Some((text, end)) = text(&self.received[read..]) {
                if text.starts_with(br#"{"type":"ack""#) {
                    answer.created += 1;
                } else if memmem::find(text, br#""code":"overloaded""#).is_some() {
                    answer.refused += 1;
                } else {
                    let text = String::from_utf8_lossy(text);
                    return Err(format!("a vote was answered {text}").into());
                }
                left -= 1;
                read += end;
            }
            self.received.drain(..read);
        }
        Ok(answer)
    }
}

/// The text of the first frame, and where it ends; `None` while it is not whole. A server masks nothing.
fn text(received: &[u8]) -> Option<(&[u8], usize)> {
    let (begin, length) = match *received.get(1)? {
        126 => (
            4,
            usize::from(u16::from_be_bytes([*received.get(2)?, *received.get(3)?])),
        ),
        short => (2, usize::from(short)),
    };
    let end = begin + length;
    Some((received.get(begin..end)?, end))
}
