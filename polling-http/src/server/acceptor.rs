//! Takes connections from the operating system, also where it has no descriptor left for one more.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::FutureExt;
use polling_core::log_each_second;
use tokio::net::{TcpListener, TcpStream};

use super::places::Places;
use super::refusal::Refusals;

/// How long to wait when no connection can be taken, and nothing can be done about it.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

pub(super) struct Acceptor<'a> {
    pub(super) listener: TcpListener,
    pub(super) spare: Spare,
    pub(super) places: &'a Places,
    pub(super) refusals: &'a Refusals,
}

impl Acceptor<'_> {
    /// The next connection.
    pub(super) async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            let error = match self.listener.accept().await {
                Ok(accepted) => return accepted,
                Err(error) if is_about_one_connection(&error) => continue,
                Err(error) => error,
            };
            if !is_out_of_descriptors(&error) {
                log_each_second!(error, "no connection can be taken", error = %error);
                tokio::time::sleep(ACCEPT_AGAIN).await;
            } else if let Some(accepted) = self.accept_on_the_spare(&error).await {
                return accepted;
            }
        }
    }

    /// Takes a connection in place of the descriptor that is kept for this. One that is idle is closed for it; where none is,
    /// the new one is refused. Linux says that there is no descriptor also where nobody waits.
    async fn accept_on_the_spare(&mut self, error: &io::Error) -> Option<(TcpStream, SocketAddr)> {
        if !self.spare.give_up() {
            log_each_second!(error, "no connection can be taken", error = %error);
            tokio::time::sleep(ACCEPT_AGAIN).await;
            self.spare = Spare::of(&self.listener);
            return None;
        }
        let mut accepted = self.listener.accept().now_or_never().and_then(Result::ok);
        if accepted.is_some() {
            log_each_second!(warn, "there is no descriptor for a connection", error = %error);
            if !self.places.make_room().await
                && let Some((stream, _)) = accepted.take()
            {
                self.refusals.refuse_inline(stream).await;
            }
        }
        self.spare = Spare::of(&self.listener);
        accepted
    }
}

/// A descriptor in reserve.
#[derive(Debug, Default)]
pub(super) struct Spare(#[cfg(unix)] Option<std::os::fd::OwnedFd>);

impl Spare {
    /// One more descriptor of the listener, where there is one.
    #[cfg(unix)]
    pub(super) fn of(listener: &TcpListener) -> Self {
        use std::os::fd::AsFd;
        Self(listener.as_fd().try_clone_to_owned().ok())
    }

    /// There are none to run out of.
    #[cfg(not(unix))]
    pub(super) fn of(_: &TcpListener) -> Self {
        Self()
    }

    /// Whether there was one.
    fn give_up(&mut self) -> bool {
        #[cfg(unix)]
        return self.0.take().is_some();
        #[cfg(not(unix))]
        false
    }
}

fn is_about_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

/// The process's own (EMFILE), or the computer's (ENFILE): the same numbers on all Unix systems.
fn is_out_of_descriptors(error: &io::Error) -> bool {
    cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24))
}
