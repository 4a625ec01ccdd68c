//! A store around the store under test, which can be held up, watched, and made to fail.

mod accounts;
mod door;
mod rooms;
mod script;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use polling_core::votes::{BallotRecord, VoterKey};
use polling_core::{PollId, Repository, StoreError};

pub use door::{Count, Door};
pub use script::Fault;
use script::Script;

/// A store in which everything goes as in the one that it is made of, until it is told otherwise.
///
/// It brings no notifier, and wants one lane, so that nothing is asked but what a test has in mind. That no batch holds two
/// ballots of one poll and voter, as the engine promises to every store, is looked at in each: it panics there.
pub struct FaultyStore {
    store: Arc<dyn Repository>,
    script: Arc<Script>,
    /// Whether the store cannot be read.
    pub is_lost: AtomicBool,
    /// The polls that are looked up.
    pub polls_asked: Count,
    /// The questions about ballots.
    pub ballots_asked: Count,
    /// The questions about revisions.
    pub revisions_asked: Count,
    /// After a poll was looked up, before it is told.
    pub poll_found: Door,
    /// Before a batch is recorded.
    pub record: Arc<Door>,
    /// After a batch was recorded, before it is told.
    pub recorded: Arc<Door>,
    /// After ballots were looked up, before they are told.
    pub found: Door,
    /// Before the vote tokens of a poll are counted.
    pub count_tokens: Door,
    /// The questions about vote tokens, one or many at once.
    pub tokens_asked: Count,
    /// The steps in which vote tokens are inserted.
    pub token_steps: Count,
    /// After a step inserted vote tokens, before it is told.
    pub tokens_inserted: Door,
}

impl FaultyStore {
    /// A store around this one.
    pub fn new(store: Arc<dyn Repository>) -> Arc<Self> {
        Arc::new(Self {
            store,
            script: Arc::default(),
            is_lost: AtomicBool::new(false),
            polls_asked: Count::default(),
            ballots_asked: Count::default(),
            revisions_asked: Count::default(),
            poll_found: Door::default(),
            record: Arc::default(),
            recorded: Arc::default(),
            found: Door::default(),
            count_tokens: Door::default(),
            tokens_asked: Count::default(),
            token_steps: Count::default(),
            tokens_inserted: Door::default(),
        })
    }

    /// The next batches, changes and withdrawals meet these, one each, in the order in which they come; those after the last
    /// of them go well.
    pub fn will(&self, faults: impl IntoIterator<Item = Fault>) {
        self.script.will(faults);
    }

    /// The next batches of imported accounts meet these, one each; `None` goes well, and so do those after the last of them.
    pub fn will_import(&self, faults: impl IntoIterator<Item = Option<Fault>>) {
        self.script.will_import(faults);
    }

    /// The next steps in which vote tokens are inserted meet these, one each; `None` goes well, and so do those after the last
    /// of them.
    pub fn will_insert_tokens(&self, faults: impl IntoIterator<Item = Option<Fault>>) {
        self.script.will_insert_tokens(faults);
    }

    /// No batch and no change with a ballot of this voter can be written from now on.
    pub fn poison(&self, voter: VoterKey) {
        self.script.poison(voter);
    }

    /// Somebody else holds what the ballots of these polls need, from now on; `is_named` is whether the store can tell.
    pub fn hold(&self, polls: &[PollId], is_named: bool) {
        self.script.hold(polls, is_named);
    }

    /// Nobody holds these polls any more.
    pub fn let_go(&self, polls: &[PollId]) {
        self.script.let_go(polls);
    }

    /// From now on nothing fails any more, and nobody is poisoned.
    pub fn calm(&self) {
        self.script.calm();
    }

    /// The batches that were written, in the order of the commits. One that was written and not heard of is among them, and
    /// once more where it was sent again.
    pub fn batches(&self) -> Vec<Arc<[BallotRecord]>> {
        self.script.written()
    }

    /// How many batches were written before the first with such a ballot.
    ///
    /// # Panics
    /// Where there was none.
    pub fn batches_before(&self, is_it: impl Fn(&BallotRecord) -> bool) -> usize {
        let batches = self.batches();
        let found = batches.iter().position(|batch| batch.iter().any(&is_it));
        found.expect("such a ballot was written")
    }

    fn reach(&self) -> Result<(), StoreError> {
        if self.is_lost.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable("as the test wants"));
        }
        Ok(())
    }
}

impl std::fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FaultyStore")
            .field("script", &self.script)
            .finish_non_exhaustive()
    }
}
