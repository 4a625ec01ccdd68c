//! The thread that copies the write-ahead log into the database file, while the writer goes on.

use std::fs::File;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;
use tokio::time::Instant;
use tracing::{info, warn};

use crate::gate::Gate;
use crate::log::{self, Log};
use crate::workers::Commands;

/// How soon it is tried again while something keeps the log from starting over.
const PAUSE: Duration = Duration::from_millis(250);

/// How long our own reads may take to end while new ones wait. Where they take longer the log grows until they have ended.
const READS_END_WITHIN: Duration = Duration::from_millis(25);

/// How often a log that cannot start over is told.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// So many times it copies what was written meanwhile, before the writer copies the rest.
const ROUNDS: usize = 4;

/// Ends the thread when it is dropped: before the writer of the same file.
#[derive(Debug)]
pub(crate) struct Checkpointer {
    log: Arc<Log>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread works with.
pub(crate) struct Tools {
    pub(crate) log: Arc<Log>,
    pub(crate) connection: Connection,
    /// The database file, to bring onto the disk what was copied. It is closed after all connections, because to close it
    /// gives up every lock that this process has on it.
    pub(crate) file: Arc<File>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) writer: Commands,
}

impl Checkpointer {
    pub(crate) fn start(tools: Tools) -> std::io::Result<Self> {
        let log = Arc::clone(&tools.log);
        let thread = thread::Builder::new().name("polling-log".to_owned());
        let thread = thread.spawn(move || run(&tools))?;
        Ok(Self {
            log,
            thread: Some(thread),
        })
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.log.end();
        if let Some(thread) = self.thread.take() {
            // It holds nothing that anybody waits for.
            let _ = thread.join();
        }
    }
}

/// Why the log cannot start over now.
enum Held {
    /// A read transaction needs it as it was; or another process writes, or copies the log itself.
    InUse,
    Failed(Box<dyn std::error::Error>),
}

impl<E: std::error::Error + 'static> From<E> for Held {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

fn run(tools: &Tools) {
    let mut held = false;
    let mut told: Option<Instant> = None;
    while tools.log.wait(held.then_some(PAUSE)) {
        let result = start_over(tools);
        held = result.is_err();
        tools.log.set_held(held);
        match result {
            Ok(()) if told.take().is_some() => {
                info!("the write-ahead log starts over again");
            }
            Ok(()) => {}
            Err(why) => tell(&tools.log, &why, &mut told, Instant::now()),
        }
    }
}

/// Copies the log while the writer goes on, and lets the writer do the rest.
fn start_over(tools: &Tools) -> Result<(), Held> {
    let copied = copy(tools);
    // Before the writer stops to wait: else it would wait for each commit.
    if copied.is_err() {
        tools.log.set_held(true);
    }
    tools.log.copied();
    copied?;
    let _no_reads = tools.gate.close(READS_END_WITHIN).ok_or(Held::InUse)?;
    let log = Arc::clone(&tools.log);
    let finish = move |writer: &mut Connection| {
        let state = log::finish(writer, log.is_long())?;
        if !state.busy {
            log.starts_over();
        }
        Ok(state)
    };
    match tools.writer.run_blocking(finish)?.busy {
        true => Err(Held::InUse),
        false => Ok(()),
    }
}

/// Copies until the writer has only a few pages left to copy, all of it onto the disk. It is then done at once with them:
/// SQLite itself brings the file onto the disk only with the last page of the log.
fn copy(tools: &Tools) -> Result<(), Held> {
    let bounds = tools.log.bounds();
    for _ in 0..ROUNDS {
        let state = log::copy(&tools.connection)?;
        // Short reads are a little behind, and end soon; what is far behind is one that does not.
        if state.busy || state.left() >= bounds.copied_from() {
            return Err(Held::InUse);
        }
        tools.file.sync_data()?;
        let pages = tools.log.pages();
        if pages.saturating_sub(state.copied) <= bounds.rest() || pages >= bounds.pages {
            break;
        }
    }
    Ok(())
}

/// At most once a minute.
fn tell(log: &Log, why: &Held, told: &mut Option<Instant>, now: Instant) {
    let is_new = told.is_none_or(|at| now.duration_since(at) >= TOLD_EVERY);
    let (log_bytes, writes_are_refused) = (log.bytes(), log.is_full());
    match why {
        // While it is short nobody needs to know.
        Held::InUse if !log.is_long() => return,
        _ if !is_new => return,
        Held::InUse => warn!(
            log_bytes,
            writes_are_refused,
            "the write-ahead log grows: a read transaction keeps it from starting over; look for another process that \
             reads the database file"
        ),
        Held::Failed(error) => warn!(
            log_bytes,
            writes_are_refused,
            error = %error,
            "the write-ahead log grows: it cannot be copied into the database file"
        ),
    }
    *told = Some(now);
}

#[cfg(test)]
mod tests;
