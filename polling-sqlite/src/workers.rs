//! The threads that own the connections, and the bounded queue in front of them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use polling_core::log_each_second;
use rusqlite::Connection;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tracing::Span;

use crate::error::Failure;

/// Something to do with a connection. It answers by itself, and never panics.
type Command = Box<dyn FnOnce(&mut Connection) + Send>;

/// A thread's way into the queue of another one. While it lives that one does not end.
pub(crate) struct Commands(mpsc::Sender<Command>);

impl Commands {
    /// Does `work` on one of the connections, and waits for its place in the queue and for its end. Not for async code.
    pub(crate) fn run_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        let (answer, answered) = oneshot::channel();
        let sent = self.0.blocking_send(command(Span::none(), answer, work));
        sent.map_err(|_| Failure::Ended)?;
        answered.blocking_recv().unwrap_or(Err(Failure::Ended))
    }
}

/// Threads with a connection each, that take commands from one queue. One of them is the writer; some are readers.
///
/// When this is dropped the threads do what is still waiting, close their connections, and end.
#[derive(Debug)]
pub(crate) struct Workers {
    /// `None` only while it is dropped.
    commands: Option<mpsc::Sender<Command>>,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Starts one thread for each connection; at most `queue` commands wait.
    pub(crate) fn start(
        name: &str,
        connections: Vec<Connection>,
        queue: usize,
    ) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::channel(queue);
        let receiver = Arc::new(Mutex::new(receiver));
        let mut workers = Self {
            commands: Some(sender),
            threads: Vec::with_capacity(connections.len()),
        };
        for connection in connections {
            let receiver = Arc::clone(&receiver);
            let thread = thread::Builder::new().name(name.to_owned());
            let thread = thread.spawn(move || work_off(connection, &receiver))?;
            workers.threads.push(thread);
        }
        Ok(workers)
    }

    /// Does `work` on one of the connections, within `span`. It is done also where the caller stops waiting. The work
    /// opens its own transaction, so that what it had begun is undone where it fails or panics.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        span: Span,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        let (answer, answered) = oneshot::channel();
        self.send(command(span, answer, work))?;
        answered.await.unwrap_or(Err(Failure::Ended))
    }

    pub(crate) fn commands(&self) -> Option<Commands> {
        self.commands.clone().map(Commands)
    }

    fn send(&self, command: Command) -> Result<(), Failure> {
        let commands = self.commands.as_ref().ok_or(Failure::Ended)?;
        commands.try_send(command).map_err(|error| match error {
            TrySendError::Full(_) => Failure::QueueFull,
            TrySendError::Closed(_) => Failure::Ended,
        })
    }
}

fn command<T: Send + 'static>(
    span: Span,
    answer: oneshot::Sender<Result<T, Failure>>,
    work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
) -> Command {
    Box::new(move |connection: &mut Connection| {
        let _within = span.entered();
        let result = match catch_unwind(AssertUnwindSafe(|| work(connection))) {
            Ok(result) => result.map_err(Failure::from),
            Err(_) => Err(Failure::Panicked),
        };
        // A transaction rolls back when it is dropped; should that have failed, the next one would not begin.
        if !connection.is_autocommit()
            && let Err(error) = connection.execute_batch("ROLLBACK")
        {
            log_each_second!(error, "a transaction cannot be rolled back", error = %error);
        }
        // Somebody who left does not hear the answer.
        let _ = answer.send(result);
    })
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.commands = None;
        for thread in self.threads.drain(..) {
            // Whoever opens the file next must find it closed. No command panics, and none holds the store.
            let _ = thread.join();
        }
    }
}

fn work_off(mut connection: Connection, commands: &Mutex<mpsc::Receiver<Command>>) {
    loop {
        // One waits for the next command, and the others for their turn to wait. Nobody panics with this lock.
        let command = commands
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .blocking_recv();
        match command {
            Some(command) => command(&mut connection),
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::TransactionBehavior;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_answered_and_undone_and_the_thread_goes_on() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (a)").unwrap();
        let workers = Workers::start("test", vec![connection], 8).unwrap();
        let panicked: Result<(), Failure> = workers
            .run(Span::none(), |connection| {
                let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                tx.execute("INSERT INTO t VALUES (1)", [])?;
                panic!("as the test wants");
            })
            .await;
        assert!(matches!(panicked, Err(Failure::Panicked)));
        let rows: u32 = workers
            .run(Span::none(), |connection| {
                connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0))
            })
            .await
            .unwrap();
        assert_eq!(rows, 0);
    }

    #[tokio::test]
    async fn a_full_queue_is_an_error_that_the_caller_sees() {
        let connection = Connection::open_in_memory().unwrap();
        let workers = Workers::start("test", vec![connection], 1).unwrap();
        let (busy, is_busy) = oneshot::channel();
        let (go_on, wait) = std::sync::mpsc::channel::<()>();
        let first = workers.run(Span::none(), move |_| {
            let _ = busy.send(());
            let _ = wait.recv();
            Ok(())
        });
        let check = async {
            is_busy.await.unwrap();
            let second = workers.run(Span::none(), |_| Ok(()));
            let third = async {
                let third = workers.run(Span::none(), |_| Ok(())).await;
                assert!(matches!(third, Err(Failure::QueueFull)));
                go_on.send(()).unwrap();
            };
            let (second, ()) = tokio::join!(second, third);
            second.unwrap();
        };
        let (first, ()) = tokio::join!(first, check);
        first.unwrap();
    }
}
