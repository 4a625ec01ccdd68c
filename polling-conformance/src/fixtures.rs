//! What the tests of the ports are made of: polls, ballots and times.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use polling_core::polls::{
    Choice, OptionText, Poll, PollOption, Question, ShowResults, Status, Voters, Window,
};
use polling_core::results::{Recount, Tally};
use polling_core::votes::{BallotRecord, Outcome, Recorded, Selection, VoterKey};
use polling_core::{BallotId, OptionId, PollId, Repository, SeededIds, Timestamp};

/// Noon, in the milliseconds of the tests of the ports.
pub(crate) const NOON: i64 = 1_767_268_800_000;

/// This many seconds after noon; before it, where negative.
pub(crate) fn noon(seconds: i64) -> Timestamp {
    Timestamp::from_millis(NOON + seconds * 1_000)
}

/// A store under test, and what goes into it.
pub(crate) struct Ports {
    pub(crate) store: Arc<dyn Repository>,
    ids: SeededIds,
    made: AtomicU64,
}

impl Ports {
    pub(crate) fn new(store: Arc<dyn Repository>) -> Self {
        Self {
            store,
            ids: SeededIds::new(7),
            made: AtomicU64::new(0),
        }
    }

    /// Ids that sort in the order in which they are made.
    fn next_moment(&self) -> Timestamp {
        let made = self.made.fetch_add(1, Ordering::Relaxed);
        Timestamp::from_millis(NOON + i64::try_from(made).unwrap())
    }

    pub(crate) fn poll_id(&self) -> PollId {
        PollId::new(self.next_moment(), &self.ids)
    }

    pub(crate) fn ballot_id(&self) -> BallotId {
        BallotId::new(self.next_moment(), &self.ids)
    }

    pub(crate) fn options(&self, count: usize) -> Vec<PollOption> {
        (0..count)
            .map(|position| PollOption {
                id: OptionId::new(self.next_moment(), &self.ids),
                text: OptionText::from_store(format!("Option {position}")),
            })
            .collect()
    }

    /// A poll with three options, of which a ballot chooses any number, and its voters may change their mind. In this
    /// status, without a window.
    pub(crate) fn poll(&self, status: Status) -> (Poll, Tally) {
        self.poll_with(status, Window::default())
    }

    pub(crate) fn poll_with(&self, status: Status, window: Window) -> (Poll, Tally) {
        let options = self.options(3);
        let poll = Poll {
            id: self.poll_id(),
            question: Question::from_store("Tea or coffee?".into()),
            description: None,
            choice: Choice::Multiple { min: 1, max: 3 },
            voters: Voters::Anyone,
            allow_change: true,
            listed: false,
            creator: None,
            project: None,
            manage_token: None,
            version: 1,
            created_at: noon(0),
            updated_at: noon(0),
            options,
        };
        let tally = Tally {
            status,
            revision: 1,
            ..Tally::new(&poll, window, ShowResults::Always)
        };
        (poll, tally)
    }

    pub(crate) async fn keep(&self, (poll, tally): (Poll, Tally)) -> PollId {
        self.store.polls().insert(&poll, &tally).await.unwrap();
        poll.id
    }

    /// A kept poll without a window, in this status.
    pub(crate) async fn kept(&self, status: Status) -> PollId {
        self.keep(self.poll(status)).await
    }

    /// A new ballot of the voter with this number, received at noon, whose id the engine made.
    pub(crate) fn ballot(&self, poll: PollId, voter: u64, positions: &[u8]) -> BallotRecord {
        BallotRecord {
            poll,
            voter: voter_key(voter),
            id: self.ballot_id(),
            id_is_clients: false,
            selection: Selection::from_store(positions),
            received_at: noon(0),
        }
    }

    /// The same, under an id that the client chose.
    pub(crate) fn named_ballot(&self, poll: PollId, voter: u64, positions: &[u8]) -> BallotRecord {
        BallotRecord {
            id_is_clients: true,
            ..self.ballot(poll, voter, positions)
        }
    }

    /// Records a batch through a writer of its own.
    pub(crate) async fn record(&self, batch: &[BallotRecord]) -> Recorded {
        let mut writer = self.store.votes().writer().await.unwrap();
        let recorded = writer.record(batch.into()).await.unwrap();
        assert_eq!(recorded.outcomes.len(), batch.len(), "one outcome each");
        recorded
    }

    /// Records one ballot.
    pub(crate) async fn cast(&self, ballot: &BallotRecord) -> Outcome {
        let mut outcomes = self.record(std::slice::from_ref(ballot)).await.outcomes;
        outcomes.remove(0)
    }

    pub(crate) async fn tally(&self, poll: PollId) -> Tally {
        self.store.results().tally(poll).await.unwrap().unwrap()
    }

    /// The tally of a poll, after it was found to agree with a recount.
    pub(crate) async fn proven(&self, poll: PollId) -> Tally {
        let recount = self.recount(poll).await;
        assert!(recount.agrees(), "the counters are wrong: {recount:?}");
        recount.tally
    }

    pub(crate) async fn recount(&self, poll: PollId) -> Recount {
        self.store.results().recount(poll).await.unwrap().unwrap()
    }
}

pub(crate) fn voter_key(voter: u64) -> VoterKey {
    let mut key = [0; 16];
    // Scattered, as the hashes of real voters are.
    key[..8].copy_from_slice(&voter.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    key[8..].copy_from_slice(&voter.to_be_bytes());
    VoterKey::from_bytes(key)
}

/// A window, in seconds from noon.
pub(crate) fn window(opens: Option<i64>, closes: Option<i64>) -> Window {
    Window {
        opens_at: opens.map(noon),
        closes_at: closes.map(noon),
    }
}

/// The revision of a ballot that was added.
#[track_caller]
pub(crate) fn added(outcome: &Outcome) -> u64 {
    match outcome {
        Outcome::Added(revision) => *revision,
        other => panic!("was to be added: {other:?}"),
    }
}

/// What the voter has already.
#[track_caller]
pub(crate) fn existing(outcome: &Outcome) -> &polling_core::votes::RecordedBallot {
    match outcome {
        Outcome::Existing(ballot) => ballot,
        other => panic!("was to exist: {other:?}"),
    }
}
