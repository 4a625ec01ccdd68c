//! Many ballots a request.

use std::borrow::Cow;
use std::io::{self, ErrorKind};

use serde::Deserialize;

use super::Heard;
use crate::answer::{Answer, Receipt};
use crate::ballot::Poll;
use crate::book::Cast;
use crate::http::{Request, Response};
use crate::kept::Kept;
use crate::server::Server;

#[derive(Debug)]
pub(crate) struct Batch {
    connection: Kept,
    body: Vec<u8>,
}

#[derive(Deserialize)]
struct Outcomes<'a> {
    #[serde(borrow)]
    outcomes: Vec<Outcome<'a>>,
}

#[derive(Deserialize)]
struct Outcome<'a> {
    status: u16,
    receipt: Option<Receipt>,
    #[serde(borrow)]
    code: Option<Cow<'a, str>>,
}

impl Batch {
    pub(super) fn new(server: Server) -> Self {
        Self {
            connection: Kept::new(server),
            body: Vec::new(),
        }
    }

    pub(super) async fn connect(&mut self) -> io::Result<()> {
        self.connection.connect().await
    }

    pub(super) async fn send(
        &mut self,
        polls: &[Poll],
        round: &[Cast],
        heard: &mut Heard<'_>,
    ) -> io::Result<()> {
        let Some(first) = round.first() else {
            return Ok(());
        };
        let poll = &polls[first.ballot.poll];
        self.body.clear();
        self.body.extend_from_slice(br#"{"ballots":["#);
        for (place, cast) in round.iter().enumerate() {
            let before: &[u8] = if place == 0 { b"{" } else { b",{" };
            self.body.extend_from_slice(before);
            cast.ballot.write(poll, &mut self.body);
            self.body.push(b'}');
        }
        self.body.extend_from_slice(b"]}");
        let mut connection = self.connection.take().await?;
        let request = Request::post(&poll.batch, &self.body);
        let response = connection.exchange(request).await?;
        read(&response, round.len(), heard)?;
        let closes = response.closes;
        self.connection.keep(connection, closes);
        Ok(())
    }
}

/// Tells the outcomes. A request that was not taken as a whole is the same answer to all of its ballots.
fn read(response: &Response<'_>, ballots: usize, heard: &mut Heard<'_>) -> io::Result<()> {
    if response.status != 200 {
        let answer = Answer::parse(response.status, response.retry_after, response.body);
        for place in 0..ballots {
            heard(place, answer.clone());
        }
        return Ok(());
    }
    let Outcomes { outcomes } = serde_json::from_slice(response.body)?;
    if outcomes.len() != ballots {
        let told = format!("{} outcomes of {ballots} ballots", outcomes.len());
        return Err(io::Error::new(ErrorKind::InvalidData, told));
    }
    for (place, outcome) in outcomes.into_iter().enumerate() {
        let code = outcome.code.as_deref();
        heard(
            place,
            Answer::of(Some(outcome.status), outcome.receipt, code),
        );
    }
    Ok(())
}
