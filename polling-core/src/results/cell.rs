//! The newest results of one watched poll, and who watches.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::model::{Revision, Tally};
use super::snapshot::Snapshot;
use super::watch::WatchEnd;
use crate::polls::{PollRecord, ShowResults, Status};
use crate::votes::VoterKey;

/// What viewers see last.
#[derive(Clone, Debug)]
pub(super) enum Shown {
    Snapshot(Arc<Snapshot>),
    Ended(WatchEnd),
}

/// A latest-value cell: `newest` is what is known, `shown` what was pushed; the hub's tick carries the one to the other.
#[derive(Debug)]
pub(super) struct Cell {
    newest: Mutex<Arc<Snapshot>>,
    shown: watch::Sender<Shown>,
    voters: Mutex<Voters>,
}

/// The voters whom somebody watches as.
#[derive(Debug)]
struct Voters {
    /// What became of them is known up to this revision. The newest tally may be ahead of it: commits of this server may
    /// have come after one of another server that nobody has looked at yet.
    known_at: Revision,
    by_key: HashMap<VoterKey, Identity>,
}

/// Whether a voter has a recorded ballot, shared by all who watch with this voter's eyes.
#[derive(Debug)]
struct Identity {
    viewers: usize,
    voted: watch::Sender<bool>,
    /// Of which revision of the poll this is known.
    at: Revision,
}

impl Cell {
    pub(super) fn new(record: PollRecord) -> Self {
        let known_at = record.tally.revision;
        let snapshot = Arc::new(Snapshot::new(record));
        Self {
            newest: Mutex::new(Arc::clone(&snapshot)),
            shown: watch::Sender::new(Shown::Snapshot(snapshot)),
            voters: Mutex::new(Voters {
                known_at,
                by_key: HashMap::new(),
            }),
        }
    }

    pub(super) fn newest(&self) -> Arc<Snapshot> {
        Arc::clone(&lock(&self.newest))
    }

    /// Takes the tally of a commit of this server, which is of the same definition, unless it is an old one. Returns
    /// what was the newest before, where this is new. The caller says who voted in it.
    pub(super) fn put_tally(&self, tally: &Tally) -> Option<Arc<Snapshot>> {
        {
            let mut voters = lock(&self.voters);
            if tally.revision == voters.known_at + 1 {
                voters.known_at = tally.revision;
            }
        }
        let mut newest = lock(&self.newest);
        // A draft's options may have changed before it was published: what is newer than a draft is read whole.
        let is_of_this_definition =
            newest.tally().status != Status::Draft || tally.status == Status::Draft;
        let is_new = tally.revision > newest.tally().revision && is_of_this_definition;
        is_new.then(|| {
            let next = Arc::new(newest.with(tally.clone()));
            std::mem::replace(&mut *newest, next)
        })
    }

    /// Takes a whole record, which may be a draft's with another definition, unless it is an old one. Returns what was the
    /// newest before, where this is new.
    pub(super) fn put_record(&self, record: &PollRecord) -> Option<Arc<Snapshot>> {
        let mut newest = lock(&self.newest);
        let known = (newest.tally().revision, newest.poll().version);
        let is_new = (record.tally.revision, record.poll.version) > known;
        is_new.then(|| {
            let next = Arc::new(Snapshot::new(record.clone()));
            std::mem::replace(&mut *newest, next)
        })
    }

    /// Carries the newest to the viewers.
    pub(super) fn show(&self) {
        let newest = self.newest();
        self.shown.send_if_modified(|shown| match shown {
            Shown::Ended(_) => false,
            Shown::Snapshot(seen) if Arc::ptr_eq(seen, &newest) => false,
            Shown::Snapshot(seen) => {
                *seen = newest;
                true
            }
        });
    }

    /// Tells the viewers that there is nothing more to come.
    pub(super) fn end(&self, end: WatchEnd) {
        self.shown.send_if_modified(|shown| {
            let live = matches!(shown, Shown::Snapshot(_));
            if live {
                *shown = Shown::Ended(end);
            }
            live
        });
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Shown> {
        self.shown.subscribe()
    }

    pub(super) fn revision(&self) -> Revision {
        lock(&self.newest).tally().revision
    }

    /// The revision up to which everything is known that viewers depend on: what has moved since is to be read.
    pub(super) fn known_revision(&self) -> Revision {
        let newest = self.newest();
        let tally = newest.tally();
        let voters = lock(&self.voters);
        if depends_on_voters(tally) && !voters.by_key.is_empty() {
            tally.revision.min(voters.known_at)
        } else {
            tally.revision
        }
    }

    /// Watches with a voter's eyes; what is known of the voter is learned with [`set_voted`](Self::set_voted).
    pub(super) fn enter(&self, voter: VoterKey) -> watch::Receiver<bool> {
        let mut voters = lock(&self.voters);
        let identity = voters.by_key.entry(voter).or_insert_with(|| Identity {
            viewers: 0,
            voted: watch::Sender::new(false),
            at: 0,
        });
        identity.viewers += 1;
        identity.voted.subscribe()
    }

    pub(super) fn leave(&self, voter: &VoterKey) {
        let mut voters = lock(&self.voters);
        if let Some(identity) = voters.by_key.get_mut(voter) {
            identity.viewers -= 1;
            if identity.viewers == 0 {
                voters.by_key.remove(voter);
            }
        }
    }

    /// At this revision the voter had a ballot, or had none. What comes late changes nothing.
    pub(super) fn set_voted(&self, voter: &VoterKey, voted: bool, at: Revision) {
        if let Some(identity) = lock(&self.voters).by_key.get_mut(voter)
            && at >= identity.at
        {
            identity.at = at;
            identity
                .voted
                .send_if_modified(|known| std::mem::replace(known, voted) != voted);
        }
    }

    pub(super) fn has_identities(&self) -> bool {
        !lock(&self.voters).by_key.is_empty()
    }

    /// The voters whom somebody watches as, and who may have come to another state at another server: where votes cannot
    /// be withdrawn, only those who have no ballot as far as is known here.
    pub(super) fn unsettled_voters(&self, allow_change: bool) -> Vec<VoterKey> {
        lock(&self.voters)
            .by_key
            .iter()
            .filter(|(_, identity)| allow_change || !*identity.voted.borrow())
            .map(|(voter, _)| *voter)
            .collect()
    }

    /// The unsettled voters were looked up in the store when it was at this revision.
    pub(super) fn voters_known(&self, at: Revision) {
        let mut voters = lock(&self.voters);
        voters.known_at = voters.known_at.max(at);
    }
}

/// Whether it may make a difference to a viewer who has voted.
pub(super) fn depends_on_voters(tally: &Tally) -> bool {
    tally.show_results == ShowResults::AfterVote && !tally.is_final()
}

/// No code panics while it holds one of these locks, and what they guard is whole at every line.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
