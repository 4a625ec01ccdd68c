//! What goes wrong, and when.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex};

use polling_core::votes::{BallotRecord, VoterKey};

/// What befalls the store at one batch, change, withdrawal, import, or step of a making of vote tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is lost before anything is written.
    LostBeforeCommit,
    /// It writes, and is lost before it says so.
    LostAfterCommit,
    /// The writer panics before anything is written. Changes, withdrawals and imports go well.
    PanicsBeforeCommit,
    /// The writer writes, and panics then. Changes, withdrawals and imports go well.
    PanicsAfterCommit,
}

/// The faults to come, and what was written whatever came.
#[derive(Debug, Default)]
pub(super) struct Script {
    faults: Mutex<VecDeque<Fault>>,
    imports: Mutex<VecDeque<Option<Fault>>>,
    makings: Mutex<VecDeque<Option<Fault>>>,
    poisoned: Mutex<HashSet<VoterKey>>,
    written: Mutex<Vec<Arc<[BallotRecord]>>>,
}

impl Script {
    pub(super) fn will(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.lock().unwrap().extend(faults);
    }

    pub(super) fn next(&self) -> Option<Fault> {
        self.faults.lock().unwrap().pop_front()
    }

    pub(super) fn will_import(&self, faults: impl IntoIterator<Item = Option<Fault>>) {
        self.imports.lock().unwrap().extend(faults);
    }

    pub(super) fn next_import(&self) -> Option<Fault> {
        self.imports.lock().unwrap().pop_front().flatten()
    }

    pub(super) fn will_insert_tokens(&self, faults: impl IntoIterator<Item = Option<Fault>>) {
        self.makings.lock().unwrap().extend(faults);
    }

    pub(super) fn next_making(&self) -> Option<Fault> {
        self.makings.lock().unwrap().pop_front().flatten()
    }

    /// What has not come yet does not come any more.
    pub(super) fn calm(&self) {
        self.faults.lock().unwrap().clear();
        self.imports.lock().unwrap().clear();
        self.makings.lock().unwrap().clear();
        self.poisoned.lock().unwrap().clear();
    }

    pub(super) fn poison(&self, voter: VoterKey) {
        self.poisoned.lock().unwrap().insert(voter);
    }

    pub(super) fn spoils(&self, voter: &VoterKey) -> bool {
        self.poisoned.lock().unwrap().contains(voter)
    }

    pub(super) fn wrote(&self, batch: Arc<[BallotRecord]>) {
        self.written.lock().unwrap().push(batch);
    }

    pub(super) fn written(&self) -> Vec<Arc<[BallotRecord]>> {
        self.written.lock().unwrap().clone()
    }
}
