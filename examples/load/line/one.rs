//! One ballot a request.

use std::io;

use super::Heard;
use crate::answer::Answer;
use crate::ballot::Poll;
use crate::book::Cast;
use crate::http::{Connection, Request};
use crate::server::Server;

#[derive(Debug)]
pub(crate) struct One {
    server: Server,
    /// Taken out while it is in use, so that a round that fails leaves none.
    connection: Option<Connection>,
    body: Vec<u8>,
}

impl One {
    pub(super) fn new(server: Server) -> Self {
        Self {
            server,
            connection: None,
            body: Vec::new(),
        }
    }

    pub(super) async fn connect(&mut self) -> io::Result<()> {
        self.connection = Some(Connection::open(&self.server).await?);
        Ok(())
    }

    pub(super) async fn send(
        &mut self,
        polls: &[Poll],
        round: &[Cast],
        heard: &mut Heard<'_>,
    ) -> io::Result<()> {
        for (place, cast) in round.iter().enumerate() {
            let poll = &polls[cast.ballot.poll];
            self.body.clear();
            self.body.push(b'{');
            cast.ballot.write(poll, &mut self.body);
            self.body.push(b'}');
            let mut connection = match self.connection.take() {
                Some(connection) => connection,
                None => Connection::open(&self.server).await?,
            };
            let request = Request::post(&poll.votes, &self.body);
            let response = connection.exchange(request).await?;
            let closes = response.closes;
            let answer = Answer::parse(response.status, response.retry_after, response.body);
            heard(place, answer);
            self.connection = (!closes).then_some(connection);
        }
        Ok(())
    }
}
