//! Reading and writing the rows of `votes` and `superseded_ballots`.

use polling_core::results::Revision;
use polling_core::votes::{BallotRecord, Held, Name, RecordedBallot, Selection, VoterKey};
use polling_core::{BallotId, Timestamp};
use rusqlite::{CachedStatement, OptionalExtension, Transaction, params};

use crate::columns::time;

const INSERT: &str = "\
-- votes.insert
INSERT INTO votes (poll, voter, ballot, content, cast_at) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (poll, voter) DO NOTHING";

const FIND: &str = "\
-- votes.find
SELECT ballot, content, cast_at, withdrawn_at IS NULL FROM votes WHERE poll = ?1 AND voter = ?2";

const REPLACE: &str = "\
-- votes.replace
UPDATE votes SET ballot = ?3, content = ?4, cast_at = ?5, withdrawn_at = NULL WHERE poll = ?1 AND voter = ?2";

const WITHDRAW: &str = "\
-- votes.withdraw
UPDATE votes SET withdrawn_at = ?3 WHERE poll = ?1 AND voter = ?2";

const SUPERSEDE: &str = "\
-- votes.supersede
INSERT INTO superseded_ballots (poll, voter, ballot, superseded) VALUES (?1, ?2, ?3, 1)
ON CONFLICT (poll, voter, ballot) DO UPDATE SET superseded = 1";

const SUPERSEDE_NAMES: &str = "\
-- votes.supersede_names
UPDATE superseded_ballots SET superseded = 1 WHERE poll = ?1 AND voter = ?2 AND superseded = 0";

const NAME: &str = "\
-- votes.name
INSERT INTO superseded_ballots (poll, voter, ballot, superseded) VALUES (?1, ?2, ?3, 0)
ON CONFLICT (poll, voter, ballot) DO NOTHING";

const FIND_NAME: &str = "\
-- votes.find_name
SELECT superseded FROM superseded_ballots WHERE poll = ?1 AND voter = ?2 AND ballot = ?3";

/// A voter's row.
#[derive(Debug)]
pub(super) struct VoteRow {
    pub(super) id: BallotId,
    pub(super) selection: Selection,
    pub(super) cast_at: Timestamp,
    /// Else it was withdrawn.
    pub(super) counts: bool,
}

impl VoteRow {
    pub(super) fn recorded(self, revision: Revision) -> RecordedBallot {
        RecordedBallot {
            id: self.id,
            selection: self.selection,
            cast_at: self.cast_at,
            revision,
        }
    }

    pub(super) fn held(self, revision: Revision) -> Held {
        Held {
            counts: self.counts,
            ballot: self.recorded(revision),
        }
    }
}

/// What is asked of each ballot of a batch, taken out of the cache of statements once for all of them.
pub(super) struct Statements<'tx> {
    insert: CachedStatement<'tx>,
    pub(super) look_up: LookUp<'tx>,
}

impl<'tx> Statements<'tx> {
    pub(super) fn of(tx: &'tx Transaction<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            insert: tx.prepare_cached(INSERT)?,
            look_up: LookUp::of(tx)?,
        })
    }

    /// Inserts a ballot where its voter has no row; returns whether it did.
    pub(super) fn insert(&mut self, poll: i64, ballot: &BallotRecord) -> rusqlite::Result<bool> {
        let rows = self.insert.execute(params![
            poll,
            ballot.voter.as_bytes(),
            ballot.id.as_bytes(),
            ballot.selection.positions(),
            ballot.received_at.as_millis(),
        ])?;
        Ok(rows == 1)
    }
}

/// What is read of voters, one after the other.
pub(super) struct LookUp<'tx> {
    find: CachedStatement<'tx>,
    find_name: CachedStatement<'tx>,
}

impl<'tx> LookUp<'tx> {
    pub(super) fn of(tx: &'tx Transaction<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            find: tx.prepare_cached(FIND)?,
            find_name: tx.prepare_cached(FIND_NAME)?,
        })
    }

    pub(super) fn find(
        &mut self,
        poll: i64,
        voter: &VoterKey,
    ) -> rusqlite::Result<Option<VoteRow>> {
        let row = self.find.query_row(params![poll, voter.as_bytes()], |row| {
            Ok(VoteRow {
                id: BallotId::from_bytes(row.get(0)?),
                selection: Selection::from_store(row.get_ref(1)?.as_blob()?),
                cast_at: time(row, 2)?,
                counts: row.get(3)?,
            })
        });
        row.optional()
    }

    pub(super) fn find_name(
        &mut self,
        poll: i64,
        voter: &VoterKey,
        id: BallotId,
    ) -> rusqlite::Result<Name> {
        let params = params![poll, voter.as_bytes(), id.as_bytes()];
        let superseded: Option<bool> = self
            .find_name
            .query_row(params, |row| row.get(0))
            .optional()?;
        Ok(match superseded {
            None => Name::Unknown,
            Some(false) => Name::Current,
            Some(true) => Name::Superseded,
        })
    }
}

/// Writes a ballot over its voter's row.
pub(super) fn replace(
    tx: &Transaction<'_>,
    poll: i64,
    ballot: &BallotRecord,
) -> rusqlite::Result<()> {
    tx.prepare_cached(REPLACE)?.execute(params![
        poll,
        ballot.voter.as_bytes(),
        ballot.id.as_bytes(),
        ballot.selection.positions(),
        ballot.received_at.as_millis(),
    ])?;
    Ok(())
}

pub(super) fn withdraw(
    tx: &Transaction<'_>,
    poll: i64,
    voter: &VoterKey,
    at: Timestamp,
) -> rusqlite::Result<()> {
    tx.prepare_cached(WITHDRAW)?
        .execute(params![poll, voter.as_bytes(), at.as_millis()])?;
    Ok(())
}

/// The ballot with this id was changed or withdrawn, under whatever other ids it was known.
pub(super) fn supersede(
    tx: &Transaction<'_>,
    poll: i64,
    voter: &VoterKey,
    id: BallotId,
) -> rusqlite::Result<()> {
    tx.prepare_cached(SUPERSEDE)?
        .execute(params![poll, voter.as_bytes(), id.as_bytes()])?;
    tx.prepare_cached(SUPERSEDE_NAMES)?
        .execute(params![poll, voter.as_bytes()])?;
    Ok(())
}

/// Remembers another id of the ballot that the voter has.
pub(super) fn name(
    tx: &Transaction<'_>,
    poll: i64,
    voter: &VoterKey,
    id: BallotId,
) -> rusqlite::Result<()> {
    tx.prepare_cached(NAME)?
        .execute(params![poll, voter.as_bytes(), id.as_bytes()])?;
    Ok(())
}
