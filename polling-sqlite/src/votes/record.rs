//! Recording a batch, in one transaction.

use polling_core::polls::Status;
use polling_core::results::Revision;
use polling_core::votes::{
    BallotRecord, Name, Outcome, Recorded, Refusal, VotePlan, plan_vote, takes,
};
use polling_core::{PollId, Timestamp};
use rusqlite::{Error, Transaction};

use super::rows::{self, Statements};
use crate::polls::touch;
use crate::results::rows::{Gate, count_tally, gate, update_tally};

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
    let mut outcomes = vec![Outcome::Refused(Refusal::Missing); batch.len()];
    let mut tallies = Vec::new();
    // In the order of the primary key, which visits each page of the table once, and poll by poll, so that the gate of
    // each is read and written once.
    let mut order: Vec<usize> = (0..batch.len()).collect();
    order.sort_unstable_by_key(|&at| (batch[at].poll, batch[at].voter));
    let mut statements = Statements::of(tx)?;
    for places in order.chunk_by(|&one, &next| batch[one].poll == batch[next].poll) {
        let Some(mut poll) = Touched::read(tx, batch[places[0]].poll)? else {
            continue;
        };
        for &at in places {
            outcomes[at] = poll.decide(tx, &mut statements, &batch[at])?;
        }
        poll.close(tx)?;
        let revision = poll.gate.tally.revision;
        for &at in places {
            set_revision(&mut outcomes[at], revision);
        }
        if poll.added {
            tallies.push(poll.gate.tally);
        }
    }
    Ok(Recorded { outcomes, tallies })
}

/// Only when all ballots of a poll are decided it is known which revision contains them.
fn set_revision(outcome: &mut Outcome, revision: Revision) {
    match outcome {
        Outcome::Added(known) => *known = revision,
        Outcome::Existing(existing) => existing.revision = revision,
        Outcome::Superseded | Outcome::Refused(_) => {}
    }
}

impl Touched {
    fn read(tx: &Transaction<'_>, poll: PollId) -> rusqlite::Result<Option<Self>> {
        Ok(gate(tx, poll)?.map(|gate| Self {
            gate,
            added: false,
            opened_at: None,
        }))
    }

    fn decide(
        &mut self,
        tx: &Transaction<'_>,
        statements: &mut Statements<'_>,
        ballot: &BallotRecord,
    ) -> rusqlite::Result<Outcome> {
        let key = self.gate.key;
        if let Ok(opens) = takes(&self.gate.tally, ballot)
            && statements.insert(key, ballot)?
        {
            // Who has no row has no superseded ballots either: both come with a change or a withdrawal.
            return Ok(self.count(ballot, opens));
        }
        let held = statements
            .look_up
            .find(key, &ballot.voter)?
            .map(|row| row.held(0));
        let name = match &held {
            Some(held) if held.asks_for_name(ballot) => {
                statements
                    .look_up
                    .find_name(key, &ballot.voter, ballot.id)?
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
        if !self.added {
            return Ok(());
        }
        let Gate { key, tally, .. } = &mut self.gate;
        tally.revision += 1;
        match self.opened_at {
            Some(at) => {
                touch(tx, *key, at)?;
                update_tally(tx, *key, tally)
            }
            None => count_tally(tx, *key, tally),
        }
    }
}
