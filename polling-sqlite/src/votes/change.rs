//! Changing and withdrawing votes, one by one. The outcomes are judged in the order in which the port lists them.

use polling_core::polls::Status;
use polling_core::results::Tally;
use polling_core::votes::{BallotRecord, Change, Refusal, VoterKey, Withdrawal, admit};
use polling_core::{PollId, Timestamp};
use rusqlite::Transaction;

use super::rows::{self, Name};
use crate::polls::touch;
use crate::results::rows::{Gate, gate, update_tally};

pub(super) fn change(tx: &Transaction<'_>, ballot: &BallotRecord) -> rusqlite::Result<Change> {
    let Some(gate) = gate(tx, ballot.poll)? else {
        return Ok(Change::Refused(Refusal::Missing));
    };
    if !gate.allow_change {
        return Ok(Change::NotAllowed);
    }
    let row = rows::find(tx, gate.key, &ballot.voter)?;
    let counting = row.as_ref().filter(|row| row.counts);
    let same = counting.is_some_and(|row| row.selection == ballot.selection);
    if ballot.id_is_clients {
        if let Some(row) = counting.filter(|row| row.id == ballot.id) {
            if row.selection != ballot.selection {
                return Ok(Change::IdReused);
            }
        } else if row.is_some() {
            match rows::find_name(tx, gate.key, &ballot.voter, ballot.id)? {
                Name::Superseded => return Ok(Change::Superseded),
                Name::Current if !same => return Ok(Change::IdReused),
                Name::Current | Name::Unknown => {}
            }
        }
    }
    match (rows::takes(&gate.tally, ballot), row) {
        (_, Some(row)) if same => {
            if ballot.id_is_clients && row.id != ballot.id {
                rows::name(tx, gate.key, &ballot.voter, ballot.id)?;
            }
            Ok(Change::Unchanged(row.recorded(gate.tally.revision)))
        }
        (Err(refusal), _) => Ok(Change::Refused(refusal)),
        (Ok(opens), None) => {
            rows::insert(tx, gate.key, ballot)?;
            count(tx, gate, ballot, opens).map(Change::Created)
        }
        (Ok(opens), Some(row)) if !row.counts => {
            rows::replace(tx, gate.key, ballot)?;
            count(tx, gate, ballot, opens).map(Change::Created)
        }
        (Ok(opens), Some(row)) => {
            rows::supersede(tx, gate.key, &ballot.voter, row.id)?;
            rows::replace(tx, gate.key, ballot)?;
            let mut gate = gate;
            gate.tally.remove(&row.selection);
            count(tx, gate, ballot, opens).map(Change::Changed)
        }
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
    }
    update_tally(tx, gate.key, &gate.tally)?;
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
    if !gate.allow_change {
        return Ok(Withdrawal::NotAllowed);
    }
    if let Err(refusal) = admit(&gate.tally, at) {
        return Ok(Withdrawal::Refused(refusal));
    }
    let Some(row) = rows::find(tx, gate.key, voter)?.filter(|row| row.counts) else {
        return Ok(Withdrawal::Missing);
    };
    rows::supersede(tx, gate.key, voter, row.id)?;
    rows::withdraw(tx, gate.key, voter, at)?;
    gate.tally.remove(&row.selection);
    gate.tally.revision += 1;
    update_tally(tx, gate.key, &gate.tally)?;
    Ok(Withdrawal::Withdrawn(gate.tally))
}
