//! The polls: definitions in `polls` and `poll_options`, and the steps of their life through the gate, which is their row
//! in `poll_tallies`. What has no row there is gone.

mod list;
mod purge;
mod rows;
mod write;

pub(crate) use write::touch;

use std::time::Duration;

use async_trait::async_trait;
use polling_core::polls::{
    Advanced, DueStep, Edited, Kept, ListQuery, Poll, PollEdit, PollRecord, PollRepository, Step,
};
use polling_core::results::{Revision, Tally};
use polling_core::{PollId, StoreError, Timestamp, TokenHash};
use rusqlite::Transaction;
use tracing::debug_span;

use crate::SqliteStore;

#[async_trait]
impl PollRepository for SqliteStore {
    async fn insert(&self, poll: &Poll, tally: &Tally) -> Result<Kept, StoreError> {
        let (poll, tally) = (poll.clone(), tally.clone());
        let insert = move |tx: &Transaction<'_>| write::insert(tx, &poll, &tally);
        Ok(self.write(debug_span!("db.polls.insert"), insert).await?)
    }

    async fn find(&self, id: PollId) -> Result<Option<PollRecord>, StoreError> {
        let find = move |tx: &Transaction<'_>| Ok(rows::find(tx, id)?.map(|(_, record)| record));
        self.read(debug_span!("db.polls.find"), find).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Vec<PollRecord>, StoreError> {
        let query = query.clone();
        let list = move |tx: &Transaction<'_>| list::list(tx, &query);
        self.read(debug_span!("db.polls.list"), list).await
    }

    async fn edit(&self, edit: &PollEdit) -> Result<Edited, StoreError> {
        let edit = edit.clone();
        let write = move |tx: &Transaction<'_>| write::edit(tx, &edit);
        Ok(self.write(debug_span!("db.polls.edit"), write).await?)
    }

    async fn advance(
        &self,
        id: PollId,
        step: Step,
        now: Timestamp,
    ) -> Result<Advanced, StoreError> {
        let advance = move |tx: &Transaction<'_>| write::advance(tx, id, step, now);
        Ok(self.write(debug_span!("db.polls.advance"), advance).await?)
    }

    async fn delete(&self, id: PollId, now: Timestamp) -> Result<Option<Revision>, StoreError> {
        let delete = move |tx: &Transaction<'_>| write::delete(tx, id, now);
        Ok(self.write(debug_span!("db.polls.delete"), delete).await?)
    }

    async fn purge(&self, rows: usize) -> Result<bool, StoreError> {
        let purge = move |tx: &Transaction<'_>| purge::purge(tx, rows);
        Ok(self
            .write(debug_span!("db.polls.purge", rows), purge)
            .await?)
    }

    async fn knows_manage_token(&self, token: TokenHash) -> Result<bool, StoreError> {
        let knows = move |tx: &Transaction<'_>| list::knows_manage_token(tx, token);
        self.read(debug_span!("db.polls.knows_manage_token"), knows)
            .await
    }

    async fn upcoming(&self, grace: Duration, limit: usize) -> Result<Vec<DueStep>, StoreError> {
        let upcoming = move |tx: &Transaction<'_>| list::upcoming(tx, grace, limit);
        self.read(debug_span!("db.polls.upcoming"), upcoming).await
    }
}
