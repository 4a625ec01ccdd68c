//! The ballots: batches of them, and changes and withdrawals one by one, all through the poll's gate.

mod batch;
mod change;
mod copy;
mod gate;
mod held;
mod params;
mod road;
mod rows;
mod statements;
mod sums;
mod writer;

use async_trait::async_trait;
use polling_core::votes::{
    BallotRecord, Change, RecordedBallot, VoteRepository, VoteWriter, VoterKey, Withdrawal,
};
use polling_core::{BallotId, PollId, StoreError, Timestamp};

pub(crate) use road::Roads;

use crate::PgStore;
use crate::sql::statements;

statements! {
    /// The statements of the votes.
    VoteStatements {
        record_new = statements::RECORD_NEW;
        copy = statements::COPY;
        count_copied = statements::COUNT_COPIED;
        record = statements::RECORD;
        revive = statements::REVIVE;
        look_up = rows::LOOK_UP;
        find_all = rows::FIND_ALL;
        is_superseded = rows::IS_SUPERSEDED;
        standing = rows::STANDING;
        name = change::NAME;
        replace = change::REPLACE;
        set_waits = held::SET_WAITS;
        held = held::HELD;
        wait = held::WAIT;
        end_frozen = held::END_FROZEN;
    }
}

/// Two writers beat one; three and four were slower.
const LANES: usize = 2;

/// Two of them are a whole batch: with half as many ballots in each the pace of large requests fell by a twelfth.
const TURN_BALLOTS: usize = 2_048;

#[async_trait]
impl VoteRepository for PgStore {
    fn lanes(&self) -> usize {
        LANES
    }

    fn turn_ballots(&self) -> usize {
        TURN_BALLOTS
    }

    async fn writer(&self) -> Result<Box<dyn VoteWriter>, StoreError> {
        Ok(Box::new(writer::Writer::new(self.clone())))
    }

    async fn patient_writer(&self) -> Result<Box<dyn VoteWriter>, StoreError> {
        Ok(Box::new(writer::Writer::patient(self.clone())))
    }

    async fn find_all(
        &self,
        poll: PollId,
        voters: &[VoterKey],
    ) -> Result<Vec<Option<RecordedBallot>>, StoreError> {
        Ok(rows::find_all(self, poll, voters).await?)
    }

    async fn is_superseded(
        &self,
        poll: PollId,
        voter: &VoterKey,
        id: BallotId,
    ) -> Result<bool, StoreError> {
        Ok(rows::is_superseded(self, poll, voter, id).await?)
    }

    async fn change(&self, ballot: &BallotRecord) -> Result<Change, StoreError> {
        Ok(change::change(self, ballot).await?)
    }

    async fn withdraw(
        &self,
        poll: PollId,
        voter: &VoterKey,
        at: Timestamp,
    ) -> Result<Withdrawal, StoreError> {
        Ok(change::withdraw(self, poll, voter, at).await?)
    }
}
