//! The cheapest client of HTTP/1.1 that there is: bytes that were made before, and an answer of which only the status and
//! the length are read. A request, its answer, the next: nothing is pipelined.

use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;

use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Answer, Client, Votes, voter_text};
use crate::Outcome;
use crate::bed::Poll;
use crate::people::People;

/// A connection that is kept.
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

/// The answer to a request.
pub(crate) struct Received<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

impl Received<'_> {
    /// What became of the one vote that was sent.
    fn answer(&self) -> Outcome<Answer> {
        let mut answer = Answer::default();
        match self.status {
            201 => answer.created = 1,
            200 => answer.repeated = 1,
            503 => answer.refused = 1,
            status => {
                let body = String::from_utf8_lossy(self.body);
                return Err(format!("answered {status}: {body}").into());
            }
        }
        Ok(answer)
    }
}

impl Connection {
    pub(crate) async fn open(server: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            received: Vec::with_capacity(4096),
        })
    }

    pub(crate) async fn send(&mut self, request: &[u8]) -> Outcome<Received<'_>> {
        self.stream.write_all(request).await?;
        self.received.clear();
        let mut head = None;
        loop {
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err("the server closed the connection".into());
            }
            if head.is_none() {
                head = self::head(&self.received)?;
            }
            if let Some((status, body, end)) = head
                && self.received.len() >= end
            {
                let body = &self.received[body..end];
                return Ok(Received { status, body });
            }
        }
    }

    /// The stream, after an upgrade.
    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream
    }
}

/// The status, and where the body begins and ends; `None` while the head is not whole.
fn head(received: &[u8]) -> Outcome<Option<(u16, usize, usize)>> {
    let Some(blank) = memmem::find(received, b"\r\n\r\n") else {
        return Ok(None);
    };
    let status = received.get(9..12).and_then(number);
    let status = status.ok_or("an answer without a status")?;
    let lines = received[..blank].split(|&byte| byte == b'\n');
    let mut length = lines.filter_map(|line| line.strip_prefix(b"content-length: "));
    let length: Option<usize> = length.next().and_then(|line| number(line.trim_ascii()));
    let body = blank + 4;
    Ok(Some((status, body, body + length.unwrap_or(0))))
}

fn number<N: FromStr>(digits: &[u8]) -> Option<N> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The requests to vote, each option of each poll, with room for the voter: made once for all clients.
pub(crate) struct Requests {
    options: usize,
    requests: Vec<Vec<u8>>,
}

/// Where the voter stands, counted from the end: before the two last characters of the JSON.
const VOTER_FROM_END: usize = 16 + 2;

impl Requests {
    pub(crate) fn to(polls: &[Poll]) -> Self {
        let request = |poll: &Poll, option: usize| {
            let path = format!("/api/v1/polls/{}/votes", poll.id);
            post(&path, ballot_json(poll, option).as_bytes())
        };
        let options = polls.first().map_or(0, |poll| poll.options.len());
        let requests = polls
            .iter()
            .flat_map(|poll| (0..options).map(move |option| request(poll, option)));
        Self {
            options,
            requests: requests.collect(),
        }
    }

    fn of(&self, poll: usize, option: u8) -> &[u8] {
        &self.requests[poll * self.options + usize::from(option)]
    }
}

/// The JSON of a vote, with sixteen zeros for its voter.
pub(crate) fn ballot_json(poll: &Poll, option: usize) -> String {
    let option = poll.options[option];
    format!(r#"{{"option_id":"{option}","voter":"{:016}"}}"#, 0)
}

/// A whole request.
pub(crate) fn post(path: &str, body: &[u8]) -> Vec<u8> {
    let head = head_of_post(path, body.len());
    [head.as_bytes(), b"\r\n", body].concat()
}

/// All lines of its head but the empty one, so that others can follow.
fn head_of_post(path: &str, length: usize) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n"
    )
}

/// One vote a request.
pub(crate) struct Voter {
    pub(crate) connection: Connection,
    pub(crate) requests: Arc<Requests>,
    pub(crate) votes: Votes,
    pub(crate) request: Vec<u8>,
}

impl Client for Voter {
    async fn vote(&mut self) -> Outcome<Answer> {
        let vote = self.votes.next_vote();
        let template = self.requests.of(vote.poll, vote.option);
        self.request.clear();
        self.request.extend_from_slice(template);
        let at = self.request.len() - VOTER_FROM_END;
        self.request[at..at + 16].copy_from_slice(&voter_text(vote.voter));
        let received = self.connection.send(&self.request).await?;
        received.answer()
    }
}

/// One vote a request, by somebody who proves who they are, in each poll once.
pub(crate) struct Prover {
    pub(crate) connection: Connection,
    pub(crate) people: People,
    /// Which of them it is.
    pub(crate) person: usize,
    /// Polls that they have voted in.
    pub(crate) cast: usize,
}

impl Client for Prover {
    async fn vote(&mut self) -> Outcome<Answer> {
        let number = self.cast;
        self.cast += 1;
        let poll = self.people.polls.get(number);
        let poll = poll.ok_or("a person has voted in all polls: run for less long")?;
        let credentials = &self.people.credentials[self.person];
        let credential = &credentials[number % credentials.len()];
        let option = poll.options[number % poll.options.len()];
        let body = format!(r#"{{"option_id":"{option}"}}"#);
        let head = head_of_post(&format!("/api/v1/polls/{}/votes", poll.id), body.len());
        let request = format!("{head}authorization: Bearer {credential}\r\n\r\n{body}");
        let received = self.connection.send(request.as_bytes()).await?;
        received.answer()
    }
}

/// Many votes a request, through the batch end point.
pub(crate) struct BatchVoter {
    connection: Connection,
    votes: Votes,
    request: Vec<u8>,
    /// Where the voters stand in the request.
    voters: Vec<usize>,
}

impl BatchVoter {
    /// The options of the votes are the same in each request.
    pub(crate) fn new(connection: Connection, votes: Votes, poll: &Poll, ballots: usize) -> Self {
        let mut body = String::from(r#"{"ballots":["#);
        let mut ends = Vec::with_capacity(ballots);
        for ballot in 0..ballots {
            if ballot > 0 {
                body.push(',');
            }
            body += &ballot_json(poll, ballot % poll.options.len());
            ends.push(body.len());
        }
        body += "]}";
        let request = post(
            &format!("/api/v1/polls/{}/votes/batch", poll.id),
            body.as_bytes(),
        );
        let head = request.len() - body.len();
        let voters = ends.iter().map(|end| head + end - VOTER_FROM_END);
        Self {
            connection,
            votes,
            voters: voters.collect(),
            request,
        }
    }
}

impl Client for BatchVoter {
    async fn vote(&mut self) -> Outcome<Answer> {
        for &at in &self.voters {
            let voter = self.votes.next_vote().voter;
            self.request[at..at + 16].copy_from_slice(&voter_text(voter));
        }
        let ballots = self.voters.len() as u64;
        let received = self.connection.send(&self.request).await?;
        let mut answer = Answer::default();
        match received.status {
            200 => {
                answer.created =
                    memmem::find_iter(received.body, br#""status":201"#).count() as u64;
            }
            503 => answer.refused = ballots,
            status => return Err(format!("answered {status}").into()),
        }
        if answer.created + answer.refused != ballots {
            let body = String::from_utf8_lossy(received.body);
            let begin: String = body.chars().take(500).collect();
            return Err(format!("ballots of a batch were refused: {begin}").into());
        }
        Ok(answer)
    }
}
