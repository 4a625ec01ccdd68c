//! Viewers: each holds a WebSocket, is shown a poll's live results, and remembers what it saw.

use std::borrow::Cow;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hdrhistogram::Histogram;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use crate::book::histogram;
use crate::clock::{micros, now};
use crate::manager::Results;
use crate::{Failure, Run, socket};

/// Each viewer has a buffer of so many bytes: there may be thousands of them.
const READ_BYTES: usize = 2 * 1024;

/// Viewers that connect at the same time: more would not fit into a server's queue.
const CONNECTING: usize = 64;

/// Before a viewer who lost its connection comes back.
const PAUSE: Duration = Duration::from_millis(250);

/// What a viewer saw.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sight {
    pub(crate) poll: usize,
    pub(crate) frames: u64,
    /// The newest revision.
    pub(crate) revision: Option<u64>,
    /// Frames that were not newer than the one before.
    pub(crate) backwards: u64,
    pub(crate) connections: u64,
    /// The result that is final, once it was shown.
    pub(crate) end: Option<Results>,
}

/// All viewers.
#[derive(Debug)]
pub(crate) struct Viewers {
    gallery: Arc<Gallery>,
    tasks: JoinSet<()>,
    seeing: watch::Receiver<usize>,
}

#[derive(Debug)]
struct Gallery {
    sights: Mutex<Vec<Sight>>,
    /// From when a voter knew of a revision to when a viewer did, in microseconds.
    staleness: Mutex<Histogram<u64>>,
    /// How many viewers have seen something.
    seeing: watch::Sender<usize>,
    connecting: Semaphore,
}

impl Viewers {
    /// Lets so many viewers in, and returns when each is shown a result.
    pub(crate) async fn enter(run: &Arc<Run>, viewers: usize) -> Result<Self, Failure> {
        let (sender, seeing) = watch::channel(0);
        let sight = |viewer| Sight {
            poll: viewer % run.polls.len(),
            ..Sight::default()
        };
        let gallery = Arc::new(Gallery {
            sights: Mutex::new((0..viewers).map(sight).collect()),
            staleness: Mutex::new(histogram()),
            seeing: sender,
            connecting: Semaphore::new(CONNECTING),
        });
        let mut tasks = JoinSet::new();
        for viewer in 0..viewers {
            let (run, gallery) = (Arc::clone(run), Arc::clone(&gallery));
            tasks.spawn(async move { look(&run, &gallery, viewer).await });
        }
        let mut entered = Self {
            gallery,
            tasks,
            seeing,
        };
        let all = entered.seeing.wait_for(|seeing| *seeing == viewers);
        if timeout(run.patience, all).await.is_err() {
            let seeing = *entered.seeing.borrow();
            return Err(format!("only {seeing} of {viewers} viewers are shown anything").into());
        }
        Ok(entered)
    }

    /// Waits until every viewer has seen the end, for a bounded time, and returns what they saw, and how late.
    pub(crate) async fn leave(mut self, patience: Duration) -> (Vec<Sight>, Histogram<u64>) {
        let all = async { while self.tasks.join_next().await.is_some() {} };
        // Those who have not seen it by then have not: that is told by what they saw.
        let _ = timeout(patience, all).await;
        let sights = self.gallery.sights().clone();
        (sights, locked(&self.gallery.staleness).clone())
    }
}

impl Gallery {
    fn sights(&self) -> MutexGuard<'_, Vec<Sight>> {
        locked(&self.sights)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a viewer reads of a frame while there are more to come.
#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    revision: Option<u64>,
    #[serde(rename = "final", default)]
    is_final: bool,
}

/// Looks until the end is shown; comes back when the connection is lost.
async fn look(run: &Run, gallery: &Gallery, viewer: usize) {
    while !matches!(follow(run, gallery, viewer).await, Ok(true)) {
        sleep(PAUSE).await;
    }
}

/// One connection; whether the end was shown.
async fn follow(run: &Run, gallery: &Gallery, viewer: usize) -> io::Result<bool> {
    let permit = gallery.connecting.acquire().await;
    let (poll, held) = {
        let sight = &mut gallery.sights()[viewer];
        sight.connections += 1;
        (sight.poll, sight.revision)
    };
    let mut socket = socket::open(&run.server, READ_BYTES).await?;
    drop(permit);
    let id = &run.polls[poll].id;
    let subscribe = json!({"type": "subscribe", "poll_id": id, "after_revision": held});
    let subscribe = Message::text(subscribe.to_string());
    socket.send(subscribe).await.map_err(io::Error::other)?;
    while let Some(message) = socket.next().await {
        if let Message::Text(text) = message.map_err(io::Error::other)?
            && show(run, gallery, viewer, &text)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Takes down a frame; whether it is the end.
fn show(run: &Run, gallery: &Gallery, viewer: usize, text: &str) -> io::Result<bool> {
    let frame: Frame<'_> = serde_json::from_str(text)?;
    let revision = match (&*frame.kind, frame.revision) {
        ("results", Some(revision)) => revision,
        ("unchanged", _) => return Ok(false),
        _ => return Err(io::Error::new(ErrorKind::InvalidData, text)),
    };
    let mut sights = gallery.sights();
    let sight = &mut sights[viewer];
    sight.frames += 1;
    match sight.revision {
        None => gallery.seeing.send_modify(|seeing| *seeing += 1),
        Some(before) if before >= revision => sight.backwards += 1,
        Some(before) => {
            // Nobody knew of it yet: the viewer saw it before its voters were answered.
            let known = run.book().known(sight.poll, before, revision);
            let stale = known.map(|known| now().saturating_duration_since(known));
            if stale.is_some() || !frame.is_final {
                let mut staleness = locked(&gallery.staleness);
                staleness.saturating_record(micros(stale.unwrap_or_default()));
            }
        }
    }
    sight.revision = Some(revision);
    if frame.is_final {
        sight.end = Some(serde_json::from_str(text)?);
    }
    Ok(frame.is_final)
}
