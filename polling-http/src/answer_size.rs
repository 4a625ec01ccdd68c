//! How large the answer of an endpoint may be, and the room that is reserved for it before it is made.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http_body::Body;
use polling_core::Code;
use tokio::time::Sleep;

use crate::body::before;
use crate::problem::Problem;
use crate::response::Response;
use crate::server::{AnswerBudget, Reservation};

/// How large an answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnswerSize {
    /// So small that nothing is reserved: what the streams of a connection hold of such is little. Votes are answered so,
    /// whatever else is used up.
    Small,
    /// One poll, with all of its options.
    One,
    /// Many things: half of what a connection may hold, so that two are made at a time.
    Many,
    /// An outcome for each ballot of the body.
    Batch,
}

/// More than the JSON of a poll whose body was as large as it may be.
const ONE_BYTES: usize = 128 * 1024;

/// An outcome, and the least that a ballot takes in the body of a batch.
const OUTCOME_BYTES: usize = 320;
const LEAST_BALLOT_BYTES: usize = 48;

/// Batches of less are answered like single votes.
const SMALL_BATCH_BYTES: usize = 2 * 1024;

impl AnswerSize {
    /// Bytes to reserve; `None` for nothing.
    fn bytes(self, answers: &AnswerBudget, body: &Bytes) -> Option<usize> {
        match self {
            Self::Small => None,
            Self::Batch if body.len() <= SMALL_BATCH_BYTES => None,
            Self::Batch => Some(body.len() / LEAST_BALLOT_BYTES * OUTCOME_BYTES),
            Self::One => Some(ONE_BYTES),
            Self::Many => Some(answers.connection_bytes() / 2),
        }
    }

    /// Waits for room for such an answer, until the deadline of the request at most.
    pub(crate) async fn reserve(
        self,
        answers: Option<&AnswerBudget>,
        body: &Bytes,
        deadline: Pin<&mut Sleep>,
    ) -> Result<Option<Arc<Reservation>>, Problem> {
        let Some(answers) = answers else {
            return Ok(None);
        };
        let Some(bytes) = self.bytes(answers, body) else {
            return Ok(None);
        };
        let reserved = match answers.try_reserve(bytes) {
            Some(reserved) => Some(reserved),
            None => before(deadline, answers.reserve(bytes)).await.flatten(),
        };
        match reserved {
            Some(reserved) => Ok(Some(Arc::new(reserved))),
            None => Err(Problem::answers_wait()),
        }
    }
}

/// Puts the reservation on the answer, as large as it has become. An answer that only reads is refused where there is no
/// room for it.
pub(crate) fn reserved(
    mut response: Response,
    reserved: Option<Arc<Reservation>>,
    only_reads: bool,
) -> Result<Response, Problem> {
    let Some(reserved) = reserved else {
        return Ok(response);
    };
    if let Some(bytes) = response.body().size_hint().exact() {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        if !only_reads {
            reserved.resize(bytes);
        } else if !reserved.try_resize(bytes) {
            return Err(Problem::answers_wait());
        }
    }
    response.extensions_mut().insert(reserved);
    Ok(response)
}

impl Problem {
    /// Too much waits to be taken, by this client or by all.
    fn answers_wait() -> Self {
        Self::of(Code::Overloaded).saying(
            "too many bytes of answers wait for their clients: take the answers that were sent, and ask again later",
        )
    }
}
