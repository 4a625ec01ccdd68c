//! Changing and withdrawing votes, one by one, as the core's rule says.

use polling_core::polls::Status;
use polling_core::results::Tally;
use polling_core::votes::{
    BallotRecord, Change, ChangePlan, Name, Refusal, Standing, VoterKey, Withdrawal, WithdrawalPlan,
};
use polling_core::{PollId, Timestamp};
use rusqlite::Transaction;

use super::rows::{self, LookUp, Statements, VoteRow};
use crate::polls::touch;
use crate::results::rows::{Gate, count_tally, gate, update_tally};

pub(super) fn change(tx: &Transaction<'_>, ballot: &BallotRecord) -> rusqlite::Result<Change> {
    let voter = &ballot.voter;
    let Some(gate) = gate(tx, ballot.poll)? else {
        return Ok(Change::Refused(Refusal::Missing));
    };
    let mut statements = Statements::of(tx)?;
    let name = statements.look_up.find_name(gate.key, voter, ballot.id)?;
    let row = statements.look_up.find(gate.key, voter)?;
    match standing(&gate, row, name).plan_change(ballot) {
        ChangePlan::Answer(answer) => Ok(answer),
        ChangePlan::Name(known) => {
            rows::name(tx, gate.key, voter, ballot.id)?;
            Ok(Change::Unchanged(known))
        }
        ChangePlan::Insert { opens } => {
            statements.insert(gate.key, ballot)?;
            count(tx, gate, ballot, opens).map(Change::Created)
        }
        ChangePlan::Revive { opens, .. } => {
            rows::replace(tx, gate.key, ballot)?;
            count(tx, gate, ballot, opens).map(Change::Created)
        }
        ChangePlan::Replace { old, opens } => {
            rows::supersede(tx, gate.key, voter, old.id)?;
            rows::replace(tx, gate.key, ballot)?;
            let mut gate = gate;
            gate.tally.remove(&old.selection);
            count(tx, gate, ballot, opens).map(Change::Changed)
        }
    }
}

/// What the core's rule judges. The caller's transaction holds the write lock, so that it stays so until the commit.
fn standing(gate: &Gate, row: Option<VoteRow>, name: Name) -> Standing {
    Standing {
        tally: gate.tally.clone(),
        allow_change: gate.allow_change,
        counts: row.as_ref().is_some_and(|row| row.counts),
        ballot: row.map(|row| row.recorded(gate.tally.revision)),
        name,
    }
}

/// Counts the ballot; the tally is one revision later, and one more where the ballot opens the poll.
fn count(
    tx: &Transaction<'_>,
    mut gate: Gate,
    ballot: &BallotRecord,
    opens: bool,
) -> rusqlite::Result<Tally> {
    gate.tally.add(&ballot.selection);
    gate.tally.revision += 1;
    if opens {
        gate.tally.status = Status::Open;
        gate.tally.revision += 1;
        touch(tx, gate.key, ballot.received_at)?;
        update_tally(tx, gate.key, &gate.tally)?;
    } else {
        count_tally(tx, gate.key, &gate.tally)?;
    }
    Ok(gate.tally)
}

pub(super) fn withdraw(
    tx: &Transaction<'_>,
    poll: PollId,
    voter: &VoterKey,
    at: Timestamp,
) -> rusqlite::Result<Withdrawal> {
    let Some(mut gate) = gate(tx, poll)? else {
        return Ok(Withdrawal::Refused(Refusal::Missing));
    };
    let row = LookUp::of(tx)?.find(gate.key, voter)?;
    match standing(&gate, row, Name::Unknown).plan_withdrawal(at) {
        WithdrawalPlan::Answer(answer) => Ok(answer),
        WithdrawalPlan::Withdraw { old } => {
            rows::supersede(tx, gate.key, voter, old.id)?;
            rows::withdraw(tx, gate.key, voter, at)?;
            gate.tally.remove(&old.selection);
            gate.tally.revision += 1;
            count_tally(tx, gate.key, &gate.tally)?;
            Ok(Withdrawal::Withdrawn(gate.tally))
        }
    }
}
