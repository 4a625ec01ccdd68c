//! Holds the newest tally of each watched poll, and pushes it to the viewers.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use tokio::sync::Notify;

use super::announcer::Announcements;
use super::cell::{Cell, depends_on_voters, lock};
use super::judge::Changes;
use super::model::{Revision, Tally};
use super::notifier::Hint;
use super::proofs::Proofs;
use super::rights::is_open;
use super::snapshot::Snapshot;
use super::watch::WatchEnd;
use crate::polls::{PollRecord, Status};
use crate::votes::VoterKey;
use crate::{Clock, PollId};

/// The one place where new tallies come in and viewers find them. A poll has a cell here while somebody watches it.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    cells: Mutex<HashMap<PollId, Weak<Watched>>>,
    unshown: Mutex<Vec<Weak<Watched>>>,
    work: Notify,
    announcements: Announcements,
    changes: Changes,
    ended: std::sync::atomic::AtomicBool,
}

/// A cell that takes itself out of the hub with its last viewer.
#[derive(Debug)]
pub(super) struct Watched {
    poll: PollId,
    cell: Cell,
    proofs: Proofs,
    hub: Weak<Hub>,
}

impl Watched {
    pub(super) const fn poll_id(&self) -> PollId {
        self.poll
    }

    /// What its viewers have proved.
    pub(super) const fn proofs(&self) -> &Proofs {
        &self.proofs
    }
}

impl Deref for Watched {
    type Target = Cell;

    fn deref(&self) -> &Cell {
        &self.cell
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(hub) = self.hub.upgrade() {
            let mut cells = lock(&hub.cells);
            // A new cell of the same poll may have taken the place meanwhile.
            if cells
                .get(&self.poll)
                .is_some_and(|cell| cell.strong_count() == 0)
            {
                cells.remove(&self.poll);
            }
        }
    }
}

impl Hub {
    /// The cell of a poll, made from `record` where there is none, and with it where it is newer than what is known.
    pub(super) fn watch(self: &Arc<Self>, record: &PollRecord) -> Arc<Watched> {
        let poll = record.poll.id;
        let watched = {
            let mut cells = lock(&self.cells);
            cells.get(&poll).and_then(Weak::upgrade).unwrap_or_else(|| {
                let watched = Arc::new(Watched {
                    poll,
                    cell: Cell::new(record.clone()),
                    proofs: Proofs::default(),
                    hub: Arc::downgrade(self),
                });
                cells.insert(poll, Arc::downgrade(&watched));
                watched
            })
        };
        if let Some(before) = watched.put_record(record) {
            self.follow(&watched, &before, &record.tally);
        }
        if self.ended.load(std::sync::atomic::Ordering::Acquire) {
            watched.end(WatchEnd::ShuttingDown);
        }
        watched
    }

    /// The cell of a poll, where somebody watches it.
    pub(super) fn cell(&self, poll: PollId) -> Option<Arc<Watched>> {
        lock(&self.cells).get(&poll).and_then(Weak::upgrade)
    }

    /// Whether every commit here reaches the viewers of this poll: somebody watches it, and not as a draft, which knows
    /// nothing of its being published elsewhere.
    pub(super) fn takes_tallies(&self, poll: PollId) -> bool {
        let cell = self.cell(poll);
        cell.is_some_and(|cell| cell.newest().tally().status != Status::Draft)
    }

    /// Takes what a commit here gave, and tells the other servers. The poll's cell, where somebody watches it.
    fn put_tally(&self, tally: &Tally) -> Option<Arc<Watched>> {
        let cell = self.cell(tally.poll_id);
        if let Some(cell) = &cell
            && let Some(before) = cell.put_tally(tally)
        {
            self.follow(cell, &before, tally);
        }
        // Last, so that this server does not take it for news.
        self.announcements.add(Hint {
            poll: tally.poll_id,
            revision: Some(tally.revision),
        });
        cell
    }

    /// Takes what a change or a withdrawal here gave: the tally, and whether the voter has a ballot now.
    pub(crate) fn put_changed_vote(&self, tally: &Tally, voter: &VoterKey, voted: bool) {
        // Who has withdrawn does not see the results without their vote; who has voted sees them with it.
        if !voted && let Some(cell) = self.cell(tally.poll_id) {
            cell.set_voted(voter, false, tally.revision);
        }
        let cell = self.put_tally(tally);
        if voted && let Some(cell) = cell {
            cell.set_voted(voter, true, tally.revision);
        }
    }

