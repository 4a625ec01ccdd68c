//! Recording a batch: what is sent, and what comes back. Who was not written is decided by a second statement, which only
//! reads: a ballot that another server committed meanwhile is invisible to the first.

use std::collections::{BTreeMap, HashMap};

use deadpool_postgres::ClientWrapper;
use polling_core::results::{Revision, Tally};
use polling_core::votes::{BallotRecord, Held, Outcome, Recorded, VotePlan, plan_vote};
use polling_core::{BallotId, PollId};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::VoteStatements;
use super::copy;
use super::params::{Ballots, Column, row_columns};
use super::road::Roads;
use super::rows::{self, Found};
use super::sums::Sums;
use crate::columns::{self, Params, Read};
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
    /// Where they stand in the batch, in the order of their keys.
    pub(super) places: Vec<usize>,
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

/// A batch on its way: what is decided of it, and what was counted.
#[derive(Debug)]
pub(super) struct Batch<'a> {
    ballots: &'a [BallotRecord],
    outcomes: Vec<Option<Outcome>>,
    tallies: HashMap<PollId, Tally>,
    rows_met: usize,
}

impl<'a> Batch<'a> {
    pub(super) fn new(ballots: &'a [BallotRecord]) -> Self {
        Self {
            ballots,
            outcomes: vec![None; ballots.len()],
            tallies: HashMap::new(),
            rows_met: 0,
        }
    }

    /// All of them, to be inserted, in the order of their keys: all servers write in this order, so that nobody waits in a
    /// circle, and the index is gone through once.
    pub(super) fn whole(&self) -> Group {
        let mut places: Vec<usize> = (0..self.ballots.len()).collect();
        self.sort(&mut places);
        Group {
            places,
            withdrawn: Vec::new(),
        }
    }

    fn at<'b>(&'b self, places: &'b [usize]) -> Ballots<'b> {
        Ballots {
            batch: self.ballots,
            places,
        }
    }

    /// How many ballots met a row of their voter.
    pub(super) const fn rows_met(&self) -> usize {
        self.rows_met
    }

