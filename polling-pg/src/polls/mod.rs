//! The polls: definitions in `polls` and `poll_options`, and the steps of their life through the gate, which is their row
//! in `poll_tallies`. What has no row there is gone.

mod list;
mod purge;
mod rows;
mod write;

use std::time::Duration;

use async_trait::async_trait;
use polling_core::polls::{
    Advanced, DueStep, Edited, Kept, ListQuery, Poll, PollEdit, PollRecord, PollRepository, Step,
};
use polling_core::results::{Revision, Tally};
use polling_core::{PollId, StoreError, Timestamp, TokenHash};

use crate::PgStore;
use crate::sql::statements;

statements! {
    /// The statements of the polls.
    PollStatements {
        insert = write::INSERT;
        edit = write::EDIT;
        advance = write::ADVANCE;
        delete = write::DELETE;
        find = rows::FIND;
        list = list::LIST;
        list_of_project = list::LIST_OF_PROJECT;
        knows_manage_token = list::KNOWS_MANAGE_TOKEN;
        upcoming = list::UPCOMING;
        purge_next = purge::NEXT;
        purge_votes = purge::VOTES;
        purge_superseded = purge::SUPERSEDED;
        purge_options = purge::OPTIONS;
        purge_vote_tokens = purge::VOTE_TOKENS;
        purge_vote_token_counts = purge::VOTE_TOKEN_COUNTS;
        purge_tombstone = purge::TOMBSTONE;
        purge_keep_tombstone = purge::KEEP_TOMBSTONE;
    }
}

#[async_trait]
impl PollRepository for PgStore {
    async fn insert(&self, poll: &Poll, tally: &Tally) -> Result<Kept, StoreError> {
        Ok(write::insert(self, poll, tally).await?)
    }

    async fn find(&self, id: PollId) -> Result<Option<PollRecord>, StoreError> {
        Ok(rows::find(self, id).await?)
    }

    async fn list(&self, query: &ListQuery) -> Result<Vec<PollRecord>, StoreError> {
        Ok(list::list(self, query).await?)
    }

    async fn edit(&self, edit: &PollEdit) -> Result<Edited, StoreError> {
        Ok(write::edit(self, edit).await?)
    }

    async fn advance(
        &self,
        id: PollId,
        step: Step,
        now: Timestamp,
    ) -> Result<Advanced, StoreError> {
        Ok(write::advance(self, id, step, now).await?)
    }

    async fn delete(&self, id: PollId, now: Timestamp) -> Result<Option<Revision>, StoreError> {
        Ok(write::delete(self, id, now).await?)
    }

    async fn purge(&self, rows: usize) -> Result<bool, StoreError> {
        Ok(purge::purge(self, rows).await?)
    }

    async fn knows_manage_token(&self, token: TokenHash) -> Result<bool, StoreError> {
        Ok(list::knows_manage_token(self, token).await?)
    }

    async fn upcoming(&self, grace: Duration, limit: usize) -> Result<Vec<DueStep>, StoreError> {
        Ok(list::upcoming(self, grace, limit).await?)
    }
}
