//! What a client hears for whom there is no place: at once, and without taking part of the server for long.

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use polling_core::Code;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::places::NoPlace;
use crate::problem::Problem;

/// How long the request of a client that is refused is waited for: an answer before the question confuses some clients.
const QUESTION: Duration = Duration::from_millis(500);
/// The same, where everybody else waits meanwhile.
const QUESTION_INLINE: Duration = Duration::from_millis(200);
/// How long a refusal may take in all.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes that are read from a client that is refused, at most. What is not read would make the kernel reset the connection,
/// and the client would lose the answer.
const DRAIN_BYTES: usize = 64 * 1024;
const BUFFER_BYTES: usize = 4 * 1024;

/// The answers to those for whom there is no place, and how many may be on their way at a time.
pub(super) struct Refusals {
    in_flight: Arc<Semaphore>,
    all: Arc<Answer>,
    of_address: Arc<Answer>,
}

/// The same words, for both versions of HTTP.
struct Answer {
    http1: Bytes,
    http2: Bytes,
}

impl Refusals {
    pub(super) fn new(most: usize, retry_after: Duration) -> Self {
        let answer = |detail| Arc::new(Answer::new(detail, retry_after));
        Self {
            in_flight: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))),
            all: answer("all places for connections are taken: try again soon"),
            of_address: answer(
                "your address has as many connections open as it may: close one, or try again later",
            ),
        }
    }

    /// Refuses a client in a task of its own; where too many are under way, without waiting for its question.
    pub(super) fn refuse(&self, stream: TcpStream, why: NoPlace, tasks: &TaskTracker) {
        let answer = match why {
            NoPlace::All => &self.all,
            NoPlace::OfAddress => &self.of_address,
        };
        match Arc::clone(&self.in_flight).try_acquire_owned() {
            Ok(place) => {
                let answer = Arc::clone(answer);
                tasks.spawn(async move {
                    let _ = timeout(PATIENCE, answer.to_question_on(stream)).await;
                    drop(place);
                });
            }
            Err(_) => answer.at_once_on(stream),
        }
    }

    /// Refuses a client and lets go of its socket, so that it can be the next one's.
    pub(super) async fn refuse_inline(&self, stream: TcpStream) {
        let _ = timeout(QUESTION_INLINE, stream.readable()).await;
        self.all.at_once_on(stream);
    }
}

impl Answer {
    fn new(detail: &'static str, retry_after: Duration) -> Self {
        let body = Problem::of(Code::Overloaded).saying(detail).json();
        let head = format!(
            "HTTP/1.1 503 Service Unavailable\r\ncontent-type: {}\r\ncontent-length: {}\r\n\
             retry-after: {}\r\ncache-control: no-store\r\nconnection: close\r\n\r\n",
            polling_core::Problem::MEDIA_TYPE,
            body.len(),
            retry_after.as_secs()
        );
        Self {
            http1: [head.as_bytes(), &body].concat().into(),
            http2: go_away(&body).into(),
        }
    }

    fn to(&self, question: &[u8]) -> &[u8] {
        if question.starts_with(b"PRI * HTTP/2") {
            &self.http2
        } else {
            &self.http1
        }
    }

    /// Answers when something was asked, or nothing for a while, and then hears the client out.
    async fn to_question_on(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut read = match timeout(QUESTION, stream.read(&mut buffer)).await {
            Ok(Ok(0)) => return Ok(()),
            Ok(read) => read?,
            Err(_) => 0,
        };
        stream.write_all(self.to(&buffer[..read])).await?;
        stream.shutdown().await?;
        while read < DRAIN_BYTES {
            match stream.read(&mut buffer).await? {
                0 => break,
                more => read += more,
            }
        }
        Ok(())
    }

    /// Answers with what fits into the kernel's buffer, which is all of it on a connection that is new.
    fn at_once_on(&self, stream: TcpStream) {
        // The runtime does not know yet that it can be written.
        let Ok(mut stream) = stream.into_std() else {
            return;
        };
        let mut question = [0; BUFFER_BYTES];
        let read = stream.read(&mut question).unwrap_or(0);
        // A client that cannot be told is gone.
        let _ = stream.write(self.to(&question[..read]));
    }
}

/// Empty SETTINGS, and a GOAWAY with `words` for who debugs the client: no request was looked at, so that each may be sent
/// again (RFC 9113, sections 6.5 and 6.8).
fn go_away(words: &[u8]) -> Vec<u8> {
    const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    const ENHANCE_YOUR_CALM: u32 = 0xb;
    let length = u32::try_from(8 + words.len()).unwrap_or(u32::MAX);
    let mut frames = SETTINGS.to_vec();
    frames.extend_from_slice(&length.to_be_bytes()[1..]);
    frames.extend_from_slice(&[7, 0, 0, 0, 0, 0]);
    frames.extend_from_slice(&0_u32.to_be_bytes());
    frames.extend_from_slice(&ENHANCE_YOUR_CALM.to_be_bytes());
    frames.extend_from_slice(words);
    frames
}
