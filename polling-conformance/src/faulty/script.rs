//! What goes wrong, and when.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};

use polling_core::PollId;
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
    /// The polls that somebody else holds, and whether the store says so.
    held: Mutex<HashMap<PollId, bool>>,
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

    pub(super) fn hold(&self, polls: &[PollId], is_named: bool) {
        let mut held = self.held.lock().unwrap();
        held.extend(polls.iter().map(|poll| (*poll, is_named)));
    }

    pub(super) fn let_go(&self, polls: &[PollId]) {
        self.held
            .lock()
            .unwrap()
            .retain(|poll, _| !polls.contains(poll));
    }

    /// Those polls of a batch that are held and named, where any is held.
    pub(super) fn blocks(&self, batch: &[BallotRecord]) -> Option<Vec<PollId>> {
        let held = self.held.lock().unwrap();
        let of_batch = batch
            .iter()
            .filter_map(|ballot| held.get_key_value(&ballot.poll));
        let of_batch: Vec<_> = of_batch.collect();
        let named = of_batch.iter().filter(|(_, is_named)| **is_named);
        let named = named.map(|(poll, _)| **poll).collect();
        (!of_batch.is_empty()).then_some(named)
    }

    pub(super) fn wrote(&self, batch: Arc<[BallotRecord]>) {
        self.written.lock().unwrap().push(batch);
    }

    pub(super) fn written(&self) -> Vec<Arc<[BallotRecord]>> {
        self.written.lock().unwrap().clone()
    }
}
