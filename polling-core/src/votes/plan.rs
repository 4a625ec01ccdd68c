//! What becomes of a ballot, as a pure rule that every store applies to what it found. The outcomes are judged in this
//! order: superseded, existing, refused.

use super::gate::{Refusal, takes};
use super::model::{BallotRecord, RecordedBallot};
use super::repository::Outcome;
use super::standing::Name;
use crate::results::Tally;

/// The ballot that a voter has in a poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The ballot.
    pub ballot: RecordedBallot,
    /// Whether it counts; else it was withdrawn.
    pub counts: bool,
}

impl Held {
    /// Whether it has to be found out what else is known of the id of this ballot of the same voter. Else its [`Name`]
    /// decides nothing.
    #[must_use]
    pub fn asks_for_name(&self, ballot: &BallotRecord) -> bool {
        let is_the_same = self.counts && self.ballot.id == ballot.id;
        ballot.id_is_clients && !is_the_same
    }
}

/// What a store does with a ballot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VotePlan {
    /// Nothing: this is the outcome.
    Answer(Outcome),
    /// Inserts it: the voter has none.
    Insert {
        /// Whether it opens the poll.
        opens: bool,
    },
    /// Writes it over the one that was withdrawn.
    Revive {
        /// The ballot that was withdrawn.
        old: RecordedBallot,
        /// Whether it opens the poll.
        opens: bool,
    },
}

/// What is to be done with `ballot`, where the poll has this tally, the voter this ballot, and the new ballot's id this
/// name, all from one moment. Without a tally there is no such poll.
#[must_use]
pub fn plan_vote(
    ballot: &BallotRecord,
    tally: Option<&Tally>,
    held: Option<Held>,
    name: Name,
) -> VotePlan {
    let taken = tally.map_or(Err(Refusal::Missing), |tally| takes(tally, ballot));
    let outcome = match (taken, held) {
        (_, Some(held)) if name == Name::Superseded && held.asks_for_name(ballot) => {
            Outcome::Superseded
        }
        (_, Some(held)) if held.counts => Outcome::Existing(held.ballot),
        (Err(refusal), _) => Outcome::Refused(refusal),
        (Ok(opens), None) => return VotePlan::Insert { opens },
        (Ok(opens), Some(held)) => {
            let old = held.ballot;
            return VotePlan::Revive { old, opens };
        }
    };
    VotePlan::Answer(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::polls::{ShowResults, Status, Window};
    use crate::votes::{Selection, VoterKey};
    use crate::{BallotId, PollId, Timestamp};

    fn tally(status: Status) -> Tally {
        Tally {
            poll_id: PollId::from_bytes([0; 16]),
            status,
            window: Window::default(),
            show_results: ShowResults::Always,
            revision: 1,
            ballots: 0,
            counts: vec![0, 0],
        }
    }

    /// With the id 1 from its client, or 9 from the engine.
    fn ballot(id_is_clients: bool) -> BallotRecord {
        BallotRecord {
            poll: PollId::from_bytes([0; 16]),
            voter: VoterKey::from_bytes([0; 16]),
            id: BallotId::from_bytes([if id_is_clients { 1 } else { 9 }; 16]),
            id_is_clients,
            selection: Selection::from_store(&[0]),
            received_at: Timestamp::EPOCH,
        }
    }

    fn held(id: u8, counts: bool) -> Held {
        let ballot = RecordedBallot {
            id: BallotId::from_bytes([id; 16]),
            selection: Selection::from_store(&[1]),
            cast_at: Timestamp::EPOCH,
            revision: 1,
        };
        Held { ballot, counts }
    }

    const STATUSES: [Status; 5] = [
        Status::Draft,
        Status::Scheduled,
        Status::Open,
        Status::Closing,
        Status::Closed,
    ];

    #[test]
    fn a_voter_with_a_ballot_that_counts_is_answered_with_it_whatever_the_gate_says() {
        for status in STATUSES {
            for id in [1, 2] {
                let existing = VotePlan::Answer(Outcome::Existing(held(id, true).ballot));
                for (clients, name) in [
                    (true, Name::Unknown),
                    (true, Name::Current),
                    (false, Name::Unknown),
                ] {
                    let held = Some(held(id, true));
                    let plan = plan_vote(&ballot(clients), Some(&tally(status)), held, name);
                    assert_eq!(plan, existing, "{status:?}, {id}, {clients}, {name:?}");
                }
            }
        }
    }

    #[test]
    fn an_id_that_was_superseded_is_refused_before_all_else() {
        let superseded = VotePlan::Answer(Outcome::Superseded);
        for status in STATUSES {
            for held in [held(2, true), held(2, false), held(1, false)] {
                let gate = tally(status);
                let plan = plan_vote(&ballot(true), Some(&gate), Some(held), Name::Superseded);
                assert_eq!(plan, superseded, "{status:?}");
            }
        }
    }

    /// The engine's own ids never come back, and the id of the ballot that counts is no other's.
    #[test]
    fn a_name_decides_only_where_it_was_asked_for() {
        for (clients, id) in [(false, 2), (false, 9), (true, 1)] {
            let held = held(id, true);
            assert!(!held.asks_for_name(&ballot(clients)));
            let existing = VotePlan::Answer(Outcome::Existing(held.ballot.clone()));
            let gate = tally(Status::Open);
            let plan = plan_vote(&ballot(clients), Some(&gate), Some(held), Name::Superseded);
            assert_eq!(plan, existing, "{clients}, {id}");
        }
        assert!(held(2, true).asks_for_name(&ballot(true)));
        assert!(held(1, false).asks_for_name(&ballot(true)));
    }

    #[test]
    fn who_has_no_ballot_that_counts_votes_where_the_gate_lets_them() {
        use Status::{Closed, Closing, Draft, Open, Scheduled};
        let table = [
            (Some(Draft), Err(Refusal::NotOpen)),
            (Some(Scheduled), Ok(true)),
            (Some(Open), Ok(false)),
            (Some(Closing), Ok(false)),
            (Some(Closed), Err(Refusal::Closed)),
            (None, Err(Refusal::Missing)),
        ];
        for (status, taken) in table {
            let gate = status.map(tally);
            for withdrawn in [None, Some(held(2, false))] {
                let expected = match (taken, withdrawn.clone()) {
                    (Err(refusal), _) => VotePlan::Answer(Outcome::Refused(refusal)),
                    (Ok(opens), None) => VotePlan::Insert { opens },
                    (Ok(opens), Some(held)) => VotePlan::Revive {
                        old: held.ballot,
                        opens,
                    },
                };
                let plan = plan_vote(&ballot(true), gate.as_ref(), withdrawn, Name::Unknown);
                assert_eq!(plan, expected, "{status:?}");
            }
        }
    }

    #[test]
    fn an_option_that_is_not_there_is_refused() {
        let ballot = BallotRecord {
            selection: Selection::from_store(&[2]),
            ..ballot(true)
        };
        let plan = plan_vote(&ballot, Some(&tally(Status::Open)), None, Name::Unknown);
        let refused = Outcome::Refused(Refusal::OptionUnknown);
        assert_eq!(plan, VotePlan::Answer(refused));
    }
}
