//! How ballots travel: three ways to send a round of them, and to hear an answer to each.

mod batch;
mod frames;
mod one;

use std::io;

use crate::answer::Answer;
use crate::arguments::Transport;
use crate::ballot::Poll;
use crate::book::Cast;
use crate::server::Server;
use batch::Batch;
use frames::Frames;
use one::One;

/// Who is told the answer to the ballot at this place of the round, as soon as it is there.
pub(crate) type Heard<'a> = dyn FnMut(usize, Answer) + Send + 'a;

/// A voter's connection, which is opened when it is needed, and may be before.
#[derive(Debug)]
pub(crate) enum Line {
    One(One),
    Batch(Batch),
    Frames(Frames),
}

impl Line {
    pub(crate) fn new(transport: Transport, server: &Server) -> Self {
        let server = server.clone();
        match transport {
            Transport::Http => Self::One(One::new(server)),
            Transport::Batch => Self::Batch(Batch::new(server)),
            Transport::Ws => Self::Frames(Frames::new(server)),
        }
    }

    /// Opens the connection now, so that no ballot has to wait for it.
    ///
    /// # Errors
    /// The server does not take it.
    pub(crate) async fn connect(&mut self) -> io::Result<()> {
        match self {
            Self::One(line) => line.connect().await,
            Self::Batch(line) => line.connect().await,
            Self::Frames(line) => line.connect().await,
        }
    }

    /// Sends a round of ballots, and returns when each is answered. In a batch all are of one poll.
    ///
    /// # Errors
    /// The connection broke: nobody knows what became of those that were not heard of. The next round, and also the one
    /// after a round that was not waited for, begins with another connection.
    pub(crate) async fn send(
        &mut self,
        polls: &[Poll],
        round: &[Cast],
        heard: &mut Heard<'_>,
    ) -> io::Result<()> {
        match self {
            Self::One(line) => line.send(polls, round, heard).await,
            Self::Batch(line) => line.send(polls, round, heard).await,
            Self::Frames(line) => line.send(polls, round, heard).await,
        }
    }
}
