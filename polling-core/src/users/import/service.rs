//! The use cases of the import.

use std::sync::Arc;

use bytes::{Buf, Bytes};
use secrecy::{ExposeSecret, SecretString};
use tracing::{info, instrument};

use super::model::{ImportFormat, ImportProgress, ImportState, RowOutcome};
use super::record::{Record, Turn};
use super::rows::{Raw, Row, Rows};
use crate::users::error::UserError;
use crate::users::model::{Account, Email, PasswordHash, User, UserName};
use crate::users::passwords::PasswordError;
use crate::users::policy;
use crate::users::service::{Inner, Users, email, name};
use crate::{Actor, FeatureOff, FieldError, ImportId, StoreError, UserId};

impl Users {
    /// Begins an import, whose rows are then [fed](Import::feed) to it. The id is the caller's own, or else a new one.
    ///
    /// # Errors
    /// `FeatureOff`, `Unauthorized`, `Forbidden`; `ImportBusy` where as many are running on this server as may; `Store`.
    #[instrument(name = "users.import", skip_all)]
    pub async fn import(
        &self,
        actor: &Actor,
        format: ImportFormat,
        id: Option<ImportId>,
    ) -> Result<Import, UserError> {
        self.may_import(actor).await?;
        let parts = &self.inner.parts;
        let now = parts.clock.now();
        let id = id.unwrap_or_else(|| ImportId::new(now, &*parts.ids));
        let begun = self.inner.imports.begin(id, now);
        let (record, turn) = begun.ok_or(UserError::ImportBusy)?;
        info!(import = %id, "an import of users begins");
        Ok(Import {
            inner: Arc::clone(&self.inner),
            rows: Rows::new(format),
            read: 0,
            batch: Vec::new(),
            record,
            turn,
        })
    }

    /// Whether somebody may import, for those who have something else to look at before they [begin](Self::import).
    ///
    /// # Errors
    /// `FeatureOff`, `Unauthorized`, `Forbidden`; `Store`.
    pub async fn may_import(&self, actor: &Actor) -> Result<(), UserError> {
        if !self.inner.parts.settings.features.import && !matches!(actor, Actor::System) {
            return Err(FeatureOff("import").into());
        }
        self.administers(actor).await
    }

    /// How far an import has come that was begun on this server, of which the last ones are remembered.
    ///
    /// # Errors
    /// `Unauthorized`, `Forbidden`; `ImportNotFound`; `Store`.
    pub async fn import_progress(
        &self,
        actor: &Actor,
        id: ImportId,
    ) -> Result<ImportProgress, UserError> {
        self.administers(actor).await?;
        let progress = self.inner.imports.progress(id);
        progress.ok_or(UserError::ImportNotFound)
    }
}

/// An import that runs. It is driven by whoever has it, and stops where that one lets go of it; a batch that is being
/// written then comes to its end.
pub struct Import {
    inner: Arc<Inner>,
    rows: Rows,
    read: usize,
    batch: Vec<Judged>,
    record: Arc<Record>,
    turn: Turn,
}

/// A row that was looked at.
enum Judged {
    New(Account),
    Existing(UserId),
    Invalid(Vec<FieldError>),
}

impl Import {
    /// How far it has come.
    #[must_use]
    pub fn progress(&self) -> ImportProgress {
        self.record.progress()
    }

    /// Whether rows can come now: the columns of a table have been read.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.rows.have_begun()
    }

    /// Reads the columns of a table, as far as this piece of the body has them, and leaves of it what follows.
    ///
    /// # Errors
    /// `Invalid`: the columns are not what they should be.
    pub fn begin(&mut self, piece: &mut Bytes) -> Result<(), UserError> {
        let mut rest = &piece[..];
        let begun = self.rows.begin(&mut rest);
        let read = piece.len() - rest.len();
        piece.advance(read);
        begun.map_err(UserError::field)
    }

    /// Takes the next piece of the body, cut wherever it is. As soon as a batch of rows is there it is written, and the
    /// outcomes are added, in the order of the rows. Rows without an outcome were not looked at, or are still held.
    ///
    /// # Errors
    /// `Invalid` where there are no columns, or too many rows; then all rows before have their outcome. `ShuttingDown`, or
    /// `Store`: then the rows of one batch may have been written without an outcome. All end the import.
    pub async fn feed(
        &mut self,
        mut piece: Bytes,
        outcomes: &mut Vec<RowOutcome>,
    ) -> Result<(), UserError> {
        if !self.has_begun() {
            self.begin(&mut piece)?;
        }
        let mut rest = &piece[..];
        while let Some(row) = self.rows.next(&mut rest) {
            self.take(row, outcomes).await?;
        }
        Ok(())
    }

    /// The body is over: writes what is held.
    ///
    /// # Errors
    /// As of [`feed`](Self::feed).
    pub async fn finish(&mut self, outcomes: &mut Vec<RowOutcome>) -> Result<(), UserError> {
        if let Some(row) = self.rows.end().map_err(UserError::field)? {
            self.take(row, outcomes).await?;
        }
        self.write(outcomes).await?;
        self.record.end(ImportState::Done);
        Ok(())
    }

    /// Says that no more rows will come, though the body is not over.
    pub fn stop(&self) {
        self.record.end(ImportState::Stopped);
    }

    async fn take(&mut self, row: Row, outcomes: &mut Vec<RowOutcome>) -> Result<(), UserError> {
        let settings = &self.inner.parts.settings.imports;
        let (most, batch_rows) = (settings.rows, settings.batch_rows);
        if self.read == most {
            self.write(outcomes).await?;
            let detail = format!("there must not be more than {most} rows");
            return Err(UserError::field(FieldError::invalid("", detail)));
        }
        self.read += 1;
        let judged = self.inner.judge(row).await?;
        self.batch.push(judged);
        if self.batch.len() >= batch_rows {
            self.write(outcomes).await?;
        }
        Ok(())
    }

    /// Writes the batch, to its end, whether or not anybody waits for it.
    async fn write(&mut self, outcomes: &mut Vec<RowOutcome>) -> Result<(), UserError> {
        let batch = std::mem::take(&mut self.batch);
        if batch.is_empty() {
            return Ok(());
        }
        let (inner, record) = (Arc::clone(&self.inner), Arc::clone(&self.record));
        let turn = Arc::clone(&self.turn);
        let write = async move {
            let written = inner.keep(batch).await?;
            record.count(&written);
            drop(turn);
            Ok::<_, UserError>(written)
        };
        let written = self.inner.parts.tasks.run(write).await;
        outcomes.extend(written.ok_or(UserError::ShuttingDown)??);
        Ok(())
    }
}