    /// Takes what a batch here gave: the tallies, and who has a ballot now.
    pub(crate) fn put_batch<'a>(
        &self,
        tallies: &[Tally],
        voters: impl Iterator<Item = (PollId, &'a VoterKey)>,
    ) {
        let watched: HashMap<PollId, (Arc<Watched>, Revision)> = tallies
            .iter()
            .filter_map(|tally| Some((tally.poll_id, (self.put_tally(tally)?, tally.revision))))
            // Whoever enters as a voter after this reads the store, which has the batch.
            .filter(|(_, (cell, _))| cell.has_identities())
            .collect();
        if watched.is_empty() {
            return;
        }
        for (poll, voter) in voters {
            if let Some((cell, revision)) = watched.get(&poll) {
                cell.set_voted(voter, true, *revision);
            }
        }
    }

    /// Takes what an edit or a step here gave, and tells the other servers.
    pub(crate) fn put_changed(&self, record: &PollRecord) {
        self.put_read(record);
        self.announcements.add(Hint {
            poll: record.poll.id,
            revision: Some(record.tally.revision),
        });
    }

    /// Takes what was read from the store.
    pub(crate) fn put_read(&self, record: &PollRecord) {
        if let Some(cell) = self.cell(record.poll.id)
            && let Some(before) = cell.put_record(record)
        {
            self.follow(&cell, &before, &record.tally);
        }
    }

    /// The poll was deleted here.
    pub(crate) fn delete_committed(&self, poll: PollId) {
        self.announcements.add(Hint {
            poll,
            revision: None,
        });
        self.delete(poll);
    }

    /// The poll is gone.
    pub(crate) fn delete(&self, poll: PollId) {
        if let Some(cell) = self.cell(poll) {
            cell.end(WatchEnd::PollDeleted);
        }
    }

    /// Takes what was read from the store, and what was found there when `record` was at the revision `at`, or later: the
    /// revision of each voter's ballot, where there is one, which `record` contains.
    pub(super) fn put_looked_up(
        &self,
        record: &PollRecord,
        at: Revision,
        found: &[(VoterKey, Option<Revision>)],
    ) {
        let Some(cell) = self.cell(record.poll.id) else {
            return;
        };
        // First who sees nothing any more, then the results, and then who sees these.
        for (voter, _) in found.iter().filter(|(_, ballot)| ballot.is_none()) {
            cell.set_voted(voter, false, at);
        }
        if let Some(before) = cell.put_record(record) {
            self.follow(&cell, &before, &record.tally);
        }
        for (voter, ballot) in found {
            if let Some(revision) = ballot {
                cell.set_voted(voter, true, *revision);
            }
        }
        if depends_on_voters(&record.tally) {
            cell.voters_known(at);
        }
    }

    /// The watched polls, each with the revision up to which all that viewers depend on is known.
    pub(super) fn watched(&self) -> Vec<(PollId, Revision)> {
        self.cells()
            .iter()
            .map(|cell| (cell.poll, cell.known_revision()))
            .collect()
    }

    /// The newest revision known of a poll, where somebody watches it.
    pub(super) fn revision(&self, poll: PollId) -> Option<Revision> {
        self.cell(poll).map(|cell| cell.revision())
    }

    /// The voters to look up in the store for the viewers of this poll.
    pub(super) fn unsettled_voters(&self, record: &PollRecord) -> Vec<VoterKey> {
        self.cell(record.poll.id)
            .filter(|_| depends_on_voters(&record.tally))
            .map(|cell| cell.unsettled_voters(record.poll.allow_change))
            .unwrap_or_default()
    }

    /// What changed here of what viewers have proved.
    pub(crate) const fn changes(&self) -> &Changes {
        &self.changes
    }

    /// The cells of all watched polls.
    pub(super) fn cells(&self) -> Vec<Arc<Watched>> {
        lock(&self.cells)
            .values()
            .filter_map(Weak::upgrade)
            .collect()
    }

    pub(super) fn announcements(&self) -> &Announcements {
        &self.announcements
    }

    /// Ends every watch: the engine is shutting down.
    pub(crate) fn end(&self) {
        self.ended.store(true, std::sync::atomic::Ordering::Release);
        for cell in self.cells() {
            cell.end(WatchEnd::ShuttingDown);
        }
    }

    /// Shows what came after `before`. While everybody saw the results nobody was judged: that is made up for where now only
    /// those see them who may.
    fn follow(&self, cell: &Arc<Watched>, before: &Snapshot, now: &Tally) {
        if is_open(before.tally()) && !is_open(now) {
            self.changes.look_again(cell.proofs().users(), cell.poll);
        }
        self.show_soon(cell);
    }

    fn show_soon(&self, cell: &Arc<Watched>) {
        lock(&self.unshown).push(Arc::downgrade(cell));
        self.work.notify_one();
    }

    /// Pushes what is new: at once, and then not again for `interval`.
    pub(crate) async fn run(self: Arc<Self>, clock: Arc<dyn Clock>, interval: Duration) {
        loop {
            self.work.notified().await;
            let unshown = std::mem::take(&mut *lock(&self.unshown));
            for cell in unshown.iter().filter_map(Weak::upgrade) {
                cell.show();
            }
            clock.pause(interval).await;
        }
    }
}
