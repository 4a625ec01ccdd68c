//! How accounts that are imported meet the faults; all else that is asked of accounts goes well.

use async_trait::async_trait;
use polling_core::users::{
    Account, Email, Inserted, PasswordHash, SessionRepository, SigningKey, User, UserDeleted,
    UserEdit, UserEdited, UserRepository,
};
use polling_core::votes::VoterKey;
use polling_core::{StoreError, Timestamp, UserId};

use super::{Fault, FaultyStore};

impl FaultyStore {
    fn accounts(&self) -> &dyn UserRepository {
        self.store.users().unwrap()
    }
}

#[async_trait]
impl UserRepository for FaultyStore {
    async fn insert(
        &self,
        user: &User,
        password: Option<&PasswordHash>,
    ) -> Result<Inserted, StoreError> {
        self.accounts().insert(user, password).await
    }

    async fn insert_many(&self, accounts: &[Account]) -> Result<Vec<UserId>, StoreError> {
        let fault = self.script.next_import();
        if fault == Some(Fault::LostBeforeCommit) {
            return Err(StoreError::unavailable("as the test wants"));
        }
        let owners = self.accounts().insert_many(accounts).await?;
        if fault == Some(Fault::LostAfterCommit) {
            return Err(StoreError::unavailable("as the test wants"));
        }
        Ok(owners)
    }

    async fn find(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.accounts().find(id).await
    }

    async fn account(&self, id: UserId) -> Result<Option<Account>, StoreError> {
        self.accounts().account(id).await
    }

    async fn find_by_email(&self, email: &Email) -> Result<Option<Account>, StoreError> {
        self.accounts().find_by_email(email).await
    }

    async fn edit(&self, id: UserId, edit: &UserEdit) -> Result<UserEdited, StoreError> {
        self.accounts().edit(id, edit).await
    }

    async fn set_admin(&self, id: UserId, is_admin: bool) -> Result<Option<User>, StoreError> {
        self.accounts().set_admin(id, is_admin).await
    }

    async fn appoint_first_admin(&self, email: &Email) -> Result<Option<User>, StoreError> {
        self.accounts().appoint_first_admin(email).await
    }

    async fn rehash(
        &self,
        id: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<bool, StoreError> {
        self.accounts().rehash(id, old, new).await
    }

    async fn change_password(
        &self,
        id: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<bool, StoreError> {
        self.accounts().change_password(id, old, new).await
    }

    async fn delete(&self, id: UserId, now: Timestamp) -> Result<UserDeleted, StoreError> {
        self.accounts().delete(id, now).await
    }

    async fn is_deleted(&self, id: UserId) -> Result<bool, StoreError> {
        self.accounts().is_deleted(id).await
    }

    async fn deleted(&self, ids: &[UserId]) -> Result<Vec<UserId>, StoreError> {
        self.accounts().deleted(ids).await
    }

    async fn detach(
        &self,
        deleted_before: Timestamp,
        voters: &[VoterKey],
    ) -> Result<bool, StoreError> {
        self.accounts().detach(deleted_before, voters).await
    }

    async fn signing_key(&self, candidate: SigningKey) -> Result<SigningKey, StoreError> {
        self.accounts().signing_key(candidate).await
    }

    fn sessions(&self) -> &dyn SessionRepository {
        self.accounts().sessions()
    }
}
