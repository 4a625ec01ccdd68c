//! Recording a batch: what is sent, and what comes back. Who was not written is decided by a second statement, which only
//! reads: a ballot that another server committed meanwhile is invisible to the first.

use std::collections::{BTreeMap, HashMap};

use deadpool_postgres::ClientWrapper;
use polling_core::results::Tally;
use polling_core::votes::{BallotRecord, Held, Outcome, Recorded, Refusal, VotePlan, plan_vote};
use polling_core::{BallotId, PollId};
use tokio_postgres::Row;
use uuid::Uuid;

use super::VoteStatements;
use super::rows::{self, Found};
use super::sums::Sums;
use crate::columns::{self, Params, Read, Time};
use crate::database::query;
use crate::error::Failure;
use crate::results::rows::tally_at;

/// The SQLSTATE with which `refuse()` ends a statement.
pub(super) const REFUSED: &str = "PGATE";

/// The SQLSTATE of a key that is there already.
pub(super) const UNIQUE_VIOLATION: &str = "23505";

/// Ballots of the batch that are sent together.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// Where they stand in the batch.
    places: Vec<usize>,
    /// The withdrawn ballots that they replace; empty where there are none to be replaced.
    withdrawn: Vec<BallotId>,
}

/// What became of a batch that was sent as new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// All of it is recorded.
    All,
    /// A voter has a row already.
    Conflict,
    /// A gate refuses.
    Refused,
}

/// The columns of the ballots that are sent.
struct Columns<'a> {
    polls: Vec<Uuid>,
    voters: Vec<Uuid>,
    ids: Vec<Uuid>,
    contents: Vec<&'a [u8]>,
    times: Vec<Time>,
}

impl<'a> Columns<'a> {
    fn of(ballots: impl Iterator<Item = &'a BallotRecord> + Clone) -> Self {
        Self {
            polls: ballots.clone().map(|b| columns::poll(b.poll)).collect(),
            voters: ballots.clone().map(|b| columns::voter(&b.voter)).collect(),
            ids: ballots.clone().map(|b| columns::ballot(b.id)).collect(),
            contents: ballots.clone().map(|b| b.selection.positions()).collect(),
            times: ballots.map(|b| Time(b.received_at)).collect(),
        }
    }
}

