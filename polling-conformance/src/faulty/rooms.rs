//! The rooms in which nothing fails but the reading; those that are not reached from here are the store's own.

use std::time::Duration;

use async_trait::async_trait;
use polling_core::polls::{
    Advanced, DueStep, Edited, Kept, ListQuery, Poll, PollEdit, PollRecord, PollRepository, Step,
};
use polling_core::results::{Recount, ResultsRepository, Revision, Tally};
use polling_core::users::UserRepository;
use polling_core::vote_tokens::{
    Making, NewMaking, TokensInStore, VoteTokenRepository, WhichTokens,
};
use polling_core::votes::VoteRepository;
use polling_core::workspaces::WorkspaceRepository;
use polling_core::{PollId, Repository, StoreError, Timestamp, TokenHash};

use super::{Fault, FaultyStore};

#[async_trait]
impl Repository for FaultyStore {
    fn polls(&self) -> &dyn PollRepository {
        self
    }

    fn votes(&self) -> &dyn VoteRepository {
        self
    }

    fn results(&self) -> &dyn ResultsRepository {
        self
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }

    fn users(&self) -> Option<&dyn UserRepository> {
        self.store.users().map(|_| self as &dyn UserRepository)
    }

    fn vote_tokens(&self) -> Option<&dyn VoteTokenRepository> {
        self.store.vote_tokens().is_some().then_some(self)
    }

    fn workspaces(&self) -> Option<&dyn WorkspaceRepository> {
        self.store.workspaces()
    }

    async fn now(&self) -> Result<Option<Timestamp>, StoreError> {
        self.store.now().await
    }
}

#[async_trait]
impl PollRepository for FaultyStore {
    async fn insert(&self, poll: &Poll, tally: &Tally) -> Result<Kept, StoreError> {
        self.store.polls().insert(poll, tally).await
    }

    async fn find(&self, id: PollId) -> Result<Option<PollRecord>, StoreError> {
        self.reach()?;
        let found = self.polls_asked.count(self.store.polls().find(id)).await;
        self.poll_found.pass().await;
        found
    }

    async fn list(&self, query: &ListQuery) -> Result<Vec<PollRecord>, StoreError> {
        self.store.polls().list(query).await
    }

    async fn edit(&self, edit: &PollEdit) -> Result<Edited, StoreError> {
        self.store.polls().edit(edit).await
    }

    async fn advance(
        &self,
        id: PollId,
        step: Step,
        now: Timestamp,
    ) -> Result<Advanced, StoreError> {
        self.store.polls().advance(id, step, now).await
    }

    async fn delete(&self, id: PollId, now: Timestamp) -> Result<Option<Revision>, StoreError> {
        self.store.polls().delete(id, now).await
    }

    async fn purge(&self, rows: usize) -> Result<bool, StoreError> {
        self.store.polls().purge(rows).await
    }

    async fn knows_manage_token(&self, token: TokenHash) -> Result<bool, StoreError> {
        self.store.polls().knows_manage_token(token).await
    }

    async fn upcoming(&self, grace: Duration, limit: usize) -> Result<Vec<DueStep>, StoreError> {
        self.store.polls().upcoming(grace, limit).await
    }
}

#[async_trait]
impl ResultsRepository for FaultyStore {
    async fn tally(&self, poll: PollId) -> Result<Option<Tally>, StoreError> {
        self.reach()?;
        self.store.results().tally(poll).await
    }

    async fn revisions(&self, polls: &[PollId]) -> Result<Vec<Option<Revision>>, StoreError> {
        self.reach()?;
        let ask = self.store.results().revisions(polls);
        self.revisions_asked.count(ask).await
    }

    async fn recount(&self, poll: PollId) -> Result<Option<Recount>, StoreError> {
        self.store.results().recount(poll).await
    }

    async fn orphans(&self) -> Result<u64, StoreError> {
        self.store.results().orphans().await
    }
}

impl FaultyStore {
    fn tokens(&self) -> &dyn VoteTokenRepository {
        let tokens = self.store.vote_tokens();
        tokens.expect("nobody gets here where there are none")
    }
}

#[async_trait]
impl VoteTokenRepository for FaultyStore {
    async fn begin(&self, poll: PollId, tokens: u64, most: u64) -> Result<NewMaking, StoreError> {
        self.tokens().begin(poll, tokens, most).await
    }

    async fn insert(
        &self,
        poll: PollId,
        making: Making,
        tokens: &[TokenHash],
    ) -> Result<bool, StoreError> {
        let fault = self.script.next_making();
        if fault == Some(Fault::LostBeforeCommit) {
            return Err(StoreError::unavailable("as the test wants"));
        }
        let insert = async {
            let inserted = self.tokens().insert(poll, making, tokens).await;
            self.tokens_inserted.pass().await;
            inserted
        };
        let inserted = self.token_steps.count(insert).await?;
        match fault {
            Some(_) => Err(StoreError::unavailable("as the test wants")),
            None => Ok(inserted),
        }
    }

    async fn take_back(
        &self,
        poll: PollId,
        making: Making,
        tokens: &[TokenHash],
    ) -> Result<(), StoreError> {
        self.tokens().take_back(poll, making, tokens).await
    }

    async fn poll_of(&self, token: TokenHash) -> Result<Option<PollId>, StoreError> {
        self.tokens_asked.count(self.tokens().poll_of(token)).await
    }

    async fn good_for(
        &self,
        poll: PollId,
        tokens: &[TokenHash],
    ) -> Result<Vec<TokenHash>, StoreError> {
        let ask = self.tokens().good_for(poll, tokens);
        self.tokens_asked.count(ask).await
    }

    async fn count(&self, poll: PollId) -> Result<TokensInStore, StoreError> {
        self.count_tokens.pass().await;
        self.tokens().count(poll).await
    }

    async fn revoke(&self, poll: PollId, which: WhichTokens<'_>) -> Result<u64, StoreError> {
        self.tokens().revoke(poll, which).await
    }
}
