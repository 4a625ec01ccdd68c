//! What a batch adds to the counters, summed up before it is sent.

use std::collections::BTreeMap;

use polling_core::PollId;
use polling_core::votes::BallotRecord;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::columns::{self, Time};

/// By poll and position, as columns. The ballots of a poll stand beside its first position, and zero beside the others.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pub(super) polls: Vec<Uuid>,
    pub(super) positions: Vec<i32>,
    pub(super) votes: Vec<i64>,
    pub(super) ballots: Vec<i64>,
    pub(super) earliest: Vec<Time>,
    pub(super) latest: Vec<Time>,
}

/// What is added to one poll.
struct Sum {
    votes: BTreeMap<u8, i64>,
    ballots: i64,
    earliest: Time,
    latest: Time,
}

impl Sums {
    pub(super) fn of(ballots: &[BallotRecord]) -> Self {
        let mut polls: BTreeMap<PollId, Sum> = BTreeMap::new();
        for ballot in ballots {
            let at = Time(ballot.received_at);
            let sum = polls.entry(ballot.poll).or_insert_with(|| Sum {
                votes: BTreeMap::new(),
                ballots: 0,
                earliest: at,
                latest: at,
            });
            sum.ballots += 1;
            sum.earliest = sum.earliest.min(at);
            sum.latest = sum.latest.max(at);
            for &position in ballot.selection.positions() {
                *sum.votes.entry(position).or_default() += 1;
            }
        }
        let mut sums = Self::default();
        for (poll, sum) in polls {
            let mut ballots = sum.ballots;
            for (position, votes) in sum.votes {
                sums.polls.push(columns::poll(poll));
                sums.positions.push(position.into());
                sums.votes.push(votes);
                sums.ballots.push(std::mem::take(&mut ballots));
                sums.earliest.push(sum.earliest);
                sums.latest.push(sum.latest);
            }
        }
        sums
    }

    /// The columns.
    pub(super) fn params(&self) -> [&(dyn ToSql + Sync); 6] {
        [
            &self.polls,
            &self.positions,
            &self.votes,
            &self.ballots,
            &self.earliest,
            &self.latest,
        ]
    }
}

#[cfg(test)]
mod tests {
    use polling_core::votes::{Selection, VoterKey};
    use polling_core::{BallotId, Timestamp};

    use super::*;

    fn ballot(poll: u8, positions: &[u8], at: i64) -> BallotRecord {
        BallotRecord {
            poll: PollId::from_bytes([poll; 16]),
            voter: VoterKey::from_bytes([0; 16]),
            id: BallotId::from_bytes([0; 16]),
            id_is_clients: false,
            selection: Selection::from_store(positions),
            received_at: Timestamp::from_millis(at),
        }
    }

    #[test]
    fn votes_are_summed_by_position_and_ballots_once() {
        let sums = Sums::of(&[
            ballot(2, &[0, 2], 5),
            ballot(1, &[7], 9),
            ballot(2, &[2], 3),
        ]);
        let polls: Vec<u8> = sums.polls.iter().map(|poll| poll.as_bytes()[0]).collect();
        assert_eq!(polls, [1, 2, 2]);
        assert_eq!(sums.positions, [7, 0, 2]);
        assert_eq!(sums.votes, [1, 1, 2]);
        assert_eq!(sums.ballots, [1, 2, 0]);
        let millis =
            |times: &[Time]| -> Vec<i64> { times.iter().map(|time| time.0.as_millis()).collect() };
        assert_eq!(millis(&sums.earliest), [9, 3, 3]);
        assert_eq!(millis(&sums.latest), [9, 5, 5]);
    }
}