/// A batch on its way: what is decided of it, and what was counted.
#[derive(Debug)]
pub(super) struct Batch<'a> {
    ballots: &'a [BallotRecord],
    outcomes: Vec<Option<Outcome>>,
    tallies: HashMap<PollId, Tally>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(ballots: &'a [BallotRecord]) -> Self {
        Self {
            ballots,
            outcomes: vec![None; ballots.len()],
            tallies: HashMap::new(),
        }
    }

    /// All of them, to be inserted.
    pub(super) fn whole(&self) -> Group {
        Group {
            places: (0..self.ballots.len()).collect(),
            withdrawn: Vec::new(),
        }
    }

    /// All of them, to be written over this ballot, which was withdrawn.
    pub(super) fn reviving(&self, withdrawn: BallotId) -> Group {
        Group {
            withdrawn: vec![withdrawn; self.ballots.len()],
            ..self.whole()
        }
    }

    /// Whether something of it was committed.
    pub(super) fn has_begun(&self) -> bool {
        !self.tallies.is_empty()
    }

    /// Sends all of it as ballots of voters who have none. Nothing of it stands where that is not so, or a gate refuses.
    pub(super) async fn send_new(
        &mut self,
        client: &ClientWrapper,
        sql: &VoteStatements,
    ) -> Result<Sent, Failure> {
        let all = self.whole().places;
        let rows = Columns::of(self.ballots.iter());
        let sums = Sums::of(self.ballots);
        let params: &Params<'_> = &[
            &rows.polls,
            &rows.voters,
            &rows.ids,
            &rows.contents,
            &rows.times,
            &sums.polls,
            &sums.positions,
            &sums.votes,
            &sums.ballots,
            &sums.earliest,
            &sums.latest,
        ];
        match query(client, &sql.record_new, params).await {
            Ok(rows) => {
                self.take(&all, &rows).map_err(Failure::Row)?;
                Ok(Sent::All)
            }
            Err(failure) if failure.has_state(UNIQUE_VIOLATION) => Ok(Sent::Conflict),
            Err(failure) if failure.has_state(REFUSED) => Ok(Sent::Refused),
            Err(failure) => Err(failure),
        }
    }

    /// Sends a group, and returns those of it of which nothing is decided: those that were not written, or all of them
    /// where a gate refused.
    pub(super) async fn send(
        &mut self,
        client: &ClientWrapper,
        sql: &VoteStatements,
        group: &Group,
    ) -> Result<Vec<usize>, Failure> {
        let Columns {
            polls,
            voters,
            ids,
            contents,
            times,
        } = Columns::of(group.places.iter().map(|&place| &self.ballots[place]));
        let withdrawn: Vec<Uuid> = group
            .withdrawn
            .iter()
            .copied()
            .map(columns::ballot)
            .collect();
        let sent = if withdrawn.is_empty() {
            let params: &Params<'_> = &[&polls, &voters, &ids, &contents, &times];
            query(client, &sql.record, params).await
        } else {
            let params: &Params<'_> = &[&polls, &voters, &ids, &contents, &times, &withdrawn];
            query(client, &sql.revive, params).await
        };
        match sent {
            Ok(rows) => self.take(&group.places, &rows).map_err(Failure::Row),
            Err(failure) if failure.has_state(REFUSED) => Ok(group.places.clone()),
            Err(failure) => Err(failure),
        }
    }

    /// What a statement that ends at the gate returned for the ballots at these places.
    fn take(&mut self, places: &[usize], rows: &[Row]) -> Read<Vec<usize>> {
        let missing: Option<Vec<i64>> = match rows.first() {
            Some(row) => row.try_get(0)?,
            None => None,
        };
        let mut undecided = vec![false; places.len()];
        for place in missing.unwrap_or_default() {
            undecided[usize::try_from(place - 1)?] = true;
        }
        for row in rows {
            if row.try_get::<_, Option<Uuid>>(2)?.is_some() {
                let tally = tally_at(row, 2)?;
                self.tallies.insert(tally.poll_id, tally);
            }
        }
        let mut left = Vec::new();
        for (&place, undecided) in places.iter().zip(undecided) {
            if undecided {
                left.push(place);
            } else if let Some(tally) = self.tallies.get(&self.ballots[place].poll) {
                self.outcomes[place] = Some(Outcome::Added(tally.revision));
            } else {
                return Err("a ballot was written, and not counted".into());
            }
        }
        Ok(left)
    }

    /// Decides over ballots that were not written, by what is there; returns those that nothing stands in the way of (any
    /// more), to be sent again, poll by poll.
    pub(super) async fn look_up(
        &mut self,
        client: &ClientWrapper,
        sql: &VoteStatements,
        places: &[usize],
    ) -> Result<Vec<Group>, Failure> {
        let Columns {
            polls, voters, ids, ..
        } = Columns::of(places.iter().map(|&place| &self.ballots[place]));
        let rows = query(client, &sql.look_up, &[&polls, &voters, &ids]).await?;
        if rows.len() != places.len() {
            return Err(Failure::Row(
                "a ballot was asked for, and not answered".into(),
            ));
        }
        // By poll, and by whether they replace withdrawn ones.
        let mut again: BTreeMap<(PollId, bool), Group> = BTreeMap::new();
        for (&place, row) in places.iter().zip(&rows) {
            let ballot = &self.ballots[place];
            match plan(ballot, rows::found(row, ballot).map_err(Failure::Row)?) {
                VotePlan::Answer(outcome) => self.outcomes[place] = Some(outcome),
                VotePlan::Insert { .. } => {
                    let group = again.entry((ballot.poll, false)).or_default();
                    group.places.push(place);
                }
                VotePlan::Revive { old, .. } => {
                    let group = again.entry((ballot.poll, true)).or_default();
                    group.places.push(place);
                    group.withdrawn.push(old.id);
                }
            }
        }
        Ok(again.into_values().collect())
    }

    /// The groups in as few as can be: all that insert, and all that replace.
    pub(super) fn merge(groups: Vec<Group>) -> Vec<Group> {
        let (mut insert, mut revive) = (Group::default(), Group::default());
        for group in groups {
            let into = if group.withdrawn.is_empty() {
                &mut insert
            } else {
                &mut revive
            };
            into.places.extend(group.places);
            into.withdrawn.extend(group.withdrawn);
        }
        let mut merged = vec![insert, revive];
        merged.retain(|group| !group.places.is_empty());
        merged
    }

    /// What became of the batch, of which everything is decided.
    pub(super) fn finish(self) -> Recorded {
        debug_assert!(self.outcomes.iter().all(Option::is_some), "all is decided");
        let undecided = Outcome::Refused(Refusal::Missing);
        let outcomes = self.outcomes.into_iter();
        Recorded {
            outcomes: outcomes
                .map(|outcome| outcome.unwrap_or(undecided.clone()))
                .collect(),
            tallies: self.tallies.into_values().collect(),
        }
    }
}

/// What is to be done with a ballot that was not written.
fn plan(ballot: &BallotRecord, found: Found) -> VotePlan {
    let counts = found.counts;
    let held = found.ballot.map(|ballot| Held { ballot, counts });
    plan_vote(ballot, found.gate.as_ref(), held, found.name)
}