    /// Into the order of the keys.
    pub(super) fn sort(&self, places: &mut [usize]) {
        places.sort_unstable_by_key(|&place| key(&self.ballots[place]));
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
        whole: &Group,
        roads: Roads,
    ) -> Result<Sent, Failure> {
        let all = self.at(&whole.places);
        let sums = Sums::of(self.ballots);
        let sent = if self.ballots.len() < roads.copy_from {
            let [polls, voters, ids, contents, starts, times] = &row_columns(all);
            let rows: [&(dyn ToSql + Sync); 6] = [polls, voters, ids, contents, starts, times];
            query(client, &sql.record_new, &[rows, sums.params()].concat()).await
        } else {
            copy::send(client, sql, all, &sums).await
        };
        match sent {
            Ok(rows) => {
                self.take(&whole.places, &rows).map_err(Failure::Row)?;
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
        let [polls, voters, ids, contents, starts, times] = &row_columns(self.at(&group.places));
        let withdrawn: Vec<Uuid> = group
            .withdrawn
            .iter()
            .copied()
            .map(columns::ballot)
            .collect();
        let sent = if withdrawn.is_empty() {
            let params: &Params<'_> = &[polls, voters, ids, contents, starts, times];
            query(client, &sql.record, params).await
        } else {
            let params: &Params<'_> = &[polls, voters, ids, contents, starts, times, &withdrawn];
            query(client, &sql.revive, params).await
        };
        match sent {
            Ok(rows) => self.take(&group.places, &rows).map_err(Failure::Row),
            Err(failure) if failure.has_state(REFUSED) => Ok(group.places.clone()),
            Err(failure) => Err(failure),
        }
    }

    /// What a statement that ends at the gate returned for the ballots at these places; returns those that were not
    /// written.
    fn take(&mut self, places: &[usize], rows: &[Row]) -> Read<Vec<usize>> {
        for row in rows {
            if row.try_get::<_, Option<Uuid>>(3)?.is_some() {
                let tally = tally_at(row, 3)?;
                self.tallies.insert(tally.poll_id, tally);
            }
        }
        let (written, left) = self.part(places, rows)?;
        let mut counted: Option<(PollId, Revision)> = None;
        for place in written {
            let poll = self.ballots[place].poll;
            let revision = match counted {
                Some((same, revision)) if same == poll => revision,
                _ => match self.tallies.get(&poll) {
                    Some(tally) => tally.revision,
                    None => return Err("a ballot was written, and not counted".into()),
                },
            };
            counted = Some((poll, revision));
            self.outcomes[place] = Some(Outcome::Added(revision));
        }
        Ok(left)
    }

    /// These places, which are in the order of their keys, by whether their ballots were written.
    fn part(&self, places: &[usize], rows: &[Row]) -> Read<(Vec<usize>, Vec<usize>)> {
        let Some(row) = rows.first() else {
            return Err("a batch was sent, and not answered".into());
        };
        let (Some(polls), Some(voters)) = (
            row.try_get::<_, Option<Vec<Uuid>>>(0)?,
            row.try_get::<_, Option<Vec<Uuid>>>(1)?,
        ) else {
            return Ok((places.to_vec(), Vec::new()));
        };
        let mut keys: Vec<([u8; 16], [u8; 16])> = polls
            .into_iter()
            .zip(voters)
            .map(|(poll, voter)| (poll.into_bytes(), voter.into_bytes()))
            .collect();
        keys.sort_unstable();
        let mut keys = keys.into_iter().peekable();
        let mut is_next = |&place: &usize| keys.next_if_eq(&key(&self.ballots[place])).is_some();
        let parts: (Vec<usize>, Vec<usize>) = places.iter().partition(|&place| is_next(place));
        if keys.next().is_some() {
            return Err("a ballot was written that was not sent".into());
        }
        Ok(parts)
    }

    /// Decides over ballots that were not written, by what is there; returns those that nothing stands in the way of (any
    /// more), to be sent again, poll by poll.
    pub(super) async fn look_up(
        &mut self,
        client: &ClientWrapper,
        sql: &VoteStatements,
        places: &[usize],
    ) -> Result<Vec<Group>, Failure> {
        let asked = self.at(places);
        let params: &Params<'_> = &[
            &Column::Polls(asked),
            &Column::Voters(asked),
            &Column::Ids(asked),
            &Column::Named(asked),
        ];
        let rows = query(client, &sql.look_up, params).await?;
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
                VotePlan::Answer(outcome) => {
                    self.rows_met += usize::from(!matches!(outcome, Outcome::Refused(_)));
                    self.outcomes[place] = Some(outcome);
                }
                VotePlan::Insert { .. } => {
                    let group = again.entry((ballot.poll, false)).or_default();
                    group.places.push(place);
                }
                VotePlan::Revive { old, .. } => {
                    self.rows_met += 1;
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
    pub(super) fn finish(self) -> Result<Recorded, Failure> {
        let outcomes: Option<Vec<Outcome>> = self.outcomes.into_iter().collect();
        Ok(Recorded {
            outcomes: outcomes.ok_or_else(|| Failure::Row("a ballot was not decided".into()))?,
            tallies: self.tallies.into_values().collect(),
        })
    }
}

/// The key of a ballot as its index sorts it.
fn key(ballot: &BallotRecord) -> ([u8; 16], [u8; 16]) {
    (*ballot.poll.as_bytes(), *ballot.voter.as_bytes())
}

/// What is to be done with a ballot that was not written.
fn plan(ballot: &BallotRecord, found: Found) -> VotePlan {
    let counts = found.counts;
    let held = found.ballot.map(|ballot| Held { ballot, counts });
    plan_vote(ballot, found.gate.as_ref(), held, found.name)
}
