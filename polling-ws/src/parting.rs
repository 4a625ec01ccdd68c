//! The end of a connection: what was accepted is answered, and the close frame arrives.

use futures_util::stream::FuturesUnordered;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::close::Close;
use crate::pump::End;
use crate::session::Session;
use crate::work::{Done, Work};

/// Bytes that a client may still send, and nobody reads, while its connection is being closed.
const DISCARDED_BYTES: usize = 16 * 1024 * 1024;

/// Parts from the client. It may wait for the client as long as the caller lets it.
pub(crate) async fn part<S: AsyncRead + AsyncWrite + Unpin>(
    end: End,
    mut socket: WebSocketStream<S>,
    session: &Session,
    work: &mut FuturesUnordered<Work>,
    votes: &mut usize,
) {
    // Whoever is gone meanwhile cannot be told.
    let _ = match end {
        End::Gone => Ok(()),
        End::ByClient => echo(socket).await,
        End::ByServer(close) => {
            if let Err(error) = answer_votes(&mut socket, session, work, votes).await {
                Err(error)
            } else {
                say_goodbye(socket, close).await
            }
        }
    };
}

/// Waits for the votes that were taken, whoever cast them.
pub(crate) async fn finish(work: &mut FuturesUnordered<Work>, mut votes: usize) {
    while votes > 0
        && let Some(done) = work.next().await
    {
        votes -= usize::from(matches!(done, Done::Voted { .. }));
    }
}

async fn answer_votes<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocketStream<S>,
    session: &Session,
    work: &mut FuturesUnordered<Work>,
    votes: &mut usize,
) -> Result<(), Error> {
    while *votes > 0
        && let Some(done) = work.next().await
    {
        if let Done::Voted {
            poll,
            reference,
            outcome,
        } = done
        {
            *votes -= 1;
            let answer = session.voted(poll, reference.as_ref(), &outcome);
            socket.feed(Message::Text(answer)).await?;
        }
    }
    Ok(())
}

/// The close frame of the client was answered below us; this drives the answer out.
async fn echo<S: AsyncRead + AsyncWrite + Unpin>(
    mut socket: WebSocketStream<S>,
) -> Result<(), Error> {
    while socket.next().await.transpose()?.is_some() {}
    Ok(())
}

async fn say_goodbye<S: AsyncRead + AsyncWrite + Unpin>(
    mut socket: WebSocketStream<S>,
    close: Close,
) -> Result<(), Error> {
    socket.send(Message::Close(Some(close.frame()))).await?;
    if !close.is_unreadable() {
        // The client answers with a close frame of its own.
        while let Some(Ok(_)) = socket.next().await {}
        return Ok(());
    }
    // The client's bytes cannot be understood any more, and still must be read: closing a socket with unread bytes in it
    // resets the connection, and the close frame would be lost with it.
    let mut bytes = socket.into_inner();
    bytes.shutdown().await?;
    let mut discarded = 0;
    let mut buffer = vec![0; 4096];
    while discarded < DISCARDED_BYTES {
        match bytes.read(&mut buffer).await? {
            0 => break,
            more => discarded += more,
        }
    }
    Ok(())
}
