//! A batch on its way to the store: sent again while the store is lost, and exact all the same.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;

use super::model::BallotRecord;
use super::repository::{Outcome, RecordError, Recorded, VoteWriter};
use crate::engine::Parts;

/// The first pause before a batch is sent again to a store that was lost; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A batch of ballots that have waited for long is sent again for this part of the time that a new one has.
const SHORT_WHILE: u32 = 8;

/// Owns the writer of a lane.
pub(super) struct Recorder {
    parts: Parts,
    writer: Option<Box<dyn VoteWriter>>,
}

impl Recorder {
    pub(super) const fn new(parts: Parts) -> Self {
        Self {
            parts,
            writer: None,
        }
    }

    /// Records a batch; where the store is lost, sends the same batch again for a while. It never decides by looking
    /// the ballots up: the lost commit may still come through, and only the primary key makes us wait for it.
    ///
    /// The while begins when the oldest ballot came in: what waited in the queue behind a store that is away does not wait
    /// as long once more, and is sent again for a short while only. `sent_before` is whether any of it may be recorded
    /// already, by a sending of which nobody heard.
    pub(super) async fn record(
        &mut self,
        batch: Arc<[BallotRecord]>,
        sent_before: &mut bool,
    ) -> Result<Recorded, RecordError> {
        let oldest = batch.iter().map(|ballot| ballot.received_at).min();
        let now = self.parts.clock.now();
        let retry_for = self.parts.settings.retry_for;
        let deadline = oldest.unwrap_or(now).after(retry_for);
        let deadline = deadline.max(now.after(retry_for / SHORT_WHILE));
        let mut pause = FIRST_PAUSE;
        loop {
            let lost = match self.try_record(Arc::clone(&batch), sent_before).await {
                Ok(mut recorded) => {
                    if *sent_before {
                        own_what_is_ours(&batch, &mut recorded);
                    }
                    return Ok(recorded);
                }
                Err(RecordError::Lost(cause)) => cause,
                Err(poisoned) => return Err(poisoned),
            };
            *sent_before = true;
            if self.parts.clock.now().after(pause) > deadline {
                return Err(RecordError::Lost(lost));
            }
            self.parts.clock.pause(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn try_record(
        &mut self,
        batch: Arc<[BallotRecord]>,
        sent_before: &mut bool,
    ) -> Result<Recorded, RecordError> {
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => {
                let writer = self
                    .parts
                    .store
                    .votes()
                    .writer()
                    .await
                    .map_err(|error| RecordError::Lost(error.into()))?;
                none.insert(writer)
            }
        };
        // A writer that panics is a store's fault: its batch is halved like one that cannot be written, and the writer
        // replaced. It may have panicked after its commit.
        match AssertUnwindSafe(writer.record(batch)).catch_unwind().await {
            Ok(recorded) => recorded,
            Err(_) => {
                self.writer = None;
                *sent_before = true;
                Err(RecordError::Poisoned("the store's writer panicked".into()))
            }
        }
    }
}

/// A ballot that an earlier sending of this batch recorded is ours, and no retry of the client's.
fn own_what_is_ours(batch: &[BallotRecord], recorded: &mut Recorded) {
    for (ballot, outcome) in batch.iter().zip(&mut recorded.outcomes) {
        if let Outcome::Existing(existing) = outcome
            && (existing.id, existing.cast_at) == (ballot.id, ballot.received_at)
            && existing.selection == ballot.selection
        {
            *outcome = Outcome::Added(existing.revision);
        }
    }
}
