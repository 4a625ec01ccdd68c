//! Recording a batch, in one transaction.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use polling_core::polls::Status;
use polling_core::votes::{
    BallotRecord, Name, Outcome, Recorded, Refusal, VotePlan, plan_vote, takes,
};
use polling_core::{PollId, Timestamp};
use rusqlite::{Error, Transaction};

use super::rows;
use crate::polls::touch;
use crate::results::rows::{Gate, gate, update_tally};

/// A poll that the batch touches, while the batch holds the database.
struct Touched {
    gate: Gate,
    added: bool,
    /// When the ballot arrived that opened it.
    opened_at: Option<Timestamp>,
}

/// Records a batch. The caller's transaction holds the write lock, so that a gate that was read stays as it is until the
/// commit; nobody needs to be asked again.
pub(super) fn record(tx: &Transaction<'_>, batch: &[BallotRecord]) -> rusqlite::Result<Recorded> {
    let mut polls = load(tx, batch)?;
    let mut outcomes = vec![Outcome::Refused(Refusal::Missing); batch.len()];
    // In the order of the primary key, which visits each page of the table once.
    let mut order: Vec<usize> = (0..batch.len()).collect();
    order.sort_unstable_by_key(|&at| (batch[at].poll, batch[at].voter));
    for at in order {
        if let Some(Some(poll)) = polls.get_mut(&batch[at].poll) {
            outcomes[at] = poll.decide(tx, &batch[at])?;
        }
    }
    let mut tallies = Vec::new();
    for poll in polls.values_mut().flatten() {
        if poll.added {
            poll.close(tx)?;
            tallies.push(poll.gate.tally.clone());
        }
    }
    // Only now is it known which revision contains the batch.
    for (ballot, outcome) in batch.iter().zip(&mut outcomes) {
        let Some(Some(poll)) = polls.get(&ballot.poll) else {
            continue;
        };
        match outcome {
            Outcome::Added(revision) => *revision = poll.gate.tally.revision,
            Outcome::Existing(existing) => existing.revision = poll.gate.tally.revision,
            Outcome::Superseded | Outcome::Refused(_) => {}
        }
    }
    Ok(Recorded { outcomes, tallies })
}

/// Reads the gate of each poll once, however many ballots it gets.
fn load(
    tx: &Transaction<'_>,
    batch: &[BallotRecord],
) -> rusqlite::Result<HashMap<PollId, Option<Touched>>> {
    let mut polls = HashMap::new();
    for ballot in batch {
        if let Entry::Vacant(place) = polls.entry(ballot.poll) {
            place.insert(gate(tx, ballot.poll)?.map(|gate| Touched {
                gate,
                added: false,
                opened_at: None,
            }));
        }
    }
    Ok(polls)
}

impl Touched {
    fn decide(&mut self, tx: &Transaction<'_>, ballot: &BallotRecord) -> rusqlite::Result<Outcome> {
        let key = self.gate.key;
        if let Ok(opens) = takes(&self.gate.tally, ballot)
            && rows::insert(tx, key, ballot)?
        {
            // Who has no row has no superseded ballots either: both come with a change or a withdrawal.
            return Ok(self.count(ballot, opens));
        }
        let held = rows::find(tx, key, &ballot.voter)?.map(|row| row.held(0));
        let name = match &held {
            Some(held) if held.asks_for_name(ballot) => {
                rows::find_name(tx, key, &ballot.voter, ballot.id)?
            }
            _ => Name::Unknown,
        };
        match plan_vote(ballot, Some(&self.gate.tally), held, name) {
            VotePlan::Answer(outcome) => Ok(outcome),
            VotePlan::Revive { opens, .. } => {
                rows::replace(tx, key, ballot)?;
                Ok(self.count(ballot, opens))
            }
            // A row stood in the way of the insertion, and nobody else writes.
            VotePlan::Insert { .. } => Err(Error::QueryReturnedNoRows),
        }
    }

    fn count(&mut self, ballot: &BallotRecord, opens: bool) -> Outcome {
        let tally = &mut self.gate.tally;
        if opens {
            tally.status = Status::Open;
            tally.revision += 1;
            self.opened_at = Some(ballot.received_at);
        }
        tally.add(&ballot.selection);
        self.added = true;
        Outcome::Added(0)
    }

    /// Ends the batch for this poll: one revision for all of its ballots.
    fn close(&mut self, tx: &Transaction<'_>) -> rusqlite::Result<()> {
        self.gate.tally.revision += 1;
        update_tally(tx, self.gate.key, &self.gate.tally)?;
        match self.opened_at {
            Some(at) => touch(tx, self.gate.key, at),
            None => Ok(()),
        }
    }
}