impl Drop for Import {
    fn drop(&mut self) {
        self.record.end(ImportState::Stopped);
        let ImportProgress {
            id,
            state,
            rows,
            created,
            ..
        } = self.progress();
        info!(import = %id, ?state, rows, created, "an import of users has ended");
    }
}

impl std::fmt::Debug for Import {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Import")
            .field("progress", &self.progress())
            .finish_non_exhaustive()
    }
}

impl Inner {
    /// What there is to do about a row.
    async fn judge(&self, row: Row) -> Result<Judged, UserError> {
        let (raw, name, email) = match row.map_err(|error| vec![error]).and_then(valid) {
            Ok(valid) => valid,
            Err(errors) => return Ok(Judged::Invalid(errors)),
        };
        let mut password = None;
        if let Some(given) = raw.password {
            // To hash it takes a hundred times as long as to look.
            if let Some(there) = self.users()?.find_by_email(&email).await? {
                return Ok(Judged::Existing(there.user.id));
            }
            match self.hash(given, &name, &email).await? {
                Ok(hash) => password = Some(hash),
                Err(weak) => return Ok(Judged::Invalid(vec![weak])),
            }
        }
        let now = self.parts.clock.now();
        let user = User {
            id: UserId::new(now, &*self.parts.ids),
            name,
            email,
            is_admin: false,
            created_at: now,
        };
        Ok(Judged::New(Account { user, password }))
    }

    async fn hash(
        &self,
        password: SecretString,
        name: &UserName,
        email: &Email,
    ) -> Result<Result<PasswordHash, FieldError>, UserError> {
        let guesses = policy::guesses(name, email);
        match self.passwords.set_in_turn(password, guesses).await {
            Ok(hash) => Ok(Ok(hash)),
            Err(PasswordError::Weak(advice)) => Ok(Err(policy::weak("/password", advice))),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes the new ones of a batch in one step.
    async fn keep(&self, batch: Vec<Judged>) -> Result<Vec<RowOutcome>, UserError> {
        let mut accounts = Vec::with_capacity(batch.len());
        let mut outcomes = Vec::with_capacity(batch.len());
        for judged in batch {
            outcomes.push(match judged {
                Judged::New(account) => {
                    let id = account.user.id;
                    accounts.push(account);
                    RowOutcome::Created(id)
                }
                Judged::Existing(id) => RowOutcome::Existing(id),
                Judged::Invalid(errors) => RowOutcome::Invalid(errors),
            });
        }
        if accounts.is_empty() {
            return Ok(outcomes);
        }
        let owners = {
            let _turn = self.parts.bulk.turn().await;
            self.users()?.insert_many(&accounts).await?
        };
        let mut owners = owners.into_iter();
        self.appoint(accounts.iter().map(|account| &account.user.email))
            .await;
        for outcome in &mut outcomes {
            if let RowOutcome::Created(id) = *outcome {
                let owner = owners.next();
                let owner = owner.ok_or_else(|| StoreError::internal("a row has no outcome"))?;
                if owner != id {
                    *outcome = RowOutcome::Existing(owner);
                }
            }
        }
        Ok(outcomes)
    }
}

fn valid(raw: Raw) -> Result<(Raw, UserName, Email), Vec<FieldError>> {
    let given = raw.password.as_ref().map(ExposeSecret::expose_secret);
    let password = given.map_or(Ok(()), |text| policy::length_fits(text, "/password"));
    match (name(&raw.name), email(&raw.email), password) {
        (Ok(name), Ok(email), Ok(())) => Ok((raw, name, email)),
        (name, email, password) => {
            let errors = [name.err(), email.err(), password.err()];
            Err(errors.into_iter().flatten().collect())
        }
    }
}
