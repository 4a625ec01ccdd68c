//! The imports of this server: how many may run, and how far the last ones have come.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::model::{ImportProgress, ImportState, RowOutcome};
use crate::settings::ImportSettings;
use crate::{ImportId, Timestamp};

/// The imports of this server, in its memory.
pub(in crate::users) struct Imports {
    turns: Arc<Semaphore>,
    /// The newest last.
    records: Mutex<VecDeque<Arc<Record>>>,
    remembered: usize,
}

/// How far one import has come.
pub(super) struct Record(Mutex<ImportProgress>);

/// Held while an import runs, or a batch of it is being written.
pub(super) type Turn = Arc<OwnedSemaphorePermit>;

impl Imports {
    pub(in crate::users) fn new(settings: &ImportSettings) -> Self {
        let turns = settings.at_once.min(Semaphore::MAX_PERMITS);
        Self {
            turns: Arc::new(Semaphore::new(turns)),
            records: Mutex::default(),
            remembered: settings.remembered,
        }
    }

    /// Remembers a new import, which takes the place of an earlier one with the same id; `None` where as many are running
    /// as may, or one with this id is.
    pub(super) fn begin(&self, id: ImportId, now: Timestamp) -> Option<(Arc<Record>, Turn)> {
        let turn = Arc::clone(&self.turns).try_acquire_owned().ok()?;
        let mut records = self.records();
        if let Some(at) = records.iter().position(|record| record.progress().id == id) {
            if records[at].progress().state == ImportState::Running {
                return None;
            }
            records.remove(at);
        }
        let record = Arc::new(Record(Mutex::new(ImportProgress::new(id, now))));
        records.push_back(Arc::clone(&record));
        while records.len() > self.remembered {
            records.pop_front();
        }
        Some((record, Arc::new(turn)))
    }

    /// How far an import has come; `None` where it is not remembered.
    pub(super) fn progress(&self, id: ImportId) -> Option<ImportProgress> {
        let records = self.records();
        let mut all = records.iter().map(|record| record.progress());
        all.find(|progress| progress.id == id)
    }

    fn records(&self) -> MutexGuard<'_, VecDeque<Arc<Record>>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    pub(super) fn progress(&self) -> ImportProgress {
        self.lock().clone()
    }

    pub(super) fn count(&self, outcomes: &[RowOutcome]) {
        self.lock().count(outcomes);
    }

    /// Ends it, unless it has ended.
    pub(super) fn end(&self, state: ImportState) {
        let mut progress = self.lock();
        if progress.state == ImportState::Running {
            progress.state = state;
        }
    }

    fn lock(&self) -> MutexGuard<'_, ImportProgress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(byte: u8) -> ImportId {
        ImportId::from_bytes([byte; 16])
    }

    #[test]
    fn so_many_run_at_once_and_so_many_are_remembered() {
        let settings = ImportSettings {
            remembered: 2,
            ..ImportSettings::default()
        };
        let imports = Imports::new(&settings);
        let begin = |byte| imports.begin(id(byte), Timestamp::from_millis(0));
        let first = begin(1).unwrap();
        assert!(begin(2).is_none());
        first.0.end(ImportState::Done);
        first.0.end(ImportState::Stopped);
        drop(first);
        assert_eq!(imports.progress(id(1)).unwrap().state, ImportState::Done);
        for byte in [2, 3] {
            drop(begin(byte).unwrap());
        }
        assert!(imports.progress(id(1)).is_none());
        assert!(imports.progress(id(2)).is_some() && imports.progress(id(3)).is_some());
    }

    #[test]
    fn an_import_takes_the_place_of_one_with_its_id_that_has_ended() {
        let settings = ImportSettings {
            at_once: 2,
            ..ImportSettings::default()
        };
        let imports = Imports::new(&settings);
        let begin = || imports.begin(id(1), Timestamp::from_millis(0));
        let (record, _turn) = begin().unwrap();
        record.count(&[RowOutcome::Invalid(Vec::new())]);
        assert!(begin().is_none());
        record.end(ImportState::Stopped);
        let again = begin().unwrap();
        assert_eq!(imports.progress(id(1)).unwrap().rows, 0);
        drop(again);
    }
}
