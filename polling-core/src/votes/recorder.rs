//! A batch on its way to the store: one sending at a time, whose answer is waited for only as long as its voters can wait.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::model::BallotRecord;
use super::repository::{Outcome, RecordError, Recorded, VoteWriter};
use super::split::Part;
use crate::Repository;
use crate::engine::Parts;

/// Owns the writer of a lane.
pub(super) struct Recorder {
    parts: Parts,
    /// Whether its writer is the one for ballots that have to wait for something that is held.
    is_patient: bool,
    writer: State,
}

enum State {
    /// Nothing is on its way. The writer is made with the first batch, and after one that panicked.
    Free(Option<Box<dyn VoteWriter>>),
    /// A batch that is not answered yet, and whose voters may not wait for it any more.
    Busy(BoxFuture<'static, Sent>),
}

/// The writer, and its answer.
struct Sent {
    writer: Option<Box<dyn VoteWriter>>,
    recorded: Result<Recorded, RecordError>,
    /// Whether the writer has panicked, and may have done so after its commit.
    panicked: bool,
}

impl Recorder {
    pub(super) const fn new(parts: Parts) -> Self {
        Self {
            parts,
            is_patient: false,
            writer: State::Free(None),
        }
    }

    /// One whose writer may wait for longer, because no other ballots wait behind it.
    pub(super) fn patient(parts: Parts) -> Self {
        Self {
            is_patient: true,
            ..Self::new(parts)
        }
    }

    /// Whether a batch can be sent: the store has answered the one before, or does so within `patience`.
    pub(super) async fn is_free(&mut self, patience: Duration) -> bool {
        let State::Busy(answer) = &mut self.writer else {
            return true;
        };
        tokio::select! {
            biased;
            sent = answer => {
                self.writer = State::Free(sent.writer);
                if let Ok(recorded) = sent.recorded {
                    // Nobody is told any more, but viewers.
                    self.parts.health.answers();
                    self.parts.hub.put_batch(&recorded.tallies, std::iter::empty());
                }
                true
            }
            () = self.parts.clock.pause(patience) => false,
        }
    }

    /// Sends a part once, and waits for the answer, but no longer than `patience`: then it is `Lost`, and the next one can be
    /// sent when the store has answered after all. It never decides by looking the ballots up: the lost commit may still
    /// come through, and only the primary key makes us wait for it.
    pub(super) async fn send(
        &mut self,
        part: &mut Part,
        patience: Duration,
    ) -> Result<Recorded, RecordError> {
        let State::Free(writer) = &mut self.writer else {
            return Err(unanswered());
        };
        let batch = part.ballots();
        let store = Arc::clone(&self.parts.store);
        let sending = send(store, self.is_patient, writer.take(), Arc::clone(&batch));
        let mut answer = sending.boxed();
        let sent = tokio::select! {
            biased;
            sent = &mut answer => sent,
            () = self.parts.clock.pause(patience) => {
                self.writer = State::Busy(answer);
                self.parts.health.lost();
                part.sent_before = true;
                return Err(unanswered());
            }
        };
        self.writer = State::Free(sent.writer);
        let mut recorded = sent.recorded;
        match &mut recorded {
            Ok(recorded) => {
                self.parts.health.answers();
                if part.sent_before {
                    own_what_is_ours(&batch, recorded);
                }
            }
            Err(RecordError::Lost(_)) => {
                self.parts.health.lost();
                part.sent_before = true;
            }
            Err(_) => part.sent_before |= sent.panicked,
        }
        recorded
    }
}

async fn send(
    store: Arc<dyn Repository>,
    is_patient: bool,
    writer: Option<Box<dyn VoteWriter>>,
    batch: Arc<[BallotRecord]>,
) -> Sent {
    let made = match writer {
        Some(writer) => Ok(writer),
        None if is_patient => store.votes().patient_writer().await,
        None => store.votes().writer().await,
    };
    let mut writer = match made {
        Ok(writer) => writer,
        Err(error) => {
            return Sent {
                writer: None,
                recorded: Err(RecordError::Lost(error.into())),
                panicked: false,
            };
        }
    };
    // A writer that panics is a store's fault: its batch is halved like one that cannot be written, and the writer replaced.
    let recorded = AssertUnwindSafe(writer.record(batch)).catch_unwind().await;
    match recorded {
        Ok(recorded) => Sent {
            writer: Some(writer),
            recorded,
            panicked: false,
        },
        Err(_) => Sent {
            writer: None,
            recorded: Err(RecordError::Poisoned("the store's writer panicked".into())),
            panicked: true,
        },
    }
}

fn unanswered() -> RecordError {
    RecordError::Lost("the store has not answered in time".into())
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
