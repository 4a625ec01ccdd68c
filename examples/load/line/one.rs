//! One ballot a request.

use std::io;

use super::Heard;
use crate::answer::Answer;
use crate::ballot::Poll;
use crate::book::Cast;
use crate::http::Request;
use crate::kept::Kept;
use crate::server::Server;

#[derive(Debug)]
pub(crate) struct One {
    connection: Kept,
    body: Vec<u8>,
}

impl One {
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
        for (place, cast) in round.iter().enumerate() {
            let poll = &polls[cast.ballot.poll];
            self.body.clear();
            self.body.push(b'{');
            cast.ballot.write(poll, &mut self.body);
            self.body.push(b'}');
            let mut connection = self.connection.take().await?;
            let request = Request::post(&poll.votes, &self.body);
            let response = connection.exchange(request).await?;
            let closes = response.closes;
            let answer = Answer::parse(response.status, response.retry_after, response.body);
            heard(place, answer);
            self.connection.keep(connection, closes);
        }
        Ok(())
    }
}
